"""The sender thread: batches, a full buffer, the spool, outages, forks, and close."""

import json
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.client import LogClient
from ingest.sending import sender
from ingest.wire import sqs
from tests.factories import make_fields
from tests.queues import Queues
from tests.switched_sqs import SwitchedSqs
from tests.waiting import wait_until

pytest_plugins = ["tests.sqs_server"]

URL = "http://127.0.0.1/123456789012/logs"


@pytest.fixture(autouse=True)
def short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the backoff."""
    monkeypatch.setattr(sender, "FIRST_DELAY_SECONDS", 0.02)


@pytest.fixture
def client(switched: SwitchedSqs) -> Iterator[LogClient]:
    """Return a client that sends from a background thread."""
    with LogClient(URL) as log_client:
        yield log_client


def fill(client: LogClient, numbers: range) -> None:
    for number in numbers:
        client.enqueue(**make_fields(user_id=number))


def test_background_client_sends_all(queues: Queues) -> None:
    with LogClient(queues.url) as client:
        ids = [client.enqueue(**make_fields()) for _ in range(25)]
        assert client.flush(20)
        assert client.counts.sent == 25
    assert {json.loads(body)["id"] for body in queues.bodies()} == set(ids)


def test_full_batches_go_first_and_the_rest_after_a_second(client: LogClient, switched: SwitchedSqs) -> None:
    fill(client, range(24))
    wait_until(lambda: len(switched.users) == 24)
    assert switched.users == [*range(24)]
    assert [len(batch) for batch in switched.batches] == [10, 10, 4]


def test_batch_has_at_most_1_mib(client: LogClient, switched: SwitchedSqs) -> None:
    for number in range(7):
        client.enqueue(**make_fields(user_id=number, payload="x" * 300_000))
    assert client.flush(20)
    assert max(sum(map(len, batch)) for batch in switched.batches) <= 1_048_576
    assert switched.users == [*range(7)]


def test_enqueue_copies_the_fields(client: LogClient, switched: SwitchedSqs) -> None:
    payload = {"list": [1], "inner": {"a": 1}}
    client.enqueue(**make_fields(payload=payload))
    payload["inner"] = {"a": 2}
    payload["list"] = []
    assert client.flush(20)
    [[body]] = switched.batches
    assert json.loads(body)["payload"] == {"list": [1], "inner": {"a": 1}}


def test_enqueue_never_waits_for_sqs(switched: SwitchedSqs) -> None:
    with LogClient(URL) as client, switched.lock:  # SQS does not respond meanwhile
        fill(client, range(100))
    assert sorted(switched.users) == [*range(100)]


def test_sqs_outage_loses_nothing(
    client: LogClient, switched: SwitchedSqs, caplog: pytest.LogCaptureFixture
) -> None:
    switched.on.clear()
    fill(client, range(30))
    wait_until(lambda: switched.tries > 2)
    assert client.flush(0.05) is False
    switched.on.set()
    assert client.flush(20)
    assert switched.users == [*range(30)]
    assert len([record for record in caplog.records if "retrying" in record.message]) == 1


def test_failed_half_of_a_batch_is_retried(
    client: LogClient, switched: SwitchedSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = switched.send_message_batch
    busy = {"SenderFault": False, "Code": "InternalError", "Message": "busy"}

    def half(QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        some = Entries[: (len(Entries) + 1) // 2]
        failed = [{"Id": entry["Id"], **busy} for entry in Entries[len(some) :]]
        return {**send(QueueUrl, some), "Failed": failed}

    monkeypatch.setattr(switched, "send_message_batch", half)
    fill(client, range(40))
    assert client.flush(20)
    assert sorted(switched.users) == [*range(40)]
    assert client.counts.sent == 40


def test_full_buffer_drops_counts_and_warns_once(
    switched: SwitchedSqs, caplog: pytest.LogCaptureFixture
) -> None:
    switched.on.clear()
    with LogClient(URL, max_logs=20) as client:
        fill(client, range(20))
        wait_until(lambda: switched.tries)  # a batch of ten is in flight
        fill(client, range(20, 45))
        assert client.counts.dropped == 15
        switched.on.set()
    assert switched.users == [*range(30)]
    assert len([record for record in caplog.records if "logs dropped" in record.message]) == 1


def test_full_buffer_in_bytes_drops(switched: SwitchedSqs) -> None:
    switched.on.clear()
    with LogClient(URL, max_bytes=100_000) as client:
        client.enqueue(**make_fields(payload="x" * 200_000))
        assert client.counts.dropped == 1


def test_full_buffer_blocks_until_there_is_space(switched: SwitchedSqs) -> None:
    switched.on.clear()
    with LogClient(URL, max_logs=10, on_full="block", block_seconds=20) as client:
        threading.Timer(0.3, switched.on.set).start()
        fill(client, range(60))
        assert client.counts.dropped == 0
    assert switched.users == [*range(60)]


def test_blocking_ends_after_block_seconds(switched: SwitchedSqs) -> None:
    switched.on.clear()
    client = LogClient(URL, max_logs=1, on_full="block", block_seconds=0.05)
    fill(client, range(1))
    wait_until(lambda: switched.tries)
    fill(client, range(1, 3))
    assert client.counts.dropped == 1
    client.close(0)


def test_full_buffer_spools_and_sends_later(switched: SwitchedSqs, tmp_path: Path) -> None:
    switched.on.clear()
    with LogClient(URL, max_logs=10, spool_dir=tmp_path / "spool") as client:
        fill(client, range(100))
        assert client.counts.dropped == 0
        switched.on.set()
        assert client.flush(20)
        assert list((tmp_path / "spool").iterdir()) == []
    assert sorted(switched.users) == [*range(100)]


def test_unsent_logs_at_close_are_sent_after_a_restart(switched: SwitchedSqs, tmp_path: Path) -> None:
    switched.on.clear()
    client = LogClient(URL, spool_dir=tmp_path)
    fill(client, range(30))
    client.close(0.1)
    assert switched.users == []
    switched.on.set()
    with LogClient(URL, spool_dir=tmp_path):
        wait_until(lambda: set(switched.users) == {*range(30)})
        wait_until(lambda: not list(tmp_path.iterdir()))


def test_close_without_a_spool_logs_how_many_are_lost(
    switched: SwitchedSqs, caplog: pytest.LogCaptureFixture
) -> None:
    switched.on.clear()
    client = LogClient(URL)
    fill(client, range(12))
    client.close(0.1)
    assert "12 logs were not sent before the client closed, and are lost" in caplog.text
    assert client.counts.dropped == 12


def test_durable_log_is_on_disk_before_enqueue_returns(switched: SwitchedSqs, tmp_path: Path) -> None:
    switched.on.clear()
    client = LogClient(URL, spool_dir=tmp_path, durable=True)
    for number in range(20):
        client.enqueue(**make_fields(user_id=number))
        bodies = [json.loads(line) for path in tmp_path.iterdir() for line in path.read_text().splitlines()]
        assert sorted(body["user_id"] for body in bodies) == [*range(number + 1)]
    switched.on.set()
    assert client.flush(20)
    assert switched.users == [*range(20)]
    client.close()


def test_spool_limit_drops_and_warns(
    switched: SwitchedSqs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    switched.on.clear()
    client = LogClient(URL, spool_dir=tmp_path, max_logs=10, max_spool_bytes=2000)
    fill(client, range(10))
    wait_until(lambda: switched.tries)
    fill(client, range(10, 60))
    assert client.counts.dropped > 0
    assert "a log could not be spooled: the spool has reached its limit of 2,000 bytes" in caplog.text
    client.close(0)


def test_unwritable_spool_never_raises(
    switched: SwitchedSqs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(handle: int, line: bytes) -> int:
        raise OSError(28, "No space left on device")

    switched.on.clear()
    client = LogClient(URL, spool_dir=tmp_path, durable=True)
    monkeypatch.setattr(os, "write", full)
    fill(client, range(3))  # stay in memory
    monkeypatch.undo()
    assert "No space left on device" in caplog.text
    client.close(0)


def test_orphaned_spool_files_are_adopted(switched: SwitchedSqs, tmp_path: Path) -> None:
    bodies = [json.dumps(make_fields(user_id=number)) for number in range(3)]
    text = "".join(f"{body}\n" for body in bodies) + '{"half a li'
    (tmp_path / "00000000000000000001-aa.logsite").write_text(text)
    (tmp_path / "someone-elses.txt").write_text("not a spool file")
    with LogClient(URL, spool_dir=tmp_path):
        wait_until(lambda: switched.users == [0, 1, 2])
        wait_until(lambda: not list(tmp_path.glob("*.logsite")))
    assert (tmp_path / "someone-elses.txt").exists()
    assert (tmp_path / "00000000000000000001-aa.logsite.rejected").read_text() == '{"half a li'


def test_forked_child_sends_only_its_own_logs(queues: Queues) -> None:
    client = LogClient(queues.url)
    client.enqueue(**make_fields(user_id=1))
    child = os.fork()
    if child == 0:  # as in workers of gunicorn and Celery, no exit handler runs
        client.enqueue(**make_fields(user_id=2))
        os._exit(0 if client.flush(20) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert client.flush(20)
    client.close()
    assert sorted(json.loads(body)["user_id"] for body in queues.bodies()) == [1, 2]


def test_forked_child_of_a_sync_client_opens_connections(queues: Queues) -> None:
    client = LogClient(queues.url, sync=True)
    client.enqueue(**make_fields())
    parent_client = client._clients.get()
    child = os.fork()
    if child == 0:
        os._exit(0 if client._clients.get() is not parent_client else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert client._clients.get() is parent_client


def test_many_threads_lose_nothing(client: LogClient, switched: SwitchedSqs) -> None:
    threads = [
        threading.Thread(target=fill, args=(client, range(first, first + 200)))
        for first in range(0, 1600, 200)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.flush(20)
    assert sorted(switched.users) == [*range(1600)]


def test_refused_log_is_counted_and_the_others_are_sent(
    client: LogClient,
    switched: SwitchedSqs,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def choosy(QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        fault = {"SenderFault": True, "Code": "InvalidMessageContents", "Message": "no"}
        good = [entry for entry in Entries if json.loads(entry["MessageBody"])["user_id"] != 3]
        switched.batches.append([entry["MessageBody"] for entry in good])
        return {
            "Successful": [{"Id": entry["Id"]} for entry in good],
            "Failed": [{"Id": entry["Id"], **fault} for entry in Entries if entry not in good],
        }

    monkeypatch.setattr(switched, "send_message_batch", choosy)
    fill(client, range(10))
    assert client.flush(20)
    assert client.counts.refused == 1
    assert client.counts.sent == 9
    assert "SQS refused 1 logs, which are lost: InvalidMessageContents" in caplog.text


def test_failure_to_create_the_client_is_retried(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    switched = SwitchedSqs()
    results: list[Any] = [RuntimeError("no credentials"), switched]

    def make(**kwargs: Any) -> SwitchedSqs:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        assert isinstance(result, SwitchedSqs)
        return result

    monkeypatch.setattr(sqs, "client", make)
    monkeypatch.setattr(sender, "MAX_DELAY_SECONDS", 0.02)
    with LogClient(URL) as client:
        fill(client, range(3))
        assert client.flush(20)
    assert switched.users == [0, 1, 2]
    assert "logs could not be sent, retrying" in caplog.text


def test_log_handler_that_enqueues_does_not_deadlock(
    switched: SwitchedSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    switched.on.clear()
    client = LogClient(URL, max_logs=1)

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            client.enqueue(**make_fields(payload=record.getMessage()))

    handler = Handler()
    logging.getLogger().addHandler(handler)
    try:
        fill(client, range(50))
    finally:
        logging.getLogger().removeHandler(handler)
        client.close(0)
    assert client.counts.dropped >= 48


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"on_full": "explode"}, "on_full must be one of drop, block, spool, not 'explode'"),
        ({"durable": True}, "need a spool_dir"),
        ({"on_full": "spool"}, "need a spool_dir"),
        ({"sync": True, "spool_dir": "x"}, "neither spool_dir nor durable"),
        ({"max_logs": 0}, "max_logs must be more than 0, not 0"),
        ({"block_seconds": -1}, "block_seconds must be more than 0, not -1"),
    ],
)
def test_contradictory_options_raise(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        LogClient(URL, **options)


def test_enqueue_after_close_raises(switched: SwitchedSqs) -> None:
    client = LogClient(URL)
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.enqueue(**make_fields())
