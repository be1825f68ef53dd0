"""A client of the JSON API that authenticates with a token."""

import json
from typing import Any
from uuid import uuid4

from django.test import Client

from logsite.accounts import tokens

LOGS = "/api/logs"


def token_name() -> str:
    """Return a unique name of a token."""
    return f"test-{uuid4().hex}"


def program(token: str | None = None) -> Client:
    """Return a client that sends the token. The default is a new token."""
    token = token or tokens.create(token_name())
    return Client(headers={"authorization": f"Bearer {token}"})


def fetch(client: Client, address: str = LOGS, status: int = 200) -> Any:
    """Return the JSON of the response."""
    response = client.get(address)
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/json")
    return json.loads(response.content)


def problem(client: Client, address: str, status: int) -> Any:
    """Return the error of the response. Raise AssertionError if its body has another shape."""
    body = fetch(client, address, status)
    assert list(body) == ["error"]
    assert set(body["error"]) == {"code", "message", "fields"}
    assert body["error"]["message"]
    return body["error"]
