"""`dead-letters replay`: a redriven message has its first identity and is stored once."""

import json
import uuid
from argparse import Namespace
from collections.abc import Sequence
from io import StringIO
from typing import Any

import pytest

from ingest.cli.dlq import actions, redrive
from ingest.cli.dlq.dead_letter import DeadLetter
from ingest.cli.dlq.queue import DeadLetterQueue, normalize_id
from ingest.messages import ID_NAMESPACE
from logs import times
from logs.models import LogItem
from tests.dead_letters import DeadLetters
from tests.factories import LOG_ID, make_body
from tests.items import logs
from tests.noise import noise
from tests.queues import attribute_texts

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")


def make_dead_letter(body: str, **attributes: Any) -> DeadLetter:
    return DeadLetter.from_message(
        {
            "MessageId": str(uuid.UUID(LOG_ID)),
            "ReceiptHandle": "receipt",
            "Body": body,
            "Attributes": {"SentTimestamp": "1764000000123", "SenderId": "AIDA"},
            "MessageAttributes": attributes,
        }
    )


def test_replay_moves_it_with_its_first_identity(dlq: DeadLetters) -> None:
    dead_letter = dlq.reject(make_body(type=""), trace="abc")

    run = dlq.run("replay", dead_letter["message_id"])

    assert (run.status, run.out) == (0, f"Replayed: log {dead_letter['log_id']}\n")
    [message] = dlq.queues.messages()
    assert message["Body"] == dead_letter["body"]
    assert attribute_texts(message) == {
        "log-id": dead_letter["log_id"],
        "log-sent-at": dead_letter["sent_at"],
        "trace": "abc",
    }
    assert dlq.list_json() == []


def test_replay_of_a_moved_message_stores_its_first_id(dlq: DeadLetters) -> None:
    first = dlq.exhaust(make_body())

    dlq.run("replay", first["MessageId"])
    dlq.run_writer()

    [item] = logs()
    assert item.id == uuid.uuid5(ID_NAMESPACE, first["MessageId"]).hex
    assert item.created_at.timestamp() * 1000 == int(first["SentTimestamp"])
    assert item.received_at >= item.created_at


def test_replay_of_an_invalid_message_is_rejected_again(dlq: DeadLetters) -> None:
    first = dlq.reject("still invalid")

    for _ in range(2):
        dlq.run("replay", first["log_id"])
        dlq.run_writer()

    [again] = dlq.list_json()
    assert again["message_id"] != first["message_id"]
    assert {name: again[name] for name in ("log_id", "sent_at", "code", "body")} == {
        name: first[name] for name in ("log_id", "sent_at", "code", "body")
    }


def test_interrupted_replay_stores_the_log_once(dlq: DeadLetters) -> None:
    first = dlq.exhaust(make_body())

    class InterruptedQueue(DeadLetterQueue):
        def delete(self, dead_letters: Sequence[DeadLetter]) -> None:
            raise KeyboardInterrupt

    queues = dlq.queues
    with InterruptedQueue(queues.client, queues.dead_letter_url) as queue:
        [match] = queue.find([normalize_id(first["MessageId"])])
        with pytest.raises(KeyboardInterrupt):
            list(redrive.send(queue, queues.url, [redrive.unchanged(match)], lambda *_: None))
    assert queues.count() == 1
    dlq.run_writer()
    assert [each["message_id"] for each in dlq.list_json()] == [first["MessageId"]]

    dlq.run("replay", first["MessageId"])
    assert queues.count() == 1
    dlq.run_writer()

    assert len(logs()) == 1
    assert dlq.list_json() == []


def test_replay_all_twice_is_idempotent(dlq: DeadLetters) -> None:
    invalid = {dlq.reject(make_body(type="", url=f"/{number}"))["log_id"] for number in range(3)}
    valid = {dlq.exhaust(make_body(url=f"/valid/{number}"))["MessageId"] for number in range(12)}
    with_id = make_body(id=LOG_ID, url="/named")
    dlq.exhaust(with_id)
    dlq.queues.send(with_id)  # it was stored although SQS moved it as well
    dlq.run_writer()

    runs = []
    for _ in range(2):
        runs.append(dlq.run("replay", "--all", "--rate", "1000"))
        dlq.run_writer()
        dlq.queues.send(with_id)
        dlq.run_writer()

    assert [run.status for run in runs] == [0, 0]
    assert [run.out for run in runs] == ["Replayed: 16\n", "Replayed: 3\n"]
    assert {item.id for item in logs()} == {
        LOG_ID,
        *(uuid.uuid5(ID_NAMESPACE, message_id).hex for message_id in valid),
    }
    assert len(logs()) == len(valid) + 1
    assert {each["log_id"] for each in dlq.list_json()} == invalid


def test_replay_all_ends_if_messages_are_rejected_again(dlq: DeadLetters) -> None:
    dlq.reject("invalid")
    dlq.reject("also invalid")

    class QueueWithWriter(DeadLetterQueue):
        """A queue whose writer rejects each message at once."""

        def delete(self, dead_letters: Sequence[DeadLetter]) -> None:
            super().delete(dead_letters)
            dlq.run_writer()

    options = Namespace(all=True, ids=[], code=None, rate=1000, seconds=20, queue_url=dlq.queues.url)
    out, err = StringIO(), StringIO()
    with QueueWithWriter(dlq.queues.client, dlq.queues.dead_letter_url) as queue:
        actions.replay(queue, options, out, err)

    assert out.getvalue() == "Replayed: 2\n"
    assert "Skipped 2: rejected again" in err.getvalue()
    assert len(dlq.list_json()) == 2


def test_replay_all_deduplicates_per_run(dlq: DeadLetters) -> None:
    for _ in range(2):
        dlq.exhaust(make_body(id=LOG_ID))

    first, second = dlq.run("replay", "--all"), dlq.run("replay", "--all")

    assert (first.out, second.out) == ("Replayed: 1\n", "Replayed: 1\n")
    assert "Skipped 1: rejected again, or duplicates." in first.err
    dlq.run_writer()
    assert len(logs()) == 1


def test_replay_all_continues_after_one_without_room(dlq: DeadLetters) -> None:
    full = dlq.exhaust(noise(1_048_576))
    dlq.exhaust(make_body())

    run = dlq.run("replay", "--all")

    assert (run.status, run.out) == (1, "Replayed: 1\n")
    assert f"{full['MessageId']}: The message would exceed 1 MiB with its attributes `log-id`" in run.err
    assert [each["message_id"] for each in dlq.list_json()] == [full["MessageId"]]


def test_replay_with_one_unmatched_id_sends_none(dlq: DeadLetters) -> None:
    dead_letter = dlq.reject("invalid")

    run = dlq.run("replay", dead_letter["message_id"], "ffffffff")

    assert run.status == 1
    assert dlq.queues.count() == 0
    assert len(dlq.list_json()) == 1


@pytest.mark.parametrize("action", ["replay", "discard"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Pass ids or --all to {action}.\n"),
        (["--all", "ffffffff"], "Pass either ids or --all to {action}, not both.\n"),
        (["ffffffff", "--code", "valid"], "--code requires --all: {action} --all --code valid.\n"),
    ],
)
def test_selection_is_either_ids_or_all(
    dlq: DeadLetters, action: str, arguments: list[str], message: str
) -> None:
    run = dlq.run(action, *arguments, *(["--reason", "x"] if action == "discard" else []))

    assert (run.status, run.err) == (1, message.format(action=action))


def test_senders_attributes_are_limited_to_ten() -> None:
    senders: dict[str, Any] = {
        f"sender-{number}": {"DataType": "String", "StringValue": "x"} for number in range(9)
    }
    raw = {"DataType": "Binary", "BinaryValue": b"\x00\xff"}

    _, attributes = redrive._message(make_dead_letter("{}", raw=raw, **senders), "{}")

    assert list(attributes) == ["log-id", "log-sent-at", "raw", *list(senders)[:7]]
    assert attributes["raw"] == raw


def test_writer_attributes_are_not_redriven() -> None:
    names = ("error-code", "error-message", "error-fields", "rejected-at", "rejected-by")
    attributes: Any = {name: {"DataType": "String", "StringValue": "x"} for name in names}

    assert redrive._message(make_dead_letter("{}", **attributes), "{}")[1].keys() == {"log-id", "log-sent-at"}


def test_body_without_room_for_identity_is_compressed(dlq: DeadLetters) -> None:
    body = make_body(payload="x" * (1_048_576 - len(make_body(payload=""))))
    first = dlq.exhaust(body)

    assert dlq.run("replay", first["MessageId"]).status == 0
    dlq.run_writer()

    [item] = logs()
    assert item.id == uuid.uuid5(ID_NAMESPACE, first["MessageId"]).hex
    assert item.payload_size == json.loads(body)["payload"].count("x")


def test_full_body_with_its_own_identity_is_redriven(dlq: DeadLetters) -> None:
    identity = {"id": LOG_ID, "created_at": "2026-11-23T22:44:00+00:00"}
    body = make_body(payload=noise(1_048_576 - len(make_body(payload="", **identity))), **identity)
    dlq.exhaust(body)

    assert dlq.run("replay", LOG_ID).status == 0
    [message] = dlq.queues.messages()
    assert message["Body"] == body
    assert "MessageAttributes" not in message


def test_redrive_preserves_the_time_of_sending() -> None:
    _, attributes = redrive._message(make_dead_letter(make_body()), make_body())

    assert attributes["log-sent-at"]["StringValue"] == "2025-11-24T16:00:00.123000+00:00"
    assert times.parse(attributes["log-sent-at"]["StringValue"]).timestamp() == 1764000000.123


def test_replay_overwrites_no_existing_log(dlq: DeadLetters) -> None:
    dlq.queues.send(make_body(id=LOG_ID, url="/one"))
    dlq.run_writer()
    dead_letter = dlq.reject(make_body(id=LOG_ID, url="/two"))

    dlq.run("replay", dead_letter["message_id"])
    dlq.run_writer()

    assert LogItem.get(LOG_ID).url == "/one"
    assert [each["code"] for each in dlq.list_json()] == ["id_conflict"]
