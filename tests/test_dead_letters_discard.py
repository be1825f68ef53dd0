"""`dead-letters discard`: a dead letter is archived as a log before it is deleted."""

import getpass
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pytest

from ingest.cli.dlq.dead_letter import DeadLetter
from ingest.cli.dlq.queue import DeadLetterQueue
from ingest.cli.dlq.redrive import discard
from ingest.client import LogClient
from logs.models import LogItem
from logs.storage import documents, parts
from logsite.local.ports import free_port
from tests.dead_letters import DeadLetters
from tests.factories import LOG_ID, make_body
from tests.items import logs
from tests.noise import noise

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")


def archived_log(dlq: DeadLetters) -> tuple[LogItem, dict[str, Any]]:
    """Let the writer store the log of the only discarded dead letter. Return its item and payload."""
    dlq.run_writer()
    [item] = logs()
    parts.join(item)
    payload: dict[str, Any] = json.loads(documents.content(item).payload_text or "")
    return item, payload


def test_discard_archives_it_as_a_log_of_the_site(dlq: DeadLetters) -> None:
    dead_letter = dlq.reject(make_body(type="", url="/ü"))

    run = dlq.run("discard", dead_letter["message_id"], "--reason", " a test's ")

    assert run.status == 0
    assert run.out == f"Discarded {dead_letter['message_id']}: archived as a log of account _logsite\n"
    assert dlq.list_json() == []
    item, payload = archived_log(dlq)
    assert (item.account_id, item.type, item.sub_type) == ("_logsite", "logsite", "dead-letter-discarded")
    assert item.user_id == getpass.getuser()
    assert item.sender
    assert payload == {
        "reason": "a test's",
        "error": "invalid_fields: type: must be a non-empty text",
        "log_id": dead_letter["log_id"],
        "sent_at": dead_letter["sent_at"],
        "message_id": dead_letter["message_id"],
        "sender": None,
        "body": dead_letter["body"],
    }


def test_archive_names_the_sender_if_sqs_moved_it(dlq: DeadLetters) -> None:
    first = dlq.exhaust(make_body())

    dlq.run("discard", first["MessageId"], "--reason", "old")

    assert archived_log(dlq)[1]["sender"]


def test_discard_archives_before_it_deletes(dlq: DeadLetters) -> None:
    dead_letter = dlq.reject("invalid")

    class InterruptedQueue(DeadLetterQueue):
        def delete(self, dead_letters: Sequence[DeadLetter]) -> None:
            raise KeyboardInterrupt

    queues = dlq.queues
    with (
        InterruptedQueue(queues.client, queues.dead_letter_url) as queue,
        LogClient(queues.url, sync=True) as client,
    ):
        [match] = queue.find([dead_letter["log_id"]])
        with pytest.raises(KeyboardInterrupt):
            discard(queue, client, match, "x")

    assert queues.count() == 1
    assert dlq.list_json() == [dead_letter]


def test_failed_archive_deletes_nothing(dlq: DeadLetters) -> None:
    dead_letter = dlq.reject("invalid")
    unreachable = f"http://127.0.0.1:{free_port()}/000000000000/none"

    run = dlq.run("discard", dead_letter["message_id"], "--reason", "x", "--queue-url", unreachable)

    assert run.status == 1
    assert "not sent" in run.err
    assert dlq.list_json() == [dead_letter]


def test_compressible_body_of_1_mib_is_archived_whole(dlq: DeadLetters) -> None:
    body = '"' * 1_048_576  # twice as much in JSON
    first = dlq.exhaust(body)

    dlq.run("discard", first["MessageId"], "--reason", "x")

    assert archived_log(dlq)[1]["body"] == body


def test_oversize_body_is_truncated_with_size_and_hash(dlq: DeadLetters) -> None:
    body = noise(1_048_576)
    first = dlq.exhaust(body)

    run = dlq.run("discard", first["MessageId"], "--reason", "x")

    payload = archived_log(dlq)[1]
    assert run.out.endswith(", with a truncated body\n")
    assert payload["body"] == body[:524_288]
    assert payload["body_bytes"] == 1_048_576
    assert payload["body_sha256"] == hashlib.sha256(body.encode()).hexdigest()


@pytest.mark.parametrize("arguments", [[], ["--reason", " "]])
def test_discard_requires_a_reason(dlq: DeadLetters, arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        dlq.run("discard", "ffffffff", *arguments)


def archived_reasons(dlq: DeadLetters) -> dict[str, str]:
    """Let the writer store the archived logs. Return their reasons by the ids of the discarded logs."""
    dlq.run_writer()
    reasons: dict[str, str] = {}
    for item in logs():
        parts.join(item)
        payload = json.loads(documents.content(item).payload_text or "")
        reasons[payload["log_id"]] = payload["reason"]
    return reasons


def test_discard_takes_several_ids(dlq: DeadLetters) -> None:
    first, second, third = (dlq.reject(f"invalid {number}") for number in range(3))

    run = dlq.run("discard", first["log_id"], third["message_id"], "--reason", "a test's")

    assert run.status == 0
    assert run.out.count("Discarded ") == 2
    assert dlq.list_json() == [second]
    assert archived_reasons(dlq) == dict.fromkeys((first["log_id"], third["log_id"]), "a test's")


def test_discard_all_includes_duplicates(dlq: DeadLetters) -> None:
    duplicate = make_body(id=LOG_ID)
    for body in (duplicate, duplicate, make_body(url="/other"), noise(1_048_576)):
        dlq.exhaust(body)

    run = dlq.run("discard", "--all", "--reason", "x", "--rate", "1000")

    assert (run.status, run.out) == (0, "Discarded: 4\n")
    assert "Truncated bodies, too large for a log: 1\n" in run.err
    assert dlq.list_json() == []
    dlq.run_writer()
    assert len(logs()) == 4


def test_code_selects_by_reason(dlq: DeadLetters) -> None:
    invalid = [dlq.reject(make_body(type="", url=f"/{number}")) for number in range(12)]
    other = dlq.reject("not JSON")
    dlq.exhaust(make_body())

    run = dlq.run("discard", "--all", "--code", "invalid_fields", "--reason", "x", "--seconds", "600")

    assert (run.status, run.out) == (0, "Discarded: 12\n")
    assert "Left in the queue, with another reason: 2\n" in run.err
    assert "visible again" not in run.err
    assert archived_reasons(dlq) == {each["log_id"]: "x" for each in invalid}

    assert dlq.run("list", "--code", "not_json").out.splitlines()[1].startswith(other["message_id"][:8])
    assert dlq.run("replay", "--all", "--code", "valid").out == "Replayed: 1\n"
    assert [each["code"] for each in dlq.list_json()] == ["not_json"]


def test_discard_all_warns_about_messages_seen_again(
    dlq: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.cli.dlq.queue.MARGIN_SECONDS", 0)
    dlq.reject("not JSON")
    for number in range(3):
        dlq.exhaust(make_body(url=f"/{number}"))

    run = dlq.run("discard", "--all", "--code", "valid", "--reason", "x", "--rate", "1", "--seconds", "1")

    assert run.out == "Discarded: 3\n"
    assert "Some dead letters became visible again meanwhile" in run.err


def test_discard_all_stops_at_a_failed_archive(dlq: DeadLetters) -> None:
    message_ids = [dlq.reject(f"invalid {number}")["message_id"] for number in range(3)]
    unreachable = f"http://127.0.0.1:{free_port()}/000000000000/none"

    run = dlq.run("discard", "--all", "--reason", "x", "--queue-url", unreachable)

    assert (run.status, run.out) == (1, "Discarded: 0\n")
    assert "not sent" in run.err
    assert {each["message_id"] for each in dlq.list_json()} == set(message_ids)
