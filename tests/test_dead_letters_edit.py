"""`dead-letters edit`: a new body with the identity of the first delivery."""

import io
import sys
from pathlib import Path

import pytest

from logs import times
from tests.dead_letters import DeadLetters
from tests.factories import LOG_ID, make_body
from tests.items import logs
from tests.noise import noise
from tests.queues import attribute_texts

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of the new body."""
    return tmp_path / "body.json"


def test_edited_log_has_the_first_identity(dlq: DeadLetters, file: Path) -> None:
    dead_letter = dlq.reject(make_body(type=""), trace="abc")
    file.write_text(make_body(type="login"))

    run = dlq.run("edit", dead_letter["message_id"], "--file", str(file))
    dlq.run_writer()

    assert (run.status, run.out) == (0, f"Sent: log {dead_letter['log_id']}\n")
    [item] = logs()
    assert (item.id, item.type) == (dead_letter["log_id"], "login")
    assert times.to_text(item.created_at) == dead_letter["sent_at"]
    assert dlq.list_json() == []


def test_edit_preserves_the_senders_attributes(dlq: DeadLetters, file: Path) -> None:
    dead_letter = dlq.reject(make_body(type=""), trace="abc")
    file.write_text(make_body())

    dlq.run("edit", dead_letter["message_id"], "--file", str(file))

    [message] = dlq.queues.messages()
    assert attribute_texts(message).keys() == {"log-id", "log-sent-at", "trace"}


def test_edit_reads_standard_input(dlq: DeadLetters, monkeypatch: pytest.MonkeyPatch) -> None:
    dead_letter = dlq.reject("invalid")
    body = make_body(url="/ü")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + body.encode())))

    assert dlq.run("edit", dead_letter["message_id"]).status == 0
    assert dlq.queues.bodies() == [body]


def test_invalid_body_is_rejected_with_its_field_errors(dlq: DeadLetters, file: Path) -> None:
    dead_letter = dlq.reject(make_body(type=""))
    file.write_text(make_body(account_id="a#b", url=...))

    run = dlq.run("edit", dead_letter["message_id"], "--file", str(file))

    assert (run.status, run.out) == (1, "")
    assert run.err == (
        "The writer would reject the new body: account_id: must not contain #; url: is required. "
        "Nothing was sent.\n"
    )
    assert dlq.queues.count() == 0
    assert dlq.list_json() == [dead_letter]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\xff", "must be UTF-8"), (b"[]", "must be a JSON object"), (b"", "must be JSON")],
)
def test_body_that_is_no_message_is_rejected(
    dlq: DeadLetters, file: Path, content: bytes, message: str
) -> None:
    file.write_bytes(content)

    run = dlq.run("edit", LOG_ID, "--file", str(file))

    assert run.status == 1
    assert message in run.err


def test_missing_file_is_reported(dlq: DeadLetters, file: Path) -> None:
    run = dlq.run("edit", LOG_ID, "--file", str(file))

    assert run.status == 1
    assert "No such file" in run.err


def test_edit_after_an_id_conflict_assigns_a_new_id(dlq: DeadLetters, file: Path) -> None:
    dlq.queues.send(make_body(id=LOG_ID, url="/one"))
    dlq.run_writer()
    dead_letter = dlq.reject(make_body(id=LOG_ID, url="/two"))
    file.write_text(make_body(url="/two"))

    run = dlq.run("edit", dead_letter["message_id"], "--file", str(file))
    dlq.run_writer()

    assert dlq.list_json() == []
    ids = {item.url: item.id for item in logs()}
    assert ids["/one"] == LOG_ID
    assert run.out == f"Sent: log {ids['/two']}\n"


def test_characters_that_sqs_rejects_are_escaped(dlq: DeadLetters, file: Path) -> None:
    dead_letter = dlq.reject("invalid")
    file.write_text(make_body(url="@").replace("@", "\uffff"), encoding="utf-8")

    dlq.run("edit", dead_letter["message_id"], "--file", str(file))

    assert dlq.queues.bodies() == [make_body(url="\uffff")]


def test_oversize_body_is_compressed(dlq: DeadLetters, file: Path) -> None:
    dead_letter = dlq.reject("invalid")
    file.write_text(make_body(payload="x" * 3_000_000))

    assert dlq.run("edit", dead_letter["message_id"], "--file", str(file)).status == 0
    dlq.run_writer()

    assert [item.payload_size for item in logs()] == [3_000_000]


def test_oversize_compressed_body_is_rejected(dlq: DeadLetters, file: Path) -> None:
    dead_letter = dlq.reject("invalid")
    file.write_text(make_body(id=LOG_ID, created_at="2026-11-23T22:44:00Z", payload=noise(2_000_000)))

    run = dlq.run("edit", dead_letter["message_id"], "--file", str(file))

    assert run.status == 1
    assert "1 MiB" in run.err
    assert dlq.list_json() == [dead_letter]
