"""The client where SQS fails: bounded tries, and nothing that is not sent goes unsaid."""

import itertools
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from ingest.client import LogClient, NotSent
from ingest.sending import batches
from ingest.wire import sqs
from tests.conftest import free_port
from tests.factories import make_fields

URL = "http://127.0.0.1/123456789012/logs"


class FakeSqs:
    """Answers SendMessageBatch as `verdict` says of each entry's number in all: None, or a failure."""

    def __init__(self, verdict: Callable[[int], dict[str, Any] | None]) -> None:
        self.verdict = verdict
        self.seen = 0
        self.taken: list[str] = []
        self.calls: list[int] = []

    def close(self) -> None:
        """Let go, as boto3's client does."""

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        assert QueueUrl == URL
        assert 1 <= len(Entries) <= 10
        assert sum(len(entry["MessageBody"]) for entry in Entries) <= 1_048_576
        self.calls.append(len(Entries))
        answer: dict[str, Any] = {}
        for entry in Entries:
            failure = self.verdict(self.seen)
            self.seen += 1
            if failure is None:
                self.taken.append(entry["MessageBody"])
                answer.setdefault("Successful", []).append({"Id": entry["Id"]})
            else:
                answer.setdefault("Failed", []).append({"Id": entry["Id"], **failure})
        return answer


BUSY = {"SenderFault": False, "Code": "InternalError", "Message": "busy"}
FAULT = {"SenderFault": True, "Code": "InvalidMessageContents", "Message": "no"}


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collect the pauses instead of waiting."""
    made: list[float] = []
    monkeypatch.setattr("ingest.sending.batches.time.sleep", made.append)
    return made


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> Callable[..., FakeSqs]:
    """Return a function that puts a fake in SQS's place."""

    def make(verdict: Callable[[int], dict[str, Any] | None]) -> FakeSqs:
        made = FakeSqs(verdict)
        monkeypatch.setattr(sqs, "client", lambda **kwargs: made)
        return made

    return make


def logs(count: int) -> Iterator[dict[str, Any]]:
    return (make_fields(user_id=number) for number in range(count))


def test_failed_entries_alone_are_sent_again(fake: Callable[..., FakeSqs], pauses: list[float]) -> None:
    made = fake(lambda seen: BUSY if seen in (2, 5, 10) else None)

    assert LogClient(URL, sync=True).enqueue_many(logs(10)) == 10

    assert made.calls == [10, 2, 1]
    assert len(set(made.taken)) == 10
    assert len(pauses) == 2


def test_what_sqs_faults_is_not_sent_again_and_the_others_go(fake: Callable[..., FakeSqs]) -> None:
    made = fake(lambda seen: FAULT if seen in (3, 14) else None)

    with pytest.raises(NotSent, match="not sent: 2, sent: 18; InvalidMessageContents: no") as caught:
        LogClient(URL, sync=True).enqueue_many(logs(20))

    assert made.calls == [10, 10]
    assert [log["user_id"] for log in caught.value.logs] == [3, 14]
    assert caught.value.sent == 18


def test_an_entry_that_sqs_does_not_mention_is_not_lost(
    fake: Callable[..., FakeSqs], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: Iterator[dict[str, Any]] = iter([{}, {"Successful": [{"Id": "0"}]}])
    monkeypatch.setattr(fake(lambda seen: None), "send_message_batch", lambda **_: next(answers))

    LogClient(URL, sync=True).enqueue(**make_fields())

    assert next(answers, None) is None


def test_tries_are_bounded_and_longer_apart(fake: Callable[..., FakeSqs], pauses: list[float]) -> None:
    made = fake(lambda seen: BUSY)

    with pytest.raises(NotSent, match="InternalError: busy") as caught:
        LogClient(URL, sync=True).enqueue(**make_fields(payload="SECRET"))

    assert len(made.calls) == batches.MAX_ATTEMPTS
    assert pauses == sorted(pauses)
    assert sum(pauses) < 5
    assert caught.value.logs[0]["payload"] == "SECRET"
    assert "SECRET" not in str(caught.value)


def test_where_sqs_stops_to_answer_all_the_others_are_handed_back(fake: Callable[..., FakeSqs]) -> None:
    read: list[int] = []

    def source() -> Iterator[dict[str, Any]]:
        for log in logs(1000):
            read.append(log["user_id"])
            yield log

    made = fake(lambda seen: None if seen < 20 else BUSY)
    client = LogClient(URL, sync=True)
    with pytest.raises(NotSent) as caught:
        client.enqueue_many(source())
    assert (caught.value.sent, len(caught.value.logs)) == (20, 10)
    assert len(read) < 40

    made.verdict = lambda seen: None
    client.enqueue_many(itertools.chain(caught.value.logs, caught.value.rest))

    assert len(made.taken) == len(set(made.taken)) == 1000


def test_large_logs_are_split_by_size(fake: Callable[..., FakeSqs]) -> None:
    made = fake(lambda seen: None)

    LogClient(URL, sync=True).enqueue_many(make_fields(payload="x" * 300_000) for _ in range(7))

    assert made.calls == [3, 3, 1]


def test_a_closed_port_is_not_sent_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_an_error_of_the_whole_call_is_not_sent(fake: Callable[..., FakeSqs], error: Exception) -> None:
    def broken(seen: int) -> None:
        raise error

    fake(broken)

    with pytest.raises(NotSent) as caught:
        LogClient(URL, sync=True).enqueue_many(logs(3))
    assert len(caught.value.logs) == 3


def test_nothing_of_a_log_is_in_any_log_line(
    fake: Callable[..., FakeSqs], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake(lambda seen: FAULT)

    with pytest.raises(NotSent):
        LogClient(URL, sync=True).enqueue(**make_fields(payload="SECRET", type=["SECRET"], id="SECRET"))

    assert "SECRET" not in caplog.text


def test_what_was_not_read_yet_can_be_read_after_the_client_is_closed(fake: Callable[..., FakeSqs]) -> None:
    fake(lambda number: BUSY)
    with pytest.raises(NotSent) as caught, LogClient(URL, sync=True) as client:
        client.enqueue_many(logs(25))
    left = list(itertools.chain(caught.value.logs, caught.value.rest))
    assert [log["user_id"] for log in left] == list(range(25))


def test_an_iterable_that_raises_loses_nothing_that_it_gave_before(fake: Callable[..., FakeSqs]) -> None:
    def breaking() -> Iterator[dict[str, Any]]:
        yield from logs(15)
        raise ZeroDivisionError

    sqs_ = fake(lambda number: None)
    with pytest.raises(ZeroDivisionError):
        LogClient(URL, sync=True).enqueue_many(breaking())
    assert len(sqs_.taken) == 15

    fake(lambda number: FAULT if number == 0 else None)
    with pytest.raises(NotSent) as caught:
        LogClient(URL, sync=True).enqueue_many(breaking())
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert ([log["user_id"] for log in caught.value.logs], caught.value.sent) == ([0], 14)


def test_a_closed_client_sends_nothing(fake: Callable[..., FakeSqs]) -> None:
    fake(lambda number: None)
    client = LogClient(URL, sync=True)
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.enqueue(**make_fields())
    with pytest.raises(RuntimeError, match="closed"):
        client.enqueue_many(logs(1))
