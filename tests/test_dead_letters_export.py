"""`dead-letters export`: NDJSON that tools can edit, and that loses no character."""

import json
import os
import stat
import uuid
from pathlib import Path
from typing import Any

import pytest

from ingest import __main__ as ingest_commands
from ingest.cli.dlq import ndjson
from ingest.cli.dlq.dead_letter import DeadLetter
from ingest.messages import MAX_NODES
from ingest.sending.size import compress
from logsite.local.ports import free_port
from tests.dead_letters import DeadLetters
from tests.factories import LOG_ID, make_body, make_fields
from tests.memory_sqs import DEAD_LETTER_QUEUE_URL, MemorySqs

pytest_plugins = ["tests.sqs_server"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of the new file."""
    return tmp_path / "bodies.ndjson"


def read(file: Path) -> list[dict[str, Any]]:
    """Return the lines of an export."""
    return [json.loads(line) for line in file.read_text(encoding="ascii").splitlines()]


def make_dead_letter(body: str) -> DeadLetter:
    return DeadLetter.from_message(
        {
            "MessageId": str(uuid.UUID(LOG_ID)),
            "ReceiptHandle": "receipt",
            "Body": body,
            "Attributes": {"SentTimestamp": "1764000000123", "SenderId": "AIDA"},
        }
    )


def exported(body: str) -> dict[str, Any]:
    """Return the members of the line of a body."""
    members: dict[str, Any] = json.loads(ndjson.to_line(make_dead_letter(body)))
    return members


def test_export_writes_one_line_per_dead_letter(dlq: DeadLetters, file: Path, logs_table: None) -> None:
    dead_letters = [dlq.reject(make_body(type="")), dlq.reject("no JSON")]

    run = dlq.run("export", str(file))

    assert (run.status, run.out) == (0, "")
    assert run.err.endswith("Exported: 2.\n")
    members = ("message_id", "log_id", "sent_at", "code", "reason")
    assert read(file) == [
        {name: dead_letters[0][name] for name in members} | {"body": make_fields(type="")},
        {name: dead_letters[1][name] for name in members} | {"body_text": "no JSON"},
    ]


def test_export_leaves_all_messages_visible(dlq: DeadLetters, file: Path) -> None:
    for number in range(12):
        dlq.exhaust(f"invalid {number}")

    assert dlq.run("export", str(file)).status == 0

    assert len(read(file)) == 12
    assert len(dlq.queues.dead_letters()) == 12


def test_export_selects_several_reasons(dlq: DeadLetters, file: Path) -> None:
    for body in (make_body(type=""), "no JSON", "[]", make_body()):
        dlq.exhaust(body)

    run = dlq.run("export", str(file), "--code", "not_json", "--code", "valid")

    assert [line["code"] for line in read(file)] == ["not_json", None]
    assert run.err.endswith("Exported: 2.\n")
    assert run.status == 0


def test_export_writes_to_standard_output(dlq: DeadLetters) -> None:
    dlq.exhaust("no JSON")

    assert json.loads(dlq.run("export", "-").out)["body_text"] == "no JSON"


def test_only_the_owner_can_read_the_file(dlq: DeadLetters, file: Path) -> None:
    mask = os.umask(0)
    try:
        dlq.run("export", str(file))
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        file.chmod(0o666)
        dlq.run("export", str(file), "--overwrite")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    finally:
        os.umask(mask)


def test_existing_file_is_not_replaced_without_a_flag(dlq: DeadLetters, file: Path) -> None:
    dlq.exhaust("no JSON")
    file.write_text("corrected")

    run = dlq.run("export", str(file))

    assert (run.status, file.read_text()) == (1, "corrected")
    assert run.err.endswith(f"{file} exists. Pass --overwrite, or another name.\n")
    assert dlq.run("export", str(file), "--overwrite").status == 0
    assert len(read(file)) == 1


@pytest.mark.parametrize("arguments", [[], ["--overwrite"]])
def test_failed_export_leaves_no_file_behind(dlq: DeadLetters, file: Path, arguments: list[str]) -> None:
    unreachable = f"http://127.0.0.1:{free_port()}/000000000000/none"
    if arguments:
        file.write_text("before")

    assert dlq.run("export", str(file), *arguments, "--dead-letter-queue-url", unreachable).status == 1

    assert [each.read_text() for each in file.parent.iterdir()] == (["before"] if arguments else [])


@pytest.mark.parametrize("arguments", [[], ["--overwrite"]])
def test_interrupted_export_leaves_no_file_behind(
    memory_sqs: MemorySqs, monkeypatch: pytest.MonkeyPatch, file: Path, arguments: list[str]
) -> None:
    for number in range(30):
        memory_sqs.put(DEAD_LETTER_QUEUE_URL, f"invalid {number}")
    receive = memory_sqs.receive_message

    def interrupted(**options: Any) -> dict[str, Any]:
        if memory_sqs.requests["receive_message"] == 2:
            raise KeyboardInterrupt
        return receive(**options)

    monkeypatch.setattr(memory_sqs, "receive_message", interrupted)

    assert ingest_commands.main(["dead-letters", "export", str(file), *arguments]) == 130
    assert list(file.parent.iterdir()) == []
    assert len(memory_sqs.visible(DEAD_LETTER_QUEUE_URL)) == 30


@pytest.mark.parametrize("name", [".", "/dev/null"])
def test_export_replaces_regular_files_only(dlq: DeadLetters, name: str) -> None:
    run = dlq.run("export", name, "--overwrite")

    assert run.status == 1
    assert f"{name} is not a regular file" in run.err


@pytest.mark.parametrize(
    "body",
    [
        '{"broken": "\tü"',
        "NaN",
        '{"a": NaN}',
        '{"a": 1e400}',
        "null",
        "\ufffd not UTF-8",
        '{"a": ' + "1" * 5000 + "}",
        "[" * 100_000,
        "[" + "1," * MAX_NODES + "1]",
        '{"_deflate": "eJw',
        " \r\n\t",
        "😀 and \u2028 \x7f \x85 \u202e",
        "half \udc00 of a character",
    ],
)
def test_body_that_is_no_json_survives_as_text(body: str) -> None:
    line = ndjson.to_line(make_dead_letter(body))

    assert json.loads(line)["body_text"] == body
    assert ndjson.parse_line(line.encode()).body == body
    assert line.isascii()
    assert line.rstrip("\n").isprintable()


@pytest.mark.parametrize(
    "body",
    [
        make_body(type=""),
        '{"half": "\\ud83d", "\\udc00": 1}',
        '  {"spaces" : 1.10,\r\n "a": 1E2}  ',
        '{"twice": 1, "twice": 2}',
        '{"text": "ü \u2028 \x7f \x9b31m \u202e"}',
        "[1, 2]",
        '"text"',
        "0",
        "\ufeff{}",
        '{"_deflate": "eJw"}',
    ],
)
def test_body_of_json_is_editable_and_recognized(body: str) -> None:
    line = ndjson.to_line(make_dead_letter(body))

    assert json.loads(line)["body"] == json.loads(body.removeprefix("\ufeff"))
    assert ndjson.is_unchanged(ndjson.parse_line(line.encode()), make_dead_letter(body))
    assert line.isascii()
    assert line.rstrip("\n").isprintable()


@pytest.mark.parametrize(("before", "after"), [("true", "1"), ("1", "1.0"), ('"1"', "1"), ("0", "-0.0")])
def test_another_type_is_a_change(before: str, after: str) -> None:
    line = ndjson.to_line(make_dead_letter(f'{{"a": {before}}}'))
    edited = line.replace(f'"a": {before}', f'"a": {after}')

    assert not ndjson.is_unchanged(ndjson.parse_line(edited.encode()), make_dead_letter(f'{{"a": {before}}}'))


def test_compressed_body_is_exported_decompressed() -> None:
    compressed = compress(make_body(type="", payload="x" * 2_000_000))
    assert compressed is not None

    assert exported(compressed)["body"] == make_fields(type="", payload="x" * 2_000_000)


def test_incomplete_export_says_so(dlq: DeadLetters, file: Path) -> None:
    dlq.exhaust("no JSON")
    dlq.queues.dead_letters()  # another consumer hides it

    run = dlq.run("export", str(file))

    assert run.status == 1
    assert "Exported: 0. About 1 more could not be read: another consumer hides them" in run.err


def test_visibility_timeout_lasts_for_a_long_queue(memory_sqs: MemorySqs, file: Path) -> None:
    for number in range(1000):
        memory_sqs.put(DEAD_LETTER_QUEUE_URL, f"invalid {number}")
    memory_sqs.seconds_per_request = 0.4  # the whole queue takes 40 s

    assert ingest_commands.main(["dead-letters", "export", str(file)]) == 0

    assert len({line["message_id"] for line in read(file)}) == 1000
    assert memory_sqs.requests.total() <= 210
    assert len(memory_sqs.visible(DEAD_LETTER_QUEUE_URL)) == 1000
