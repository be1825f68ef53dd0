"""A server in place of DynamoDB that sends prepared responses."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from logs.storage import dynamodb


@dataclass
class Response:
    """A response: its body, as JSON unless it is bytes."""

    body: Any
    status: int = 200
    content_type: str | None = "application/x-amz-json-1.0"


@dataclass
class ResponseServer:
    """The responses that are still to be sent, and the requests so far as JSON."""

    responses: list[Response]
    requests: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def responding(*responses: Response) -> Iterator[ResponseServer]:
    """Let a server send these responses to all DynamoDB requests, in order. The last one repeats."""
    state = ResponseServer(list(responses))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.requests.append(json.loads(body))
            response = state.responses.pop(0) if len(state.responses) > 1 else state.responses[0]
            content = (
                response.body if isinstance(response.body, bytes) else json.dumps(response.body).encode()
            )
            self.send_response(response.status)
            if response.content_type:
                self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Suppress the log line of each request."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = os.environ["AWS_ENDPOINT_URL_DYNAMODB"]
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = f"http://127.0.0.1:{server.server_port}"
    dynamodb.shared_connection.cache_clear()  # a client never changes its endpoint
    try:
        yield state
    finally:
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = endpoint
        dynamodb.shared_connection.cache_clear()
        server.shutdown()
        server.server_close()
