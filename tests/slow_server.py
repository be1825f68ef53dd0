"""A slow server in place of DynamoDB or SQS."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

# A put without this counts as not written.
RESPONSE = b'{"ConsumedCapacity": {"TableName": "LogsTable", "CapacityUnits": 1}}'


class SlowServer:
    """A server that responds to each request after `seconds`, or at its end."""

    def __init__(self, seconds: float) -> None:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                server.requests += 1
                server._ended.wait(seconds)
                self.send_response(200)
                self.send_header("Content-Length", str(len(RESPONSE)))
                self.end_headers()
                self.wfile.write(RESPONSE)

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
