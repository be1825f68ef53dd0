"""`dead-letters` with a thousand dead letters: the number of requests, and entries that fail."""

from collections.abc import Callable

import pytest

from ingest import __main__ as ingest_commands
from ingest.sending import batches
from tests.factories import make_body
from tests.memory_sqs import DEAD_LETTER_QUEUE_URL, QUEUE_URL, MemorySqs

pytest_plugins = ["tests.sqs_server"]

THROTTLED = "RequestThrottled"


def fill(memory_sqs: MemorySqs, count: int) -> list[str]:
    """Add valid dead letters. Return their message ids."""
    return [memory_sqs.put(DEAD_LETTER_QUEUE_URL, make_body(url=f"/{number}")) for number in range(count)]


def first_time(request: str, code: str) -> Callable[[str, dict[str, str]], str | None]:
    """Return a function that fails each entry of a request once."""
    ids: set[str] = set()

    def fail(name: str, entry: dict[str, str]) -> str | None:
        key = entry.get("MessageBody") or entry["ReceiptHandle"]
        if name != request or key in ids:
            return None
        ids.add(key)
        return code

    return fail


def test_replay_of_many_ids_sends_in_batches(memory_sqs: MemorySqs) -> None:
    ids = fill(memory_sqs, 1000)

    assert ingest_commands.main(["dead-letters", "replay", *ids]) == 0

    assert len(memory_sqs.visible(QUEUE_URL)) == 1000
    assert memory_sqs.visible(DEAD_LETTER_QUEUE_URL) == []
    assert memory_sqs.requests.total() <= 310


def test_replay_all_sends_in_batches(memory_sqs: MemorySqs) -> None:
    fill(memory_sqs, 200)

    assert ingest_commands.main(["dead-letters", "replay", "--all", "--rate", "1000"]) == 0

    assert len(memory_sqs.visible(QUEUE_URL)) == 200
    assert memory_sqs.requests.total() <= 70


@pytest.mark.parametrize("request_name", ["send_message_batch", "delete_message_batch"])
@pytest.mark.parametrize("selection", ["ids", "all"])
def test_throttled_entries_are_retried(memory_sqs: MemorySqs, request_name: str, selection: str) -> None:
    ids = fill(memory_sqs, 20)
    memory_sqs.fail = first_time(request_name, THROTTLED)

    arguments = ids if selection == "ids" else ["--all", "--rate", "1000"]
    assert ingest_commands.main(["dead-letters", "replay", *arguments]) == 0

    assert len(memory_sqs.visible(QUEUE_URL)) == 20
    assert memory_sqs.queues[DEAD_LETTER_QUEUE_URL] == {}


def test_throttled_replay_counts_what_was_sent(
    memory_sqs: MemorySqs, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(memory_sqs, 10)
    memory_sqs.fail = lambda name, entry: THROTTLED if '"/7"' in entry.get("MessageBody", "") else None

    assert ingest_commands.main(["dead-letters", "replay", "--all"]) == 1

    output = capsys.readouterr()
    assert output.out == "Replayed: 9\n"
    assert f"SQS does not accept messages at the moment: {THROTTLED}" in output.err
    assert memory_sqs.requests["send_message_batch"] == batches.MAX_ATTEMPTS
    assert len(memory_sqs.visible(DEAD_LETTER_QUEUE_URL)) == 1


def test_refused_message_stays_in_the_queue(
    memory_sqs: MemorySqs, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = fill(memory_sqs, 3)
    code = "InvalidMessageContents"
    memory_sqs.fail = lambda name, entry: code if '"/1"' in entry.get("MessageBody", "") else None

    assert ingest_commands.main(["dead-letters", "replay", *ids]) == 1

    assert f"{ids[1]}: SQS refused it: {code}" in capsys.readouterr().err
    assert [each.id for each in memory_sqs.visible(DEAD_LETTER_QUEUE_URL)] == [ids[1]]


def test_failed_deletion_names_the_dead_letters(
    memory_sqs: MemorySqs, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = fill(memory_sqs, 2)
    memory_sqs.fail = lambda name, entry: "InternalError" if entry.get("ReceiptHandle") == ids[1] else None

    assert ingest_commands.main(["dead-letters", "replay", *ids]) == 1

    assert f"Repeat the command for them: {ids[1]}." in capsys.readouterr().err
