"""A slow, throttling or unreachable DynamoDB: a proxy or a closed port."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from logs import models
from logs.storage import dynamodb
from logsite.local.ports import free_port

if TYPE_CHECKING:
    import pytest

# Called with the operation of a request, such as Query. Returns the error code of the response, or None to
# forward the request.
ErrorCode = Callable[[str], str | None]


@contextmanager
def proxied(error_code: ErrorCode) -> Iterator[None]:
    """Send all requests through a proxy. It calls `error_code` for each one to the logs table."""
    engine = urlsplit(os.environ["AWS_ENDPOINT_URL_DYNAMODB"])
    connections = threading.local()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].partition(".")[2]
            # In a PartiQL statement, the name is between escaped quotes.
            if models.LogItem.Meta.table_name.encode() in body and (code := error_code(operation)):
                error = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "by the proxy"}
                self.reply(400, json.dumps(error).encode())
                return
            if not hasattr(connections, "engine"):
                connections.engine = HTTPConnection(engine.hostname or "", engine.port)
            connections.engine.request("POST", "/", body, dict(self.headers))
            response = connections.engine.getresponse()
            self.reply(response.status, response.read())

        def reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Suppress the log line of each request."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 100

        def handle_error(self, *args: object) -> None:
            """Suppress the error of a client that timed out, which some tests cause."""

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = f"http://127.0.0.1:{server.server_port}"
    dynamodb.shared_connection.cache_clear()  # a client never changes its endpoint
    try:
        yield
    finally:
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = engine.geturl()
        dynamodb.shared_connection.cache_clear()
        server.shutdown()
        server.server_close()


def disconnect(monkeypatch: "pytest.MonkeyPatch") -> None:
    """Let the models connect to a closed port until the end of the test."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr(dynamodb.shared_connection(), "_client", None)
