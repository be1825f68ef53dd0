"""`dead-letters list` and `show`: their output, and that reading changes nothing."""

import base64
import json
import uuid
import zlib

import pytest

from ingest.cli.dlq import text
from ingest.cli.dlq.dead_letter import LABELS
from ingest.messages import ID_NAMESPACE, MAX_NODES
from ingest.sending.size import compress
from logs import times
from tests.bombs import make_bomb
from tests.dead_letters import DeadLetters
from tests.factories import LOG_ID, make_body
from tests.items import logs
from tests.queues import attribute_texts

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")


def test_empty_queue_reports_zero(dlq: DeadLetters) -> None:
    run = dlq.run("list")

    assert (run.status, run.out) == (0, "")
    assert run.err.endswith("0 dead letters.\n")


def test_list_shows_id_age_reason_and_body(dlq: DeadLetters) -> None:
    dead_letter = dlq.reject(make_body(type="", payload="x" * 1000))

    run = dlq.run("list")

    header, row = run.out.splitlines()
    assert header.split() == ["ID", "AGE", "REASON", "BODY"]
    assert row.startswith(dead_letter["message_id"][:8])
    assert "invalid_fields: type: must be a non-empty text" in row
    assert '{"account_id": 7, ' in row
    assert len(row) <= 150
    assert run.err.endswith("1 dead letter.\n")


def test_list_states_the_visibility_timeout(dlq: DeadLetters) -> None:
    assert "for at most 15 s.\n" in dlq.run("list", "--seconds", "5").err


def test_list_json_shows_the_whole_dead_letter(dlq: DeadLetters) -> None:
    body = make_body(id=LOG_ID, url=..., payload="x" * 1000)

    dead_letter = dlq.reject(body)

    assert dead_letter.keys() == {
        "message_id",
        "log_id",
        "sent_at",
        "rejected_at",
        "put_here_by",
        "code",
        "reason",
        "size",
        "body",
    }
    assert dead_letter["log_id"] == LOG_ID
    assert dead_letter["put_here_by"] == "writer"
    assert (dead_letter["code"], dead_letter["reason"]) == ("invalid_fields", "url: is required")
    assert (dead_letter["size"], dead_letter["body"]) == (len(body), body)
    assert times.parse(dead_letter["sent_at"]) <= times.parse(dead_letter["rejected_at"])


def test_peek_leaves_all_messages_visible(dlq: DeadLetters) -> None:
    for number in range(25):
        dlq.queues.client.send_message(QueueUrl=dlq.queues.dead_letter_url, MessageBody=f"invalid {number}")

    peeks = [{each["body"] for each in dlq.list_json()} for _ in range(7)]

    assert all(bodies == {f"invalid {number}" for number in range(25)} for bodies in peeks)
    assert len(dlq.queues.dead_letters()) == 25


def test_list_counts_messages_hidden_by_others(dlq: DeadLetters) -> None:
    dlq.reject("invalid")
    dlq.queues.dead_letters()

    run = dlq.run("list")

    assert run.out == ""
    assert "0 dead letters. About 1 more could not be read: another consumer hides them" in run.err


def test_reason_of_a_moved_message_is_validated_again(dlq: DeadLetters) -> None:
    dlq.exhaust("no json")
    dlq.exhaust(make_body(account_id="a#b"))
    dlq.exhaust(make_body())

    dead_letters = dlq.list_json()

    assert {each["put_here_by"] for each in dead_letters} == {"sqs"}
    assert [each["code"] for each in dead_letters] == ["not_json", "invalid_fields", None]
    assert dead_letters[1]["reason"] == "account_id: must not contain #"
    assert "valid: DynamoDB was probably unavailable " in dlq.run("list").out


def test_every_label_can_be_selected(dlq: DeadLetters) -> None:
    for body in (make_body(type=""), "not JSON", "[]", '{"_deflate": "x"}', make_body()):
        dlq.exhaust(body)
    dlq.queues.send(make_body(id=LOG_ID))
    dlq.run_writer()
    dlq.reject(make_body(id=LOG_ID, url="/other"))
    # The others take a second each time that they are listed.
    large = ("too_many_fields", "too_large")
    labels = [label for label in LABELS if label not in large]
    summaries = {label: dlq.run("list", "--code", label).err.splitlines()[-1] for label in labels}
    many_fields = compress(make_body(**{str(number): 1 for number in range(MAX_NODES)}))
    assert many_fields is not None
    dlq.exhaust(many_fields)
    dlq.reject(make_bomb("escapes", field="form"))
    summaries |= {label: dlq.run("list", "--code", label).err.splitlines()[-1] for label in large}

    assert summaries == dict.fromkeys(LABELS, "1 dead letter.")


def test_conflict_names_the_log_that_holds_the_id(dlq: DeadLetters) -> None:
    dlq.queues.send(make_body(id=LOG_ID))
    dlq.run_writer()
    [holder] = logs()
    dead_letter = dlq.reject(make_body(id=LOG_ID, url="/other"))

    run = dlq.run("show", dead_letter["message_id"])

    received_at = times.to_text(holder.received_at)
    assert f"the log with this id was received at {received_at} from {holder.sender}\n" in run.out


def test_moved_message_has_its_first_identity(dlq: DeadLetters) -> None:
    first = dlq.exhaust(make_body())

    [dead_letter] = dlq.list_json()

    assert dead_letter["message_id"] == first["MessageId"]
    assert times.parse(dead_letter["sent_at"]).timestamp() * 1000 == int(first["SentTimestamp"])
    assert dead_letter["log_id"] == uuid.uuid5(ID_NAMESPACE, first["MessageId"]).hex


def test_reason_may_be_missing_on_a_full_message(dlq: DeadLetters) -> None:
    empty = make_body(payload="")
    dlq.exhaust(make_body(payload="x" * (1_048_576 - len(empty))))

    [dead_letter] = dlq.list_json()

    assert "another log has its id" in dead_letter["reason"]


def test_show_prints_attributes_and_body(dlq: DeadLetters) -> None:
    dead_letter = dlq.reject(make_body(type="", payload="y" * 3000), trace="abc")

    run = dlq.run("show", dead_letter["message_id"])

    assert run.status == 0
    assert run.out.endswith(f"\n\n{dead_letter['body']}\n")
    for part in (
        dead_letter["message_id"],
        dead_letter["log_id"],
        dead_letter["sent_at"],
        "by the writer",
        "trace          abc",
    ):
        assert part in run.out


def test_show_body_prints_it_unchanged(dlq: DeadLetters) -> None:
    dead_letter = dlq.reject('{"broken": "\tü"')

    assert dlq.run("show", "--body", dead_letter["message_id"]).out == '{"broken": "\tü"'


def test_compressed_body_is_shown_decompressed(dlq: DeadLetters) -> None:
    compressed = base64.b64encode(zlib.compress(make_body(type="").encode())).decode()
    dead_letter = dlq.reject(json.dumps({"_deflate": compressed}))

    assert make_body(type="") in dlq.run("show", dead_letter["message_id"]).out
    assert "_deflate" not in dlq.run("list").out


def test_control_characters_are_escaped(dlq: DeadLetters) -> None:
    dead_letter = dlq.reject("\x7f\u009b31m\u202ered\r\nx", trace="\u202e")

    for run in (dlq.run("list"), dlq.run("show", dead_letter["message_id"])):
        assert run.out.replace("\n", "").isprintable()
        assert "\\x7f\\x9b31m\\u202ered" in run.out


@pytest.mark.parametrize(
    ("value", "line"),
    [("\x1b[2J", "\\x1b[2J"), ("a\nb\tc", "a b c"), ("ü 😀", "ü 😀"), ("x" * 30, "x" * 19 + "…")],
)
def test_truncate_returns_one_escaped_line(value: str, line: str) -> None:
    assert text.truncate(value, 20) == line


def test_show_takes_shortened_message_and_log_ids(dlq: DeadLetters) -> None:
    dlq.reject("other")
    dead_letter = dlq.reject(make_body(id=LOG_ID, type=""))

    for name in (
        dead_letter["message_id"][:10].upper(),
        LOG_ID,
        LOG_ID[:6],
        dead_letter["message_id"].replace("-", ""),
    ):
        assert dead_letter["message_id"] in dlq.run("show", name).out


def test_unmatched_id_is_rejected(dlq: DeadLetters) -> None:
    dlq.reject("invalid")

    run = dlq.run("show", "ffffffff-ffff")

    assert (run.status, run.out) == (1, "")
    assert run.err == "No dead letter matches ffffffffffff. `list` shows all ids.\n"


def test_ambiguous_id_is_rejected_with_both_matches(dlq: DeadLetters) -> None:
    both = [dlq.reject(make_body(id=LOG_ID, type="")), dlq.reject(make_body(id=LOG_ID, url=...))]

    run = dlq.run("show", LOG_ID)

    assert run.status == 1
    assert all(each["message_id"] in run.err for each in both)
    assert dlq.run("show", both[0]["message_id"]).status == 0
    assert len(dlq.queues.dead_letters()) == 2


def test_show_changes_no_attribute(dlq: DeadLetters) -> None:
    dead_letter = dlq.reject("invalid", trace="abc")
    dlq.run("show", dead_letter["message_id"])

    [message] = dlq.queues.dead_letters()

    assert attribute_texts(message)["trace"] == "abc"
    assert attribute_texts(message)["log-id"] == dead_letter["log_id"]
