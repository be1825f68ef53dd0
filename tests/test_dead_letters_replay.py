"""`dead-letters replay`: a letter sent again is the message that it first was, and is stored once."""

import json
import uuid
from argparse import Namespace
from io import StringIO
from typing import Any

import pytest

from ingest.cli.dlq import actions
from ingest.cli.dlq import dead_letter as letter
from ingest.cli.dlq import queue as peeking
from ingest.cli.dlq import redrive as resending
from ingest.cli.dlq.dead_letter import Letter
from ingest.cli.dlq.queue import DeadLetterQueue
from ingest.messages import ID_NAMESPACE
from logs import times
from logs.models import LogItem
from tests.factories import make_body
from tests.items import logs
from tests.letters import Letters, noise
from tests.queues import attribute_texts

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")

HEX = "0123456789abcdef0123456789abcdef"


def a_letter(body: str, **attributes: Any) -> Letter:
    return letter.read(
        {
            "MessageId": str(uuid.UUID(HEX)),
            "ReceiptHandle": "receipt",
            "Body": body,
            "Attributes": {"SentTimestamp": "1764000000123", "SenderId": "AIDA"},
            "MessageAttributes": attributes,
        }
    )


def test_it_goes_to_the_queue_with_its_first_identity_and_leaves_the_other(letters: Letters) -> None:
    told = letters.reject(make_body(type=""), trace="abc")

    run = letters.run("replay", told["message_id"])

    assert (run.status, run.out) == (0, f"Sent again: log {told['log_id']}\n")
    [message] = letters.queues.messages()
    assert message["Body"] == told["body"]
    assert attribute_texts(message) == {
        "log-id": told["log_id"],
        "log-sent-at": told["sent_at"],
        "trace": "abc",
    }
    assert letters.listed() == []


def test_what_sqs_moved_is_stored_as_the_log_of_its_first_message(letters: Letters) -> None:
    first = letters.redrive(make_body())

    letters.run("replay", first["MessageId"])
    letters.work()

    [item] = logs()
    assert item.id == uuid.uuid5(ID_NAMESPACE, first["MessageId"]).hex
    assert item.created_at.timestamp() * 1000 == int(first["SentTimestamp"])
    assert item.received_at == item.created_at


def test_what_is_still_wrong_comes_back_with_the_same_identity(letters: Letters) -> None:
    first = letters.reject("still wrong")

    for _ in range(2):
        letters.run("replay", first["log_id"])
        letters.work()

    [again] = letters.listed()
    assert again["message_id"] != first["message_id"]
    assert {name: again[name] for name in ("log_id", "sent_at", "code", "body")} == {
        name: first[name] for name in ("log_id", "sent_at", "code", "body")
    }


def test_stopped_before_the_deletion_it_is_replayed_twice_and_stored_once(letters: Letters) -> None:
    first = letters.redrive(make_body())

    class Stopped(DeadLetterQueue):
        def delete(self, dead: Letter) -> None:
            raise KeyboardInterrupt

    queues = letters.queues
    with Stopped(queues.client, queues.dead_letter_url) as queue:
        [dead] = queue.find([peeking.id_key(first["MessageId"])])
        with pytest.raises(KeyboardInterrupt):
            resending.replay(queue, queues.url, dead)
    assert queues.count() == 1
    letters.work()
    assert [each["message_id"] for each in letters.listed()] == [first["MessageId"]]

    letters.run("replay", first["MessageId"])
    assert queues.count() == 1
    letters.work()

    assert len(logs()) == 1
    assert letters.listed() == []


def test_all_are_replayed_twice_and_nothing_is_stored_twice(letters: Letters) -> None:
    wrong = {letters.reject(make_body(type="", url=f"/{number}"))["log_id"] for number in range(3)}
    good = {letters.redrive(make_body(url=f"/good/{number}"))["MessageId"] for number in range(12)}
    with_id = make_body(id=HEX, url="/named")
    letters.redrive(with_id)
    letters.queues.send(with_id)  # what was stored all the same before it was given up
    letters.work()

    runs = []
    for _ in range(2):
        runs.append(letters.run("replay", "--all", "--rate", "1000"))
        letters.work()
        letters.queues.send(with_id)
        letters.work()

    assert [run.status for run in runs] == [0, 0]
    assert [run.out for run in runs] == ["Sent again: 16\n", "Sent again: 3\n"]
    assert {item.id for item in logs()} == {
        HEX,
        *(uuid.uuid5(ID_NAMESPACE, message_id).hex for message_id in good),
    }
    assert len(logs()) == len(good) + 1
    assert {each["log_id"] for each in letters.listed()} == wrong


def test_all_ends_though_what_is_wrong_comes_back_at_once(letters: Letters) -> None:
    letters.reject("wrong")
    letters.reject("wrong too")

    class Busy(DeadLetterQueue):
        """A writer is at work meanwhile."""

        def delete(self, dead: Letter) -> None:
            super().delete(dead)
            letters.work()

    options = Namespace(all=True, ids=[], code=None, rate=1000, seconds=20, logs_url=letters.queues.url)
    out, err = StringIO(), StringIO()
    with Busy(letters.queues.client, letters.queues.dead_letter_url) as queue:
        actions.replay(queue, options, out, err)

    assert out.getvalue() == "Sent again: 2\n"
    assert "2 came back" in err.getvalue()
    assert len(letters.listed()) == 2


def test_two_with_one_identity_and_one_body_need_two_runs(letters: Letters) -> None:
    for _ in range(2):
        letters.redrive(make_body(id=HEX))

    first, second = letters.run("replay", "--all"), letters.run("replay", "--all")

    assert (first.out, second.out) == ("Sent again: 1\n", "Sent again: 1\n")
    assert "1 came back, or stood there twice" in first.err
    letters.work()
    assert len(logs()) == 1


def test_what_follows_is_sent_though_one_has_no_room(letters: Letters) -> None:
    full = letters.redrive(noise(1_048_576))
    letters.redrive(make_body())

    run = letters.run("replay", "--all")

    assert (run.status, run.out) == (1, "Sent again: 1\n")
    assert f"{full['MessageId']}: Its 1 MiB leaves no room for `log-id`" in run.err
    assert [each["message_id"] for each in letters.listed()] == [full["MessageId"]]


def test_an_unknown_id_among_several_sends_none(letters: Letters) -> None:
    told = letters.reject("wrong")

    run = letters.run("replay", told["message_id"], "ffffffff")

    assert run.status == 1
    assert letters.queues.count() == 0
    assert len(letters.listed()) == 1


@pytest.mark.parametrize("verb", ["replay", "discard"])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Name the dead letters to {verb}, or --all.\n"),
        (["--all", "ffffffff"], "Name the dead letters to {verb}, or all of them with --all, not both.\n"),
        (["ffffffff", "--code", "valid"], "--code chooses among all: {verb} --all --code valid.\n"),
    ],
)
def test_it_takes_ids_or_all(letters: Letters, verb: str, arguments: list[str], told: str) -> None:
    run = letters.run(verb, *arguments, *(["--reason", "x"] if verb == "discard" else []))

    assert (run.status, run.err) == (1, told.format(verb=verb))


def test_the_senders_attributes_stay_as_far_as_ten_go() -> None:
    own: dict[str, Any] = {f"own-{number}": {"DataType": "String", "StringValue": "x"} for number in range(9)}
    raw = {"DataType": "Binary", "BinaryValue": b"\x00\xff"}

    _, taken = resending._message(a_letter("{}", raw=raw, **own), "{}")

    assert list(taken) == ["log-id", "log-sent-at", "raw", *list(own)[:7]]
    assert taken["raw"] == raw


def test_none_of_our_own_attributes_goes_along() -> None:
    ours = ("error-code", "error-message", "error-fields", "rejected-at", "rejected-by")
    told: Any = {name: {"DataType": "String", "StringValue": "x"} for name in ours}

    assert resending._message(a_letter("{}", **told), "{}")[1].keys() == {"log-id", "log-sent-at"}


def test_a_body_without_room_for_its_identity_is_compressed(letters: Letters) -> None:
    body = make_body(payload="x" * (1_048_576 - len(make_body(payload=""))))
    first = letters.redrive(body)

    assert letters.run("replay", first["MessageId"]).status == 0
    letters.work()

    [item] = logs()
    assert item.id == uuid.uuid5(ID_NAMESPACE, first["MessageId"]).hex
    assert item.payload_size == json.loads(body)["payload"].count("x")


def test_where_nothing_makes_room_a_body_that_names_itself_goes_as_it_is(letters: Letters) -> None:
    named = {"id": HEX, "created_at": "2026-11-23T22:44:00+00:00"}
    body = make_body(payload=noise(1_048_576 - len(make_body(payload="", **named))), **named)
    letters.redrive(body)

    assert letters.run("replay", HEX).status == 0
    [message] = letters.queues.messages()
    assert message["Body"] == body
    assert "MessageAttributes" not in message


def test_a_replayed_letter_of_an_old_day_is_filed_under_that_day() -> None:
    [(_, taken)] = [resending._message(a_letter(make_body()), make_body())]

    assert taken["log-sent-at"]["StringValue"] == "2025-11-24T16:00:00.123000+00:00"
    assert times.parse(taken["log-sent-at"]["StringValue"]).timestamp() == 1764000000.123


def test_a_log_that_is_there_already_stays_as_it_is(letters: Letters) -> None:
    letters.queues.send(make_body(id=HEX, url="/one"))
    letters.work()
    told = letters.reject(make_body(id=HEX, url="/two"))

    letters.run("replay", told["message_id"])
    letters.work()

    assert LogItem.get(HEX).url == "/one"
    assert [each["code"] for each in letters.listed()] == ["id_conflict"]
