"""Fixtures and helpers of the suites that capture."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

import ingest.django
from ingest.testing import RecordingClient

PASSWORD = "a long and quiet sentence"
Log = dict[str, Any]


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Log]]:
    """Return the logs that the project sends. No hash and no secret may be in them."""
    client = RecordingClient()
    monkeypatch.setattr(ingest.django, "client", lambda: client)
    yield client.logs
    text = str(client.logs)
    assert not [secret for secret in ("a-secret-token", PASSWORD, "md5$", "last_login") if secret in text]


def make_user(logs: list[Log], name: str = "ann") -> Client:
    """Create a user. Return a client that is signed in, and forget the logs so far."""
    user = User.objects.create_user(name, password=PASSWORD)
    client = Client(headers={"X-Request-ID": f"of-{name}"}, REMOTE_ADDR="203.0.113.7")
    client.force_login(user)  # type: ignore[arg-type]  # mypy uses the site's settings, not the host's
    logs.clear()
    return client


def user_id() -> int:
    """Return the id of the user."""
    return int(User.objects.get(username="ann").pk)


def of_type(logs: list[Log], *types: str) -> list[Log]:
    """Return the logs of these types."""
    return [log for log in logs if log["type"] in types]


def subset(log: Log, *names: str) -> Log:
    """Return some fields of a log, None for missing ones."""
    return {name: log.get(name) for name in names}
