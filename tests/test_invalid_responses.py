"""A response with the status 200 that is not DynamoDB's: no log is lost, and the site shows a 503."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.test import Client

from ingest.handler import lambda_handler
from logs import reader
from logs.storage import dynamodb
from logs.storage.digest_items import DigestItem
from logs.storage.errors import StoreUnavailable
from tests.factories import LOG_ID, batch_item_failures, make_body, make_event, make_record
from tests.items import logs
from tests.lambda_context import LambdaContext
from tests.pages import LISTING

pytestmark = pytest.mark.usefixtures("logs_table")

BODIES = [
    b"{}",
    b"[]",
    b"<html><body>Welcome</body></html>",
    b"",
    b"null",
    b'{"Items": []}',
    b'{"Responses": {}}',
    b'{"Responses": []}',
    b'{"Responses": [{}]}',
]


@pytest.fixture(params=BODIES, ids=lambda body: body.decode()[:18] or "empty")
def impostor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a server that is not DynamoDB respond to each request with the status 200."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(request.param)))
            self.end_headers()
            self.wfile.write(request.param)

        def log_message(self, *_: object) -> None:
            """Suppress the log line of each request."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{server.server_port}")
        dynamodb.shared_connection.cache_clear()
        yield
    dynamodb.shared_connection.cache_clear()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("payload", ["short", "parts"])
def test_log_is_redelivered(impostor: None, payload: str) -> None:
    record = make_record(make_body(payload=payload))

    response = lambda_handler(make_event(record), LambdaContext(12, seconds_per_call=1))

    assert response == batch_item_failures(record)


def test_logs_of_a_batch_are_redelivered(impostor: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DigestItem.Meta, "table_name", "")  # the first request is that for the logs
    records = [make_record(make_body(user_id=number)) for number in range(2)]

    response = lambda_handler(make_event(*records), LambdaContext(12, seconds_per_call=1))

    assert response == batch_item_failures(*records)


def test_pages_show_503(viewer_client: Client, impostor: None) -> None:
    assert viewer_client.get(LISTING).status_code == 503


def test_reader_is_unavailable(impostor: None) -> None:
    with pytest.raises(StoreUnavailable):
        reader.get(LOG_ID)
    with pytest.raises(StoreUnavailable):
        reader.choices()


def test_next_delivery_stores_the_log() -> None:
    record = make_record()

    lambda_handler(make_event(record), None)

    assert len(logs()) == 1
