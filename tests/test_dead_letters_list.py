"""`dead-letters list` and `show`: what they tell, and that looking changes nothing."""

import base64
import json
import uuid
import zlib

import pytest

from ingest.cli.dlq import dead_letter as letter
from ingest.cli.dlq import text
from ingest.messages import ID_NAMESPACE
from logs import times
from tests.factories import make_body
from tests.letters import Letters
from tests.queues import attribute_texts

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")

HEX = "0123456789abcdef0123456789abcdef"


def test_an_empty_queue_says_so(letters: Letters) -> None:
    run = letters.run("list")

    assert (run.status, run.out) == (0, "")
    assert run.err.endswith("0 dead letters.\n")


def test_a_line_tells_id_age_reason_and_the_beginning_of_the_body(letters: Letters) -> None:
    told = letters.reject(make_body(type="", payload="x" * 1000))

    run = letters.run("list")

    header, row = run.out.splitlines()
    assert header.split() == ["ID", "AGE", "REASON", "BODY"]
    assert row.startswith(told["message_id"][:8])
    assert "invalid_fields: type: must be a non-empty text" in row
    assert '{"account_id": 7, ' in row
    assert len(row) <= 150
    assert run.err.endswith("1 dead letter.\n")


def test_it_says_how_long_a_letter_may_be_hidden(letters: Letters) -> None:
    assert "hidden from others meanwhile, 15 s at most" in letters.run("list", "--seconds", "5").err


def test_as_json_each_is_told_whole(letters: Letters) -> None:
    body = make_body(id=HEX, url=..., payload="x" * 1000)

    told = letters.reject(body)

    assert told.keys() == {
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
    assert told["log_id"] == HEX
    assert told["put_here_by"] == "writer"
    assert (told["code"], told["reason"]) == ("invalid_fields", "url: is required")
    assert (told["size"], told["body"]) == (len(body), body)
    assert times.parse(told["sent_at"]) <= times.parse(told["rejected_at"])


def test_a_look_leaves_all_where_they_were(letters: Letters) -> None:
    for number in range(25):
        letters.queues.client.send_message(
            QueueUrl=letters.queues.dead_letter_url, MessageBody=f"wrong {number}"
        )

    seen = [{each["body"] for each in letters.listed()} for _ in range(7)]

    assert all(bodies == {f"wrong {number}" for number in range(25)} for bodies in seen)
    assert len(letters.queues.dead_letters()) == 25


def test_what_another_hides_is_counted(letters: Letters) -> None:
    letters.reject("wrong")
    letters.queues.dead_letters()

    run = letters.run("list")

    assert run.out == ""
    assert "0 dead letters. About 1 more could not be looked at: hidden by someone else" in run.err


def test_what_sqs_moved_is_validated_again_for_its_reason(letters: Letters) -> None:
    letters.redrive("no json")
    letters.redrive(make_body(account_id="a#b"))
    letters.redrive(make_body())

    told = letters.listed()

    assert {each["put_here_by"] for each in told} == {"sqs"}
    assert [each["code"] for each in told] == ["not_json", "invalid_fields", None]
    assert told[1]["reason"] == "account_id: must not contain #"
    assert "valid: the store was likely away when it was tried " in letters.run("list").out


def test_every_reason_can_be_chosen(letters: Letters) -> None:
    for body in (make_body(type=""), "no JSON", "[]", '{"_deflate": "x"}', make_body()):
        letters.redrive(body)
    letters.queues.send(make_body(id=HEX))
    letters.work()
    letters.reject(make_body(id=HEX, url="/other"))

    told = {code: letters.run("list", "--code", code).err.splitlines()[-1] for code in letter.REASONS}

    assert told == dict.fromkeys(letter.REASONS, "1 dead letter.")


def test_what_sqs_moved_keeps_its_first_identity(letters: Letters) -> None:
    first = letters.redrive(make_body())

    [told] = letters.listed()

    assert told["message_id"] == first["MessageId"]
    assert times.parse(told["sent_at"]).timestamp() * 1000 == int(first["SentTimestamp"])
    assert told["log_id"] == uuid.uuid5(ID_NAMESPACE, first["MessageId"]).hex


def test_a_full_message_may_lack_its_reason_for_want_of_room(letters: Letters) -> None:
    empty = make_body(payload="")
    letters.redrive(make_body(payload="x" * (1_048_576 - len(empty))))

    [told] = letters.listed()

    assert "another log has its id" in told["reason"]


def test_show_prints_one_whole_with_its_attributes(letters: Letters) -> None:
    told = letters.reject(make_body(type="", payload="y" * 3000), trace="abc")

    run = letters.run("show", told["message_id"])

    assert run.status == 0
    assert run.out.endswith(f"\n\n{told['body']}\n")
    for told_too in (
        told["message_id"],
        told["log_id"],
        told["sent_at"],
        "by the writer",
        "trace          abc",
    ):
        assert told_too in run.out


def test_the_body_alone_comes_unchanged(letters: Letters) -> None:
    told = letters.reject('{"broken": "\tü"')

    assert letters.run("show", "--body", told["message_id"]).out == '{"broken": "\tü"'


def test_a_compressed_body_is_read_for_people(letters: Letters) -> None:
    packed = base64.b64encode(zlib.compress(make_body(type="").encode())).decode()
    told = letters.reject(json.dumps({"_deflate": packed}))

    assert make_body(type="") in letters.run("show", told["message_id"]).out
    assert "_deflate" not in letters.run("list").out


def test_control_characters_cannot_reach_the_terminal(letters: Letters) -> None:
    told = letters.reject("\x7f\u009b31m\u202ered\r\nx", trace="\u202e")

    for run in (letters.run("list"), letters.run("show", told["message_id"])):
        assert run.out.replace("\n", "").isprintable()
        assert "\\x7f\\x9b31m\\u202ered" in run.out


@pytest.mark.parametrize(
    ("given", "shown"),
    [("\x1b[2J", "\\x1b[2J"), ("a\nb\tc", "a b c"), ("ü 😀", "ü 😀"), ("x" * 30, "x" * 19 + "…")],
)
def test_a_line_is_bounded_and_harmless(given: str, shown: str) -> None:
    assert text.bounded(given, 20) == shown


def test_an_id_may_be_a_beginning_of_either_in_any_case(letters: Letters) -> None:
    letters.reject("other")
    told = letters.reject(make_body(id=HEX, type=""))

    for name in (told["message_id"][:10].upper(), HEX, HEX[:6], told["message_id"].replace("-", "")):
        assert told["message_id"] in letters.run("show", name).out


def test_an_id_that_names_none_is_refused_in_words(letters: Letters) -> None:
    letters.reject("wrong")

    run = letters.run("show", "ffffffff-ffff")

    assert (run.status, run.out) == (1, "")
    assert run.err == "There is no dead letter ffffffffffff among those that were looked at.\n"


def test_an_id_that_names_two_is_refused_with_both(letters: Letters) -> None:
    both = [letters.reject(make_body(id=HEX, type="")), letters.reject(make_body(id=HEX, url=...))]

    run = letters.run("show", HEX)

    assert run.status == 1
    assert all(each["message_id"] in run.err for each in both)
    assert letters.run("show", both[0]["message_id"]).status == 0
    assert len(letters.queues.dead_letters()) == 2


def test_attributes_of_the_letter_are_not_changed_by_a_look(letters: Letters) -> None:
    told = letters.reject("wrong", trace="abc")
    letters.run("show", told["message_id"])

    [letter] = letters.queues.dead_letters()

    assert attribute_texts(letter)["trace"] == "abc"
    assert attribute_texts(letter)["log-id"] == told["log_id"]
