"""`dead-letters import`: corrected bodies are replayed with the identity of their first delivery."""

import bz2
import codecs
import gzip
import io
import json
import os
import random
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ingest import __main__ as ingest_commands
from ingest.cli.dlq import corrections
from ingest.sending.size import compress
from logs import times
from tests.dead_letters import DeadLetters, Run, run
from tests.factories import LOG_ID, make_body, make_fields
from tests.items import logs
from tests.memory_sqs import DEAD_LETTER_QUEUE_URL, QUEUE_URL, MemorySqs
from tests.noise import noise
from tests.queues import attribute_texts

pytest_plugins = ["tests.sqs_server"]
OTHER_ID = "f" * 32

Lines = list[dict[str, Any]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of the corrected file."""
    return tmp_path / "bodies.ndjson"


@dataclass(frozen=True)
class Letter:
    """One invalid dead letter in a fake SQS."""

    sqs: MemorySqs
    message_id: str
    capsys: pytest.CaptureFixture[str]

    def run_import(self, *arguments: str) -> Run:
        return run(self.capsys, "import", *arguments)

    def sent(self) -> int:
        """Return the number of messages in the queue of logs."""
        return len(self.sqs.visible(QUEUE_URL))


@pytest.fixture
def letter(memory_sqs: MemorySqs, file: Path, capsys: pytest.CaptureFixture[str]) -> Letter:
    """Return a dead letter. The file has its corrected line."""
    message_id = memory_sqs.put(DEAD_LETTER_QUEUE_URL, make_body(type=""))
    write(file, [{"message_id": message_id, "body": make_fields()}])
    return Letter(memory_sqs, message_id, capsys)


def write(file: Path, lines: Lines) -> None:
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def correct(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change each line of the file in place."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        change(line)
    write(file, lines)


def set_type(line: dict[str, Any]) -> None:
    """Correct the fault of most tests."""
    line["body"]["type"] = "login"


def export(dlq: DeadLetters, file: Path) -> None:
    assert dlq.run("export", str(file), "--overwrite").status == 0


@pytest.mark.usefixtures("logs_table")
def test_corrected_logs_have_their_first_identity(dlq: DeadLetters, file: Path) -> None:
    dead_letters = [dlq.reject(make_body(type="", url=f"/{number}")) for number in range(3)]
    export(dlq, file)
    correct(file, set_type)

    run = dlq.run("import", str(file))
    dlq.run_writer()

    assert (run.status, run.out) == (0, "Replayed: 3\n")
    stored = {item.id: (item.type, times.to_text(item.created_at)) for item in logs()}
    assert stored == {each["log_id"]: ("login", each["sent_at"]) for each in dead_letters}
    assert dlq.list_json() == []


def test_import_preserves_the_senders_attributes(dlq: DeadLetters, file: Path) -> None:
    dead_letter = dlq.reject(make_body(type=""), trace="abc")
    export(dlq, file)
    correct(file, set_type)

    dlq.run("import", str(file))

    [message] = dlq.queues.messages()
    assert attribute_texts(message) == {
        "log-id": dead_letter["log_id"],
        "log-sent-at": dead_letter["sent_at"],
        "trace": "abc",
    }


def test_invalid_lines_stay_in_the_queue(dlq: DeadLetters, file: Path) -> None:
    dead_letters = [dlq.reject(make_body(type="", url=f"/{number}")) for number in range(3)]
    export(dlq, file)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    set_type(lines[1])
    lines[2]["body"] |= {"type": "login", "account_id": "a#b", "created_at": "soon"}
    write(file, lines)

    run = dlq.run("import", str(file))

    assert (run.status, run.out) == (1, "Replayed: 1\n")
    assert "line 1: type: must be a non-empty text\n" in run.err
    assert "line 3: account_id: must not contain #; created_at: must be an ISO 8601 time" in run.err
    assert "Refused: 2. Their dead letters stay in the queue.\n" in run.err
    remaining = {lines[0]["message_id"], lines[2]["message_id"]}
    assert {each["message_id"] for each in dlq.list_json()} == remaining
    assert remaining < {each["message_id"] for each in dead_letters}


def test_dry_run_changes_nothing(dlq: DeadLetters, file: Path) -> None:
    dead_letters = [dlq.reject(make_body(type="", url=f"/{number}")) for number in range(2)]
    export(dlq, file)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    set_type(lines[0])
    write(file, [*lines, {"message_id": "other", "body": make_fields()}])

    run = dlq.run("import", str(file), "--dry-run")

    assert (run.status, run.out) == (1, "Would be replayed: 1\n")
    assert "line 2: type: must be a non-empty text\n" in run.err
    assert "line 3: no dead letter has this message id\n" in run.err
    assert dlq.queues.count() == 0
    assert dlq.list_json() == dead_letters
    assert list(file.parent.iterdir()) == [file]


def test_repeated_import_sends_nothing(letter: Letter, file: Path) -> None:
    assert letter.run_import(str(file)).status == 0

    run = letter.run_import(str(file))

    assert (run.status, run.out) == (0, "Replayed: 0\n")
    assert run.err.endswith("Replayed before: 1\n")
    assert letter.sent() == 1


def test_line_without_a_dead_letter_is_not_sent(letter: Letter, file: Path) -> None:
    letter.sqs.queues[DEAD_LETTER_QUEUE_URL].clear()

    run = letter.run_import(str(file))

    assert (run.status, run.out) == (1, "Replayed: 0\n")
    assert "line 1: no dead letter has this message id\n" in run.err
    assert "Without a dead letter: 1. They were replayed, discarded, or have expired.\n" in run.err
    assert letter.sent() == 0


def test_hidden_dead_letter_is_reported(letter: Letter, file: Path) -> None:
    letter.sqs.queues[DEAD_LETTER_QUEUE_URL][letter.message_id].visible_at = 1000  # by another consumer

    run = letter.run_import(str(file))

    assert run.status == 1
    assert "Without a dead letter: 1. About 1 more could not be read" in run.err


@pytest.mark.usefixtures("logs_table")
def test_interrupted_import_stores_each_log_once(
    dlq: DeadLetters, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead_letters = [dlq.reject(make_body(type="", url=f"/{number}")) for number in range(3)]
    export(dlq, file)
    correct(file, set_type)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        # The messages are sent, but their dead letters not deleted.
        context.setattr("ingest.cli.dlq.queue.DeadLetterQueue.delete", interrupt)
        first = dlq.run("import", str(file))
    second = dlq.run("import", str(file))
    dlq.run_writer()

    assert (first.status, first.out) == (130, "Replayed: 0\n")
    assert "To continue with the other 3, repeat the command.\n" in first.err
    assert (second.status, second.out) == (0, "Replayed: 3\n")
    assert {item.id for item in logs()} == {each["log_id"] for each in dead_letters}
    assert dlq.list_json() == []


@pytest.mark.usefixtures("logs_table")
def test_conflict_needs_another_id(dlq: DeadLetters, file: Path) -> None:
    dlq.queues.send(make_body(id=LOG_ID, url="/one"))
    dlq.run_writer()
    dlq.reject(make_body(id=LOG_ID, url="/two"))
    dlq.reject(make_body(id=LOG_ID, url="/three"))
    dlq.reject(make_body(id=LOG_ID, url="/four"))
    export(dlq, file)

    def change(line: dict[str, Any]) -> None:
        if line["body"]["url"] == "/two":
            del line["body"]["id"]
        if line["body"]["url"] == "/three":
            line["body"]["id"] = OTHER_ID

    correct(file, change)
    run = dlq.run("import", str(file))
    dlq.run_writer()

    assert (run.status, run.out) == (1, "Replayed: 2\n")
    assert "id: is still that of another log; delete it for a new id, or change it\n" in run.err
    ids = {item.url: item.id for item in logs()}
    assert ids.keys() == {"/one", "/two", "/three"}
    assert (ids["/one"], ids["/three"]) == (LOG_ID, OTHER_ID)
    [remaining] = dlq.list_json()
    assert json.loads(remaining["body"])["url"] == "/four"


@pytest.mark.usefixtures("logs_table")
def test_deleted_id_is_restored_without_a_conflict(dlq: DeadLetters, file: Path) -> None:
    dlq.reject(make_body(id=LOG_ID, type=""))
    export(dlq, file)
    correct(file, lambda line: line["body"].update(type="login", id=None))

    assert dlq.run("import", str(file)).status == 0
    dlq.run_writer()

    assert [item.id for item in logs()] == [LOG_ID]


@pytest.mark.parametrize(
    "body",
    [
        '{"url" : "/ü", "sub_type":"x", "type":"x","user_id":1,"account_id":1, "payload": 1.10}\r\n',
        make_body(payload="\ufffd\x7f\u2028"),
        compress(make_body(payload="x" * 100_000)) or "",
    ],
)
def test_unchanged_body_is_sent_character_by_character(dlq: DeadLetters, file: Path, body: str) -> None:
    dlq.exhaust(body)
    export(dlq, file)
    correct(file, lambda line: line.update(note="other members are ignored", body_text=None))

    assert dlq.run("import", str(file)).status == 0

    assert dlq.queues.bodies() == [body]


def test_unchanged_body_is_still_invalid(dlq: DeadLetters, file: Path) -> None:
    for body in ("no JSON", '{"half": "\\udc00"', "[1]", make_body(url=...)):
        dlq.exhaust(body)
    export(dlq, file)

    run = dlq.run("import", str(file))

    assert (run.status, run.out) == (1, "Replayed: 0\n")
    assert "Refused: 4." in run.err
    assert dlq.queues.count() == 0
    assert len(dlq.list_json()) == 4


def test_unchanged_body_too_large_for_the_table_is_refused(dlq: DeadLetters, file: Path) -> None:
    attributes = {"log-id": LOG_ID, "log-sent-at": "2026-11-23T22:44:00+00:00", "error-code": "too_large"}
    dlq.queues.client.send_message(
        QueueUrl=dlq.queues.dead_letter_url,
        MessageBody=make_body(),
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    )
    export(dlq, file)

    run = dlq.run("import", str(file))

    assert run.status == 1
    assert "line 1: body: is unchanged, so the writer would reject it again\n" in run.err


def test_text_can_be_replaced_by_json(dlq: DeadLetters, file: Path) -> None:
    for body in ("type=login", make_body()[:-1]):
        dlq.exhaust(body)
    export(dlq, file)

    def change(line: dict[str, Any]) -> None:
        if line["body_text"] == "type=login":
            line |= {"body": make_fields(url="/one"), "body_text": None}
        else:
            line["body_text"] += "}"

    correct(file, change)

    assert dlq.run("import", str(file)).status == 0
    assert sorted(json.loads(body)["url"] for body in dlq.queues.bodies()) == ["/login", "/one"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"\xff\xfe{", "line: must be UTF-8"),
        (b"7", "line: must be one JSON object on one line, as `export` writes it (jq needs -c)"),
        (b'{"\0m\0', "line: must be JSON in UTF-8 without NUL bytes; it may be in UTF-16"),
        (b'{"a": "caf\xe9"}', "line: must be UTF-8, but byte 11 is not; if it is in Windows-1252: iconv -f"),
        (b'{"message_id"', "line: must be one JSON object on one line"),
        (b'"text"', "line: must be one JSON object on one line"),
        (b'{"a":' + b"[" * 100_000, "line: must be one JSON object on one line"),
        (b'{"body": {}}', "message_id: must be the text that `export` wrote"),
        (b'{"message_id": 7, "body": {}}', "message_id: must be the text that `export` wrote"),
        (b'{"message_id": "x"}', "body: is required, or body_text, but not both"),
        (b'{"message_id": "x", "body": null}', "body: is required, or body_text, but not both"),
        (b'{"message_id": "x", "body": {}, "body_text": "x"}', "body: is required, or body_text, but not"),
        (b'{"message_id": "x", "body_text": {}}', "body_text: must be a text; JSON belongs into body"),
        (b'{"message_id": "x", "body": "{}"}', "account_id: is required"),
        (b'{"message_id": "x", "body": NaN}', "body: must be JSON in UTF-8, with finite numbers"),
        (b'{"message_id": "x", "body": {"a": NaN}}', "body: must be JSON in UTF-8, with finite numbers"),
        (b'{"message_id": "x", "body": [' + b"1," * 200_000 + b"1]}", "body: must have at most 100,000"),
    ],
)
def test_invalid_line_is_reported_with_its_number(
    memory_sqs: MemorySqs, file: Path, capsys: pytest.CaptureFixture[str], line: bytes, message: str
) -> None:
    file.write_bytes(b"\n" + line + b"\n")

    assert ingest_commands.main(["dead-letters", "import", str(file)]) == 1

    assert f"line 2: {message}" in capsys.readouterr().err


def test_line_too_long_is_reported(
    memory_sqs: MemorySqs, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corrections, "MAX_LINE_BYTES", 400)
    message_id = memory_sqs.put(DEAD_LETTER_QUEUE_URL, "invalid")
    valid = json.dumps({"message_id": message_id, "body": make_fields()})
    file.write_text(f"{'x' * 2000}\n{valid}\n")

    assert ingest_commands.main(["dead-letters", "import", str(file)]) == 1

    output = capsys.readouterr()
    assert "line 1: line: must have at most 400 bytes\n" in output.err
    assert output.out == "Replayed: 1\n"


def test_two_lines_for_one_dead_letter_are_refused(letter: Letter, file: Path) -> None:
    file.write_text(2 * file.read_text())

    run = letter.run_import(str(file))

    assert (run.status, run.out) == (1, "Replayed: 0\n")
    assert "line 2: message_id: is that of line 1 too; keep one of them\n" in run.err
    assert letter.sent() == 0


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_file_of_an_editor_on_windows_is_read(letter: Letter, file: Path, mark: bytes) -> None:
    file.write_bytes(mark + b"\r\n" + file.read_bytes().replace(b"\n", b"\r\n"))

    assert letter.run_import(str(file)).out == "Replayed: 1\n"


def test_byte_order_mark_before_the_first_line_is_skipped(letter: Letter, file: Path) -> None:
    file.write_bytes(codecs.BOM_UTF8 + file.read_bytes())

    assert letter.run_import(str(file)).out == "Replayed: 1\n"


def add_letter(letter: Letter) -> list[dict[str, Any]]:
    """Return the corrected lines of two dead letters."""
    other = letter.sqs.put(DEAD_LETTER_QUEUE_URL, make_body(type=""))
    return [{"message_id": message_id, "body": make_fields()} for message_id in (letter.message_id, other)]


def indent(lines: Lines) -> bytes:
    return "\n".join(json.dumps(line, indent=2) for line in lines).encode()


def dump(lines: Lines) -> bytes:
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()


READABLE: dict[str, Callable[[Lines], bytes]] = {
    "array": lambda lines: json.dumps(lines).encode(),
    "indented array": lambda lines: json.dumps(lines, indent=2).encode(),
    "jq without -c": indent,
    "Windows line ends": lambda lines: indent(lines).replace(b"\n", b"\r\n"),
    "gzip": lambda lines: gzip.compress(dump(lines)),
    "array in gzip": lambda lines: gzip.compress(codecs.BOM_UTF8 + json.dumps(lines).encode()),
    "joined files": lambda lines: b"".join(codecs.BOM_UTF8 + dump([line]) for line in lines),
    "several marks": lambda lines: codecs.BOM_UTF8 * 3 + dump(lines),
}


@pytest.mark.parametrize("encode", READABLE.values(), ids=READABLE.keys())
@pytest.mark.parametrize("is_stdin", [False, True], ids=["file", "stdin"])
def test_import_reads_every_readable_format(
    letter: Letter,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    encode: Callable[[Lines], bytes],
    is_stdin: bool,
) -> None:
    content = encode(add_letter(letter))
    file.write_bytes(content)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    assert letter.run_import("-" if is_stdin else str(file)).out == "Replayed: 2\n"


UNREADABLE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "UTF-16": (lambda text: text.decode().encode("utf-16"), "iconv -f UTF-16 -t UTF-8 FILE"),
    "UTF-16 without mark": (lambda text: text.decode().encode("utf-16-le"), "iconv -f UTF-16LE"),
    "UTF-16 in gzip": (lambda text: gzip.compress(text.decode().encode("utf-16")), "iconv -f UTF-16"),
    "bzip2": (bz2.compress, "bzcat FILE | python -m ingest dead-letters import -"),
    "incomplete array": (lambda text: b"[" + text, "incomplete: it ends after log 0"),
    "incomplete gzip": (lambda text: gzip.compress(text)[:-8], "damaged or incomplete gzip"),
}


@pytest.mark.parametrize(("encode", "words"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_import_names_other_formats(
    letter: Letter, file: Path, encode: Callable[[bytes], bytes], words: str
) -> None:
    file.write_bytes(encode(file.read_bytes()))

    run = letter.run_import(str(file))

    assert run.status == 1
    assert words in run.err
    assert letter.sent() == 0


def test_invalid_element_is_reported_with_its_number(letter: Letter, file: Path) -> None:
    file.write_text(json.dumps([json.loads(file.read_text()), {"message_id": 7}]))

    run = letter.run_import(str(file))

    assert (run.status, run.out) == (1, "Replayed: 1\n")
    assert "log 2: message_id: must be the text" in run.err


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_end_within_a_text_stays_invalid(letter: Letter, file: Path, line_end: str) -> None:
    lines = [{"message_id": letter.message_id, "body": make_fields(url="X")}]
    file.write_bytes(json.dumps(lines, indent=2).replace("X", f"/a{line_end}b").encode())

    run = letter.run_import(str(file))

    assert (run.status, run.out) == (1, "Replayed: 0\n")
    assert "log 1: line: must be one JSON object" in run.err


def test_import_reads_standard_input(letter: Letter, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))

    assert letter.run_import("-").out == "Replayed: 1\n"
    assert list(file.parent.iterdir()) == [file]


def test_import_reads_a_pipe(letter: Letter, file: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, file.read_bytes())
    os.close(writer)

    assert letter.run_import(f"/dev/fd/{reader}").out == "Replayed: 1\n"
    os.close(reader)


@pytest.mark.usefixtures("logs_table")
def test_oversize_correction_is_compressed(dlq: DeadLetters, file: Path) -> None:
    for body in ("one", "two"):
        dlq.exhaust(body)
    export(dlq, file)

    def change(line: dict[str, Any]) -> None:
        payload = "x" * 3_000_000 if line.pop("body_text") == "one" else noise(2_000_000)
        line["body"] = make_fields(payload=payload)

    correct(file, change)
    run = dlq.run("import", str(file))
    dlq.run_writer()

    assert (run.status, run.out) == (1, "Replayed: 1\n")
    assert "line 2: The message would exceed 1 MiB" in run.err
    assert [item.payload_size for item in logs()] == [3_000_000]
    assert [each["body"] for each in dlq.list_json()] == ["two"]


def test_missing_file_is_reported(letter: Letter) -> None:
    run = letter.run_import("missing")

    assert run.status == 1
    assert "No such file" in run.err


def test_checkpoint_is_private_and_named(letter: Letter, file: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "named"

    assert letter.run_import(str(file), "--checkpoint", str(checkpoint)).status == 0

    assert checkpoint.read_text() == f"{letter.message_id}\n"
    assert stat.S_IMODE(checkpoint.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"{}\n", b"\xff\n", b"one two\n"])
def test_other_file_is_no_checkpoint(letter: Letter, file: Path, tmp_path: Path, content: bytes) -> None:
    checkpoint = tmp_path / "other"
    checkpoint.write_bytes(content)

    run = letter.run_import(str(file), "--checkpoint", str(checkpoint))

    assert run.status == 1
    assert f"{checkpoint} is not a checkpoint of `import`" in run.err
    assert checkpoint.read_bytes() == content
    assert letter.sent() == 0


def test_checkpoint_is_writable_before_anything_is_sent(letter: Letter, file: Path) -> None:
    run = letter.run_import(str(file), "--checkpoint", str(file.parent / "missing" / "checkpoint"))

    assert run.status == 1
    assert letter.sent() == 0


def test_file_that_changes_meanwhile_is_validated_again(
    memory_sqs: MemorySqs, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [memory_sqs.put(DEAD_LETTER_QUEUE_URL, f"invalid {number}") for number in range(2)]
    write(file, [{"message_id": each, "body": make_fields(url="/aa")} for each in ids])
    receive = memory_sqs.receive_message

    def edit_first(**options: Any) -> dict[str, Any]:
        text = file.read_text().replace('"/aa"', "1234 ", 1)
        file.write_text(text.replace(ids[1], "0" * len(ids[1])))
        return receive(**options)

    monkeypatch.setattr(memory_sqs, "receive_message", edit_first)

    assert ingest_commands.main(["dead-letters", "import", str(file)]) == 1

    err = capsys.readouterr().err
    assert "line 1: url: must be a text\n" in err
    assert "line 2: line: changed during the import\n" in err
    assert memory_sqs.visible(QUEUE_URL) == []


class ManyLines:
    """A thousand dead letters without a type, and their corrected lines."""

    def __init__(self, memory_sqs: MemorySqs, file: Path) -> None:
        attributes = {"log-sent-at": "2025-11-20T00:00:00+00:00", "error-code": "invalid_fields"}
        self.ids = [
            memory_sqs.put(
                DEAD_LETTER_QUEUE_URL, make_body(type=""), **{"log-id": f"{number:032x}"}, **attributes
            )
            for number in range(1000)
        ]
        write(file, [{"message_id": each, "body": make_fields()} for each in self.ids])


@pytest.mark.parametrize("others", [0, 500])
def test_import_of_a_thousand_takes_few_requests(memory_sqs: MemorySqs, file: Path, others: int) -> None:
    for number in range(others):
        memory_sqs.put(DEAD_LETTER_QUEUE_URL, f"invalid {number}")
    ManyLines(memory_sqs, file)
    memory_sqs.seconds_per_request = 0.1

    assert ingest_commands.main(["dead-letters", "import", str(file)]) == 0

    sent = memory_sqs.visible(QUEUE_URL)
    assert {each.attributes["log-id"]["StringValue"] for each in sent} == {
        f"{number:032x}" for number in range(1000)
    }
    assert {each.attributes["log-sent-at"]["StringValue"] for each in sent} == {
        "2025-11-20T00:00:00.000000+00:00"
    }
    assert len(memory_sqs.visible(DEAD_LETTER_QUEUE_URL)) == others
    assert memory_sqs.requests.total() <= 310 + others / 5


def test_import_continues_after_an_outage(
    memory_sqs: MemorySqs, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ManyLines(memory_sqs, file)
    memory_sqs.fail = lambda name, entry: (
        "AccessDenied" if name.startswith("send") and memory_sqs.requests[name] > 50 else None
    )
    assert ingest_commands.main(["dead-letters", "import", str(file)]) == 1
    first = capsys.readouterr()

    memory_sqs.fail = lambda name, entry: None
    assert ingest_commands.main(["dead-letters", "import", str(file)]) == 0
    second = capsys.readouterr()

    assert first.out == "Replayed: 500\n"
    assert "To continue with the other 500, repeat the command.\n" in first.err
    assert "SQS does not accept messages at the moment: AccessDenied" in first.err
    assert second.out == "Replayed: 500\n"
    assert "Replayed before: 500\n" in second.err
    assert len(memory_sqs.visible(QUEUE_URL)) == 1000
    assert memory_sqs.queues[DEAD_LETTER_QUEUE_URL] == {}


def test_message_that_sqs_refuses_is_reported_by_line(
    memory_sqs: MemorySqs, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = ManyLines(memory_sqs, file)
    memory_sqs.fail = lambda name, entry: (
        "InvalidMessageContents"
        if entry.get("MessageAttributes", {}).get("log-id", {}).get("StringValue") == f"{7:032x}"
        else None
    )

    assert ingest_commands.main(["dead-letters", "import", str(file)]) == 1

    output = capsys.readouterr()
    assert output.out == "Replayed: 999\n"
    assert "line 8: SQS refused it: InvalidMessageContents" in output.err
    assert [each.id for each in memory_sqs.visible(DEAD_LETTER_QUEUE_URL)] == [many.ids[7]]


def test_batch_stays_within_a_megabyte(memory_sqs: MemorySqs, file: Path) -> None:
    text = "ü" * 150_000
    ids = [memory_sqs.put(DEAD_LETTER_QUEUE_URL, f"invalid {number}") for number in range(5)]
    write(file, [{"message_id": each, "body": make_fields(payload=text)} for each in ids])

    assert ingest_commands.main(["dead-letters", "import", str(file)]) == 0

    assert len(memory_sqs.visible(QUEUE_URL)) == 5
    assert memory_sqs.requests["send_message_batch"] == 2


def test_large_text_is_not_enlarged_by_escapes(memory_sqs: MemorySqs, file: Path) -> None:
    characters = random.Random(1).choices(range(0x4E00, 0x9FFF), k=300_000)
    fields = make_fields(type="", payload="".join(map(chr, characters)))  # 900 KB, and 1.8 MB in ASCII
    message_id = memory_sqs.put(DEAD_LETTER_QUEUE_URL, json.dumps(fields, ensure_ascii=False))
    write(file, [{"message_id": message_id, "body": {**fields, "type": "login"}}])

    assert ingest_commands.main(["dead-letters", "import", str(file)]) == 0

    [message] = memory_sqs.visible(QUEUE_URL)
    assert json.loads(message.body) == {**fields, "type": "login"}


@pytest.mark.parametrize("character", ["\uffff", "\ufffe", "\x00", "\x1b"])
def test_character_that_sqs_rejects_is_escaped(memory_sqs: MemorySqs, file: Path, character: str) -> None:
    message_id = memory_sqs.put(DEAD_LETTER_QUEUE_URL, "invalid")
    write(file, [{"message_id": message_id, "body": make_fields(url=f"/{character}")}])

    assert ingest_commands.main(["dead-letters", "import", str(file)]) == 0

    [message] = memory_sqs.visible(QUEUE_URL)
    assert character not in message.body
    assert json.loads(message.body)["url"] == f"/{character}"


def test_listing_of_refused_lines_is_limited(
    memory_sqs: MemorySqs, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(file, [{"message_id": str(number)} for number in range(300)])

    assert ingest_commands.main(["dead-letters", "import", str(file)]) == 1

    err = capsys.readouterr().err
    assert err.count("body: is required") == 100
    assert "Further lines are counted, but not listed.\n" in err
    assert "Refused: 300." in err
