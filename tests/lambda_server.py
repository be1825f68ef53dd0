"""A fake Lambda API with mappings and functions. It runs no function; moto would start a container."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

# https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
MAPPINGS = "/2015-03-31/event-source-mappings"
FUNCTIONS = "/2015-03-31/functions/"


@dataclass
class Lambda:
    """The resources of the fake API."""

    endpoint: str = ""
    mappings: list[dict[str, Any]] = field(default_factory=list)
    functions: dict[str, dict[str, Any]] = field(default_factory=dict)  # configuration by ARN

    def get(self, url: str) -> dict[str, Any]:
        """Return Lambda's response to a GET request."""
        parts = urlsplit(url)
        path = unquote(parts.path)
        if path.rstrip("/") == MAPPINGS:
            [source] = parse_qs(parts.query)["EventSourceArn"]
            mappings = [mapping for mapping in self.mappings if mapping["EventSourceArn"] == source]
            return {"EventSourceMappings": mappings}
        arn = path.removeprefix(FUNCTIONS).removesuffix("/configuration")
        return {"FunctionArn": arn, "FunctionName": arn.split(":")[-1], **self.functions[arn]}


@contextmanager
def serving() -> Iterator[Lambda]:
    """Serve the fake API on a free port of 127.0.0.1."""
    api = Lambda()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(api.get(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Suppress the log line of each request."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
