"""RecordingClient, for the tests of a main application."""

import pytest

from ingest.testing import RecordingClient
from tests.factories import make_fields


def test_recording_client_records_and_sends_nothing() -> None:
    with RecordingClient() as client:
        log_id = client.enqueue(**make_fields(payload={1}))
        assert client.enqueue_many([make_fields(user_id=2), make_fields(user_id=3)]) == 2
        assert client.flush(1)
    assert [log["user_id"] for log in client.logs] == [12, 2, 3]
    assert client.logs[0]["id"] == log_id
    assert client.logs[0]["payload"] == [1]
    assert client.counts.sent == 3


def test_recording_client_is_strict_by_default() -> None:
    with pytest.raises(ValueError, match="type: must be a non-empty text"):
        RecordingClient().enqueue(**make_fields(type=""))
    lenient = RecordingClient(strict=False)
    lenient.enqueue(**make_fields(type=""))
    assert lenient.logs[0]["type"] == ""


def test_closed_recording_client_raises() -> None:
    client = RecordingClient()
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.enqueue(**make_fields())
