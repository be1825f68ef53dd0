"""`dead-letters edit`: a mended body in place of a wrong one, under its first identity."""

import io
import sys
from pathlib import Path

import pytest

from logs import times
from tests.factories import make_body
from tests.items import logs
from tests.letters import Letters, noise
from tests.queues import attribute_texts

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")

HEX = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where the new body is written."""
    return tmp_path / "body.json"


def test_the_mended_log_has_the_first_identity(letters: Letters, file: Path) -> None:
    told = letters.reject(make_body(type=""), trace="abc")
    file.write_text(make_body(type="login"))

    run = letters.run("edit", told["message_id"], "--file", str(file))
    letters.work()

    assert (run.status, run.out) == (0, f"Sent: log {told['log_id']}\n")
    [item] = logs()
    assert (item.id, item.type) == (told["log_id"], "login")
    assert times.to_text(item.created_at) == told["sent_at"]
    assert letters.listed() == []


def test_it_keeps_the_senders_attributes(letters: Letters, file: Path) -> None:
    told = letters.reject(make_body(type=""), trace="abc")
    file.write_text(make_body())

    letters.run("edit", told["message_id"], "--file", str(file))

    [message] = letters.queues.messages()
    assert attribute_texts(message).keys() == {"log-id", "log-sent-at", "trace"}


def test_the_body_comes_from_standard_input_too(letters: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    told = letters.reject("wrong")
    body = make_body(url="/ü")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + body.encode())))

    assert letters.run("edit", told["message_id"]).status == 0
    assert letters.queues.bodies() == [body]


def test_what_would_be_refused_again_is_refused_here_with_the_fields_words(
    letters: Letters, file: Path
) -> None:
    told = letters.reject(make_body(type=""))
    file.write_text(make_body(account_id="a#b", url=...))

    run = letters.run("edit", told["message_id"], "--file", str(file))

    assert (run.status, run.out) == (1, "")
    assert run.err == (
        "The new body would be a dead letter again: account_id: must not contain #; url: is required. "
        "Nothing was sent.\n"
    )
    assert letters.queues.count() == 0
    assert letters.listed() == [told]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\xff", "must be UTF-8"), (b"[]", "must be a JSON object"), (b"", "must be JSON")],
)
def test_what_is_no_message_is_refused(letters: Letters, file: Path, content: bytes, words: str) -> None:
    file.write_bytes(content)

    run = letters.run("edit", HEX, "--file", str(file))

    assert run.status == 1
    assert words in run.err


def test_a_file_that_is_not_there_is_an_error_in_words(letters: Letters, file: Path) -> None:
    run = letters.run("edit", HEX, "--file", str(file))

    assert run.status == 1
    assert "No such file" in run.err


def test_another_logs_id_is_left_for_one_of_its_own(letters: Letters, file: Path) -> None:
    letters.queues.send(make_body(id=HEX, url="/one"))
    letters.work()
    told = letters.reject(make_body(id=HEX, url="/two"))
    file.write_text(make_body(url="/two"))

    run = letters.run("edit", told["message_id"], "--file", str(file))
    letters.work()

    assert letters.listed() == []
    ids = {item.url: item.id for item in logs()}
    assert ids["/one"] == HEX
    assert run.out == f"Sent: log {ids['/two']}\n"


def test_characters_that_sqs_refuses_are_escaped(letters: Letters, file: Path) -> None:
    told = letters.reject("wrong")
    file.write_text(make_body(url="@").replace("@", "\uffff"), encoding="utf-8")

    letters.run("edit", told["message_id"], "--file", str(file))

    assert letters.queues.bodies() == [make_body(url="\uffff")]


def test_what_is_larger_than_sqs_takes_is_compressed(letters: Letters, file: Path) -> None:
    told = letters.reject("wrong")
    file.write_text(make_body(payload="x" * 3_000_000))

    assert letters.run("edit", told["message_id"], "--file", str(file)).status == 0
    letters.work()

    assert [item.payload_size for item in logs()] == [3_000_000]


def test_what_is_larger_even_compressed_is_refused(letters: Letters, file: Path) -> None:
    told = letters.reject("wrong")
    file.write_text(make_body(id=HEX, created_at="2026-11-23T22:44:00Z", payload=noise(2_000_000)))

    run = letters.run("edit", told["message_id"], "--file", str(file))

    assert run.status == 1
    assert "1 MiB" in run.err
    assert letters.listed() == [told]
