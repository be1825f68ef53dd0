"""`dead-letters discard`: what is given up is kept as a log before it goes."""

import getpass
import hashlib
import json
from typing import Any

import pytest

from ingest.cli.dlq import queue as peeking
from ingest.cli.dlq.dead_letter import Letter
from ingest.cli.dlq.queue import DeadLetterQueue
from ingest.cli.dlq.redrive import discard
from ingest.client import LogClient
from logs.models import LogItem
from logs.storage import documents, parts
from tests.conftest import free_port
from tests.factories import make_body
from tests.items import logs
from tests.letters import Letters, noise

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")


def kept(letters: Letters) -> tuple[LogItem, dict[str, Any]]:
    """Let the writer store the one discarded letter; return its log and payload."""
    letters.work()
    [item] = logs()
    parts.join(item)
    payload = documents.content(item)["payload_text"]
    told: dict[str, Any] = json.loads(payload)
    return item, told


def test_a_log_of_the_site_keeps_it(letters: Letters) -> None:
    told = letters.reject(make_body(type="", url="/ü"))

    run = letters.run("discard", told["message_id"], "--reason", " a test's ")

    assert run.status == 0
    assert run.out == f"Discarded {told['message_id']}: a log of the account _logsite keeps it\n"
    assert letters.listed() == []
    item, payload = kept(letters)
    assert (item.account_id, item.type, item.sub_type) == ("_logsite", "logsite", "dead-letter-discarded")
    assert item.user_id == getpass.getuser()
    assert item.sender
    assert payload == {
        "reason": "a test's",
        "error": "invalid_fields: type: must be a non-empty text",
        "log_id": told["log_id"],
        "sent_at": told["sent_at"],
        "message_id": told["message_id"],
        "sender": None,
        "body": told["body"],
    }


def test_of_what_sqs_moved_the_sender_is_known(letters: Letters) -> None:
    first = letters.redrive(make_body())

    letters.run("discard", first["MessageId"], "--reason", "old")

    assert kept(letters)[1]["sender"]


def test_it_is_kept_before_it_is_deleted(letters: Letters) -> None:
    told = letters.reject("wrong")

    class Stopped(DeadLetterQueue):
        def delete(self, dead: Letter) -> None:
            raise KeyboardInterrupt

    queues = letters.queues
    with Stopped(queues.client, queues.dead_letter_url) as queue, LogClient(queues.url, sync=True) as client:
        [dead] = queue.find([told["log_id"]])
        with pytest.raises(KeyboardInterrupt):
            discard(queue, client, dead, "x")

    assert queues.count() == 1
    assert letters.listed() == [told]


def test_where_it_cannot_be_kept_it_stays(letters: Letters) -> None:
    told = letters.reject("wrong")
    nowhere = f"http://127.0.0.1:{free_port()}/000000000000/none"

    run = letters.run("discard", told["message_id"], "--reason", "x", "--queue-url", nowhere)

    assert run.status == 1
    assert "not sent" in run.err
    assert letters.listed() == [told]


def test_a_body_of_1_mib_is_kept_whole_where_it_can_be_compressed(letters: Letters) -> None:
    body = '"' * 1_048_576  # twice as much in JSON
    first = letters.redrive(body)

    letters.run("discard", first["MessageId"], "--reason", "x")

    assert kept(letters)[1]["body"] == body


def test_what_does_not_fit_is_cut_with_its_size_and_hash(letters: Letters) -> None:
    body = noise(1_048_576)
    first = letters.redrive(body)

    run = letters.run("discard", first["MessageId"], "--reason", "x")

    payload = kept(letters)[1]
    assert run.out.endswith("keeps it, its body cut to what a message holds\n")
    assert payload["body"] == body[:524_288]
    assert payload["body_bytes"] == 1_048_576
    assert payload["body_sha256"] == hashlib.sha256(body.encode()).hexdigest()


@pytest.mark.parametrize("arguments", [[], ["--reason", " "]])
def test_it_takes_a_reason(letters: Letters, arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        letters.run("discard", "ffffffff", *arguments)


def reasons(letters: Letters) -> dict[str, str]:
    """Let the writer store what was discarded; return the reasons, by the ids of the logs that were to be."""
    letters.work()
    told: dict[str, str] = {}
    for item in logs():
        parts.join(item)
        payload = json.loads(documents.content(item)["payload_text"])
        told[payload["log_id"]] = payload["reason"]
    return told


def test_several_are_given_up_for_one_reason(letters: Letters) -> None:
    first, second, third = (letters.reject(f"wrong {number}") for number in range(3))

    run = letters.run("discard", first["log_id"], third["message_id"], "--reason", "a test's")

    assert run.status == 0
    assert run.out.count("Discarded ") == 2
    assert letters.listed() == [second]
    assert reasons(letters) == dict.fromkeys((first["log_id"], third["log_id"]), "a test's")


def test_all_are_given_up_also_where_one_stands_there_twice(letters: Letters) -> None:
    twice = make_body(id="0123456789abcdef0123456789abcdef")
    for body in (twice, twice, make_body(url="/other"), noise(1_048_576)):
        letters.redrive(body)

    run = letters.run("discard", "--all", "--reason", "x", "--rate", "1000")

    assert (run.status, run.out) == (0, "Discarded: 4\n")
    assert "Of 1 the body was cut to what a message holds.\n" in run.err
    assert letters.listed() == []
    letters.work()
    assert len(logs()) == 4


def test_of_all_those_of_one_reason(letters: Letters) -> None:
    wrong = [letters.reject(make_body(type="", url=f"/{number}")) for number in range(12)]
    other = letters.reject("no JSON")
    letters.redrive(make_body())

    run = letters.run("discard", "--all", "--code", "invalid_fields", "--reason", "x", "--seconds", "600")

    assert (run.status, run.out) == (0, "Discarded: 12\n")
    assert "2 of another reason are left.\n" in run.err
    assert "came back" not in run.err
    assert reasons(letters) == {each["log_id"]: "x" for each in wrong}

    assert letters.run("list", "--code", "not_json").out.splitlines()[1].startswith(other["message_id"][:8])
    assert letters.run("replay", "--all", "--code", "valid").out == "Sent again: 1\n"
    assert [each["code"] for each in letters.listed()] == ["not_json"]


def test_where_others_came_back_meanwhile_it_says_so(
    letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peeking, "MARGIN_SECONDS", 0)
    letters.reject("no JSON")
    for number in range(3):
        letters.redrive(make_body(url=f"/{number}"))

    run = letters.run("discard", "--all", "--code", "valid", "--reason", "x", "--rate", "1", "--seconds", "1")

    assert run.out == "Discarded: 3\n"
    assert "Some came back meanwhile: do it again" in run.err


def test_those_that_follow_stay_where_one_cannot_be_kept(letters: Letters) -> None:
    told = [letters.reject(f"wrong {number}")["message_id"] for number in range(3)]
    nowhere = f"http://127.0.0.1:{free_port()}/000000000000/none"

    run = letters.run("discard", "--all", "--reason", "x", "--queue-url", nowhere)

    assert (run.status, run.out) == (1, "Discarded: 0\n")
    assert "not sent" in run.err
    assert {each["message_id"] for each in letters.listed()} == set(told)
