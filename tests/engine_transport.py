"""Plain connections to the engine. botocore's signatures and HTTP would take a third of the suite's time.

Clients with another endpoint, child processes and deployed functions use botocore's.
"""

import os
import socket
from typing import Any
from urllib.parse import urlsplit

from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse

# The engine requires a signature, and does not check it.
AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=key/20260101/region/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
)
END_OF_HEADERS = b"\r\n\r\n"


class EngineTransport:
    """Sends requests of DynamoDB clients to one endpoint, over connections that stay open."""

    def __init__(self, endpoint: str) -> None:
        address = urlsplit(endpoint)
        self._address = address.hostname, address.port
        self._host = address.netloc
        self._process = os.getpid()
        self._idle: list[socket.socket] = []

    def register(self, client: Any) -> None:
        """Let a client use this transport.

        https://docs.aws.amazon.com/boto3/latest/guide/events.html
        """
        client.meta.events.register("choose-signer.dynamodb", self._choose_signer)
        client.meta.events.register("before-send.dynamodb", self._send)

    def close(self) -> None:
        """Close the connections."""
        while self._idle:
            self._idle.pop().close()

    def _choose_signer(self, **_: object) -> object:
        return UNSIGNED

    def _send(self, request: Any, **_: object) -> AWSResponse | None:
        """Return the response, or None if the request is to another endpoint or from a forked process."""
        if urlsplit(request.url).netloc != self._host or os.getpid() != self._process:
            return None
        body = request.body.encode() if isinstance(request.body, str) else bytes(request.body)
        lines = [
            "POST / HTTP/1.1",
            f"Host: {self._host}",
            f"Authorization: {AUTHORIZATION}",
            "X-Amz-Date: 20260101T000000Z",
            f"Content-Length: {len(body)}",
            f"Content-Type: {_text(request.headers['Content-Type'])}",
            f"X-Amz-Target: {_text(request.headers['X-Amz-Target'])}",
            "\r\n",
        ]
        connection = self._idle.pop() if self._idle else socket.create_connection(self._address)
        try:
            connection.sendall("\r\n".join(lines).encode() + body)
            response = _read(connection, request.url)
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return response


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _read(connection: socket.socket, url: str) -> AWSResponse:
    received = bytearray()
    while (end := received.find(END_OF_HEADERS)) < 0:
        received += _receive(connection)
    status, *lines = received[:end].decode("latin-1").split("\r\n")
    headers: Any = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    response = AWSResponse(url, int(status.split()[1]), headers, None)
    length = int(response.headers["Content-Length"])
    body = received[end + len(END_OF_HEADERS) :]
    while len(body) < length:
        body += _receive(connection)
    response._content = bytes(body)  # type: ignore[attr-defined]  # what `raw` would be read into
    return response


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(2**18)
    if not data:
        raise ConnectionError("the engine closed the connection")
    return data
