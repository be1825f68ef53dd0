"""The synchronous client when SQS fails: bounded retries, and every unsent log is reported."""

import itertools
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from ingest.client import LogClient, NotSent
from ingest.sending import batches
from ingest.wire import sqs
from logsite.local.ports import free_port
from tests.factories import make_fields

URL = "http://127.0.0.1/123456789012/logs"


class FakeSqs:
    """A fake SQS. `verdict` returns a failure, or None, for the number of each entry sent so far."""

    def __init__(self, verdict: Callable[[int], dict[str, Any] | None]) -> None:
        self.verdict = verdict
        self.entries = 0
        self.accepted: list[str] = []
        self.calls: list[int] = []

    def close(self) -> None:
        """Do nothing, as there are no connections."""

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        assert QueueUrl == URL
        assert 1 <= len(Entries) <= 10
        assert sum(len(entry["MessageBody"]) for entry in Entries) <= 1_048_576
        self.calls.append(len(Entries))
        response: dict[str, Any] = {}
        for entry in Entries:
            failure = self.verdict(self.entries)
            self.entries += 1
            if failure is None:
                self.accepted.append(entry["MessageBody"])
                response.setdefault("Successful", []).append({"Id": entry["Id"]})
            else:
                response.setdefault("Failed", []).append({"Id": entry["Id"], **failure})
        return response


BUSY = {"SenderFault": False, "Code": "InternalError", "Message": "busy"}
FAULT = {"SenderFault": True, "Code": "InvalidMessageContents", "Message": "no"}


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collect the delays instead of waiting."""
    seconds: list[float] = []
    monkeypatch.setattr("ingest.sending.batches.time.sleep", seconds.append)
    return seconds


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, delays: list[float]) -> Callable[..., FakeSqs]:
    """Return a function that replaces SQS by a fake."""

    def make(verdict: Callable[[int], dict[str, Any] | None]) -> FakeSqs:
        client = FakeSqs(verdict)
        monkeypatch.setattr(sqs, "client", lambda **kwargs: client)
        return client

    return make


def logs(count: int) -> Iterator[dict[str, Any]]:
    return (make_fields(user_id=number) for number in range(count))


def test_only_failed_entries_are_retried(fake: Callable[..., FakeSqs], delays: list[float]) -> None:
    fake_sqs = fake(lambda number: BUSY if number in (2, 5, 10) else None)

    assert LogClient(URL, sync=True).enqueue_many(logs(10)) == 10

    assert fake_sqs.calls == [10, 2, 1]
    assert len(set(fake_sqs.accepted)) == 10
    assert len(delays) == 2


def test_sender_fault_is_not_retried_and_the_others_are_sent(fake: Callable[..., FakeSqs]) -> None:
    fake_sqs = fake(lambda number: FAULT if number in (3, 14) else None)

    with pytest.raises(NotSent, match="not sent: 2, sent: 18; InvalidMessageContents: no") as caught:
        LogClient(URL, sync=True).enqueue_many(logs(20))

    assert fake_sqs.calls == [10, 10]
    assert [log["user_id"] for log in caught.value.logs] == [3, 14]
    assert caught.value.sent == 18


def test_entry_missing_in_the_response_is_retried(
    fake: Callable[..., FakeSqs], monkeypatch: pytest.MonkeyPatch
) -> None:
    responses: Iterator[dict[str, Any]] = iter([{}, {"Successful": [{"Id": "0"}]}])
    monkeypatch.setattr(fake(lambda number: None), "send_message_batch", lambda **_: next(responses))

    LogClient(URL, sync=True).enqueue(**make_fields())

    assert next(responses, None) is None


def test_retries_are_bounded_and_back_off(fake: Callable[..., FakeSqs], delays: list[float]) -> None:
    fake_sqs = fake(lambda number: BUSY)

    with pytest.raises(NotSent, match="InternalError: busy") as caught:
        LogClient(URL, sync=True).enqueue(**make_fields(payload="SECRET"))

    assert len(fake_sqs.calls) == batches.MAX_ATTEMPTS
    assert delays == sorted(delays)
    assert sum(delays) < 5
    assert caught.value.logs[0]["payload"] == "SECRET"
    assert "SECRET" not in str(caught.value)


def test_not_sent_returns_the_rest_for_a_retry(fake: Callable[..., FakeSqs]) -> None:
    read: list[int] = []

    def source() -> Iterator[dict[str, Any]]:
        for log in logs(1000):
            read.append(log["user_id"])
            yield log

    fake_sqs = fake(lambda number: None if number < 20 else BUSY)
    client = LogClient(URL, sync=True)
    with pytest.raises(NotSent) as caught:
        client.enqueue_many(source())
    assert (caught.value.sent, len(caught.value.logs)) == (20, 10)
    assert len(read) < 40

    fake_sqs.verdict = lambda number: None
    client.enqueue_many(itertools.chain(caught.value.logs, caught.value.rest))

    assert len(fake_sqs.accepted) == len(set(fake_sqs.accepted)) == 1000


def test_large_logs_are_split_by_size(fake: Callable[..., FakeSqs]) -> None:
    fake_sqs = fake(lambda number: None)

    LogClient(URL, sync=True).enqueue_many(make_fields(payload="x" * 300_000) for _ in range(7))

    assert fake_sqs.calls == [3, 3, 1]


def test_closed_port_raises_not_sent_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{free_port()}")

    with pytest.raises(NotSent, match="Could not connect") as caught:
        LogClient(URL, sync=True).enqueue(**make_fields(account_id=8))

    assert caught.value.logs[0]["account_id"] == 8
    assert caught.value.logs[0]["id"]


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://127.0.0.1"),
        ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "SendMessageBatch"),
    ],
)
def test_error_of_the_whole_call_raises_not_sent(fake: Callable[..., FakeSqs], error: Exception) -> None:
    def broken(number: int) -> None:
        raise error

    fake(broken)

    with pytest.raises(NotSent) as caught:
        LogClient(URL, sync=True).enqueue_many(logs(3))
    assert len(caught.value.logs) == 3


def test_log_lines_contain_no_value_of_a_log(
    fake: Callable[..., FakeSqs], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake(lambda number: FAULT)

    with pytest.raises(NotSent):
        LogClient(URL, sync=True).enqueue(**make_fields(payload="SECRET", type=["SECRET"], id="SECRET"))

    assert "SECRET" not in caplog.text


def test_rest_is_readable_after_close(fake: Callable[..., FakeSqs]) -> None:
    fake(lambda number: BUSY)
    with pytest.raises(NotSent) as caught, LogClient(URL, sync=True) as client:
        client.enqueue_many(logs(25))
    logs_again = list(itertools.chain(caught.value.logs, caught.value.rest))
    assert [log["user_id"] for log in logs_again] == list(range(25))


def test_failing_iterable_loses_no_earlier_log(fake: Callable[..., FakeSqs]) -> None:
    def breaking() -> Iterator[dict[str, Any]]:
        yield from logs(15)
        raise ZeroDivisionError

    fake_sqs = fake(lambda number: None)
    with pytest.raises(ZeroDivisionError):
        LogClient(URL, sync=True).enqueue_many(breaking())
    assert len(fake_sqs.accepted) == 15

    fake(lambda number: FAULT if number == 0 else None)
    with pytest.raises(NotSent) as caught:
        LogClient(URL, sync=True).enqueue_many(breaking())
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert ([log["user_id"] for log in caught.value.logs], caught.value.sent) == ([0], 14)


def test_closed_client_raises(fake: Callable[..., FakeSqs]) -> None:
    fake(lambda number: None)
    client = LogClient(URL, sync=True)
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.enqueue(**make_fields())
    with pytest.raises(RuntimeError, match="closed"):
        client.enqueue_many(logs(1))
