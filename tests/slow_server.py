"""A slow server in place of DynamoDB or SQS."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

# A put without this counts as not written.
RESPONSE: dict[str, Any] = {"ConsumedCapacity": {"TableName": "LogsTable", "CapacityUnits": 1}}


def response_to(body: bytes) -> bytes:
    """Return a response of DynamoDB that all items of a request were written."""
    try:
        statements = json.loads(body).get("Statements")
    except ValueError:  # a request to SQS
        statements = None
    response = RESPONSE if statements is None else {"Responses": [{} for _ in statements]}
    return json.dumps(response).encode()


class SlowServer:
    """A server that responds to each request after `seconds`, or at its end."""

    def __init__(self, seconds: float) -> None:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                response = response_to(self.rfile.read(int(self.headers["Content-Length"])))
                server.requests += 1
                server._ended.wait(seconds)
                self.send_response(200)
                self.send_header("Content-Length", str(len(response)))
                self.end_headers()
                self.wfile.write(response)

            def log_message(self, *_: object) -> None:
                """Suppress the log line of each request."""

        self.requests = 0
        self._ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
