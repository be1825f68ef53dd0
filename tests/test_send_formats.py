"""`python -m ingest send`: byte order marks, encodings, gzip, arrays, and the ids of logs."""

import bz2
import codecs
import gzip
import io
import json
import lzma
import random
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest import __main__ as commands
from ingest.cli import json_values, ndjson, relay
from ingest.cli.errors import CommandFailed
from ingest.cli.log_file import LogFile
from ingest.cli.relay import Relay
from ingest.wire import sqs
from tests.factories import make_body
from tests.switched_sqs import SwitchedSqs

URL = "http://127.0.0.1/123456789012/logs"
BOM = codecs.BOM_UTF8


@pytest.fixture
def run(
    switched: SwitchedSqs, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    """Return a function that runs the command. It returns the exit status and the error output."""
    monkeypatch.setenv("LOGS_QUEUE_URL", URL)

    def send(*arguments: object, stdin: bytes | None = None) -> tuple[int, str]:
        if stdin is not None:
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = commands.main(["send", *map(str, arguments)])
        return status, capsys.readouterr().err

    return send


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs.ndjson"


def lines(*users: int) -> bytes:
    return b"".join(make_body(user_id=user).encode() + b"\n" for user in users)


def array(*users: int, indent: int | None = None) -> bytes:
    return json.dumps([json.loads(make_body(user_id=user)) for user in users], indent=indent).encode()


def ids(switched: SwitchedSqs) -> list[str]:
    """Return the ids of the accepted logs, in order, and forget them."""
    result = [json.loads(body)["id"] for batch in switched.batches for body in batch]
    switched.batches.clear()
    return result


# Byte order marks.

READABLE = {
    "mark": BOM + lines(0, 1, 2),
    "several marks": BOM * 3 + lines(0, 1, 2),
    "mark and Windows line ends": BOM + lines(0, 1, 2).replace(b"\n", b"\r\n"),
    "joined files": BOM + lines(0) + BOM + lines(1, 2),
    "blank line with a mark": BOM + b"\r\n" + lines(0, 1, 2),
    "gzip": gzip.compress(lines(0, 1, 2)),
    "gzip with a mark": gzip.compress(BOM + lines(0, 1, 2)),
    "several gzip members": gzip.compress(lines(0)) + gzip.compress(BOM + lines(1, 2)) + bytes(10),
    "array": array(0, 1, 2),
    "array with a mark": BOM + array(0, 1, 2),
    "indented array": b"\n " + array(0, 1, 2, indent=2) + b"\n",
    "array in gzip": gzip.compress(BOM + array(0, 1, 2, indent=1)),
    "arrays in lines": array(0, 1) + b"\n" + BOM + array() + array(2),
    "line per element": b"[\n" + lines(0, 1, 2).strip().replace(b"\n", b",\n") + b"\n]\n",
    "objects over several lines": b"".join(
        json.dumps(json.loads(make_body(user_id=user)), indent=4).encode() + b"\n" for user in range(3)
    ),
    "old Mac line ends": lines(0, 1, 2).replace(b"\n", b"\r"),
    "indented with old Mac line ends": array(0, 1, 2, indent=1).replace(b"\n", b"\r"),
    "JSON text sequence": b"".join(b"\x1e" + lines(user) for user in range(3)),
    "indented JSON text sequence": b"".join(
        b"\x1e" + array(user, indent=2)[1:-1].strip() + b"\n" for user in range(3)
    ),
    "objects in one line": lines(0, 1, 2).replace(b"\n", b""),
    "compact before indented": lines(0, 1) + array(2, indent=2)[1:-1],
    "compact before broken lines": lines(0, 1) + lines(2).replace(b", ", b",\n"),
    "compact after indented": array(0, indent=2)[1:-1] + b"\n" + lines(1, 2),
}


@pytest.mark.parametrize("content", READABLE.values(), ids=READABLE.keys())
@pytest.mark.parametrize("is_stdin", [False, True], ids=["file", "stdin"])
def test_send_reads_every_readable_format(
    run: Callable[..., Any], switched: SwitchedSqs, path: Path, content: bytes, is_stdin: bool
) -> None:
    path.write_bytes(content)
    status, err = run("-", stdin=content) if is_stdin else run(path)
    assert (status, switched.users) == (0, [0, 1, 2])
    assert "Sent: 3, refused: 0" in err


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
def test_array_is_split_at_any_chunk(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(json_values, "CHUNK_BYTES", chunk)
    values: list[Any] = [{"a": '[{"\\'}, "b\\\\", {"c": [[], {}, "]"]}, 7, None, [], "é,\\u002c", {}]
    for text in (json.dumps(values), json.dumps(values, indent=1, ensure_ascii=False)):
        split = json_values.split(io.BytesIO(f" {text} [] {{}} [1]".encode()), 1000)
        assert [json.loads(value) for value in split] == [*values, {}, 1]


def test_random_arrays_are_split_as_json_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(12)

    def value(depth: int) -> Any:
        kind = chance.randrange(5 if depth < 4 else 3)
        if kind < 3:
            return "".join(chance.choices('[]{},"\\ aé\n', k=chance.randrange(6)))
        items = [value(depth + 1) for _ in range(chance.randrange(4))]
        return items if kind == 3 else {str(item): item for item in items}

    for _ in range(200):
        monkeypatch.setattr(json_values, "CHUNK_BYTES", chance.randrange(1, 50))
        values = [value(0) for _ in range(chance.randrange(6))]
        text = json.dumps(values, indent=chance.choice([None, 2])).encode()
        assert [json.loads(part) for part in json_values.split(io.BytesIO(text), 10_000)] == values


@pytest.mark.parametrize(
    ("content", "sent", "words"),
    [
        (array(0, 1)[:-1], 1, "incomplete: it ends after log 1"),
        (array(0, 1)[:-20], 1, "incomplete: it ends after log 1"),
        (b"[", 0, "incomplete: it ends after log 0"),
        (array(0, 1) + b" text", 2, "The text after log 2 is neither a JSON array nor an object"),
        (array(0)[:-1] + b",]", 1, "log 2: body: must be JSON"),
        (array(0)[:-1] + b",7," + array(1)[1:], 2, "log 2: body: must be a JSON object"),
        (array(0)[:-1] + b',{"type": 1},' + array(1)[1:], 2, "log 2: account_id: is required"),
        (b'[{"a" 1}, ' + array(1)[1:], 1, "log 1: body: must be JSON"),
    ],
)
def test_damaged_array_keeps_its_complete_logs(
    run: Callable[..., Any], switched: SwitchedSqs, path: Path, content: bytes, sent: int, words: str
) -> None:
    path.write_bytes(content)
    status, err = run(path)
    assert (status, len(switched.users)) == (1, sent)
    assert words in err
    assert "Traceback" not in err


def test_array_continues_at_a_log(run: Callable[..., Any], switched: SwitchedSqs, path: Path) -> None:
    path.write_bytes(array(*range(5), indent=2))
    run(path)
    whole = ids(switched)
    run(path, "--from-line", 4)
    assert ids(switched) == whole[3:]


def test_overlong_element_is_refused_within_bounds(
    run: Callable[..., Any], switched: SwitchedSqs, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ndjson, "MAX_LINE_BYTES", 1000)
    path.write_bytes(array(0)[:-1] + b',{"payload": "' + b"x" * 300_000 + b'"},' + array(2)[1:])
    status, err = run(path)
    assert (status, switched.users) == (1, [0, 2])
    assert "log 2: body: must have at most 1,000 bytes" in err


def test_decompression_bomb_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndjson, "MAX_LINE_BYTES", 1000)
    bomb = gzip.compress(b"x" * 5_000_000 + b"\n" + lines(1))
    assert len(bomb) < 10_000
    assert [len(line) for line in LogFile(io.BytesIO(bomb), "bomb").records()] == [1002, len(lines(1)) - 1]


DAMAGED = {
    "truncated": gzip.compress(lines(*range(50)), compresslevel=0)[:-300],
    "without its end": gzip.compress(lines(*range(50)))[:-8],
    "wrong checksum": gzip.compress(lines(*range(50)))[:-8] + bytes(8),
    "text after it": gzip.compress(lines(*range(50))) + b"text",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_gzip_keeps_its_complete_lines(
    run: Callable[..., Any], switched: SwitchedSqs, path: Path, content: bytes
) -> None:
    path.write_bytes(content)
    status, err = run(path)
    assert status == 1
    assert f"{path} is a damaged or incomplete gzip file" in err
    assert len(switched.users) >= 45
    assert f"To continue: --from-line {len(switched.users) + 1}" in err


def test_gzip_of_nothing_sends_nothing(run: Callable[..., Any], path: Path) -> None:
    for content in (b"", BOM, gzip.compress(b""), b"[]", b" [ ] "):
        path.write_bytes(content)
        assert run(path)[0] == 0


def make_zip() -> bytes:
    with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
        archive.writestr("logs.ndjson", lines(0))
    return file.getvalue()


def make_tar() -> bytes:
    with tarfile.open(fileobj=(file := io.BytesIO()), mode="w") as archive:
        archive.addfile(tarfile.TarInfo("logs.ndjson"))
    return file.getvalue()


TEXT = lines(0, 1).decode()
UNREADABLE = {
    "UTF-16": (TEXT.encode("utf-16"), "is in UTF-16, but logs must be in UTF-8. Convert it: iconv -f UTF-16"),
    "UTF-16 BE": (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "iconv -f UTF-16 "),
    "UTF-16 without mark": (TEXT.encode("utf-16-le"), "iconv -f UTF-16LE"),
    "UTF-16 BE without mark": (TEXT.encode("utf-16-be"), "iconv -f UTF-16BE"),
    "UTF-32": (TEXT.encode("utf-32"), "iconv -f UTF-32 "),
    "UTF-32 BE without mark": (TEXT.encode("utf-32-be"), "iconv -f UTF-32BE"),
    "UTF-16 in gzip": (gzip.compress(TEXT.encode("utf-16")), "is in UTF-16"),
    "zip": (make_zip(), "is a zip archive. Decompress it: unzip -p"),
    "bzip2": (bz2.compress(TEXT.encode()), "is compressed by bzip2"),
    "xz": (lzma.compress(TEXT.encode()), "is compressed by xz"),
    "zstd": (b"\x28\xb5\x2f\xfd\x00", "is compressed by zstd"),
    "tar": (make_tar(), "is a tar archive"),
    "tar in gzip": (gzip.compress(make_tar()), "is a tar archive"),
    "gzip twice": (gzip.compress(gzip.compress(TEXT.encode())), "is compressed twice"),
    "zlib": (zlib.compress(TEXT.encode()), "is compressed by zlib. Decompress it: zlib-flate"),
    "fast zlib": (zlib.compress(TEXT.encode(), 1), "is compressed by zlib"),
    "RAR": (b"Rar!\x1a\x07\x01\x00", "is a RAR archive. Decompress it: unrar p -inul FILE"),
    "lzma": (lzma.compress(TEXT.encode(), lzma.FORMAT_ALONE), "is compressed by lzma"),
    "Snappy": (b"\xff\x06\x00\x00sNaPpY", "is compressed by Snappy"),
    "Parquet": (b"PAR1\x15\x04\x15", "is a Parquet file. Convert it to one JSON object per line"),
    "Avro": (b"Obj\x01\x04\x14", "is an Avro file. Convert it"),
    "ORC": (b"ORC\x00\x00\x00", "is an ORC file. Convert it"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\n", "is a PDF document. Convert it"),
    "XML": (BOM + b'<?xml version="1.0"?>\n<logs/>\n', "is an XML document"),
    "SQLite": (b"SQLite format 3\0", "is an SQLite database"),
    "CSV": (b"account_id,user_id,type,sub_type,url\n7,12,login,,/\n", "is a table (CSV)"),
    "CSV of a spreadsheet": (BOM + b'"Type";"URL";"Text"\r\n"login";"/";""\r\n', "is a table (CSV)"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "words"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_other_format_is_named_with_the_remedy(
    run: Callable[..., Any], switched: SwitchedSqs, path: Path, content: bytes, words: str
) -> None:
    path.write_bytes(content)
    for status, err in (run(path), run("-", stdin=content)):
        assert status == 1
        assert words in err
        assert "Traceback" not in err
    with pytest.raises(CommandFailed) as error:
        Relay(path, path.with_name("checkpoint"), sqs.client(), URL).run()
    assert words in str(error.value) or "compressed by gzip" in str(error.value)
    assert switched.users == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (make_body(url="/caf\xe9").encode(), None),
        (make_body(url="X").encode().replace(b"X", b"/caf\xe9"), "iconv -f WINDOWS-1252"),
        (make_body(url="X").encode().replace(b"X", b"\xed\xa0\xbd"), None),
        (make_body().encode("utf-16-le"), "without NUL bytes; it may be in UTF-16"),
    ],
)
def test_line_in_another_encoding_is_named(
    run: Callable[..., Any], switched: SwitchedSqs, path: Path, line: bytes, words: str | None
) -> None:
    path.write_bytes(lines(0) + line + b"\n" + lines(2))
    status, err = run(path)
    assert status == (1 if words else 0)
    assert not words or f"line 2: body: {words}" in err or words in err
    assert len(switched.users) == (2 if words else 3)


def test_progress_counts_compressed_bytes(
    run: Callable[..., Any], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.cli.progress._tqdm", None)
    content = gzip.compress(lines(*range(100)))
    path.write_bytes(content)
    assert f"Sending: {len(content)} of about {len(content)} bytes" in run(path)[1]


# Following a file.


@pytest.fixture
def follow_file(monkeypatch: pytest.MonkeyPatch, switched: SwitchedSqs, path: Path) -> Callable[[int], None]:
    """Return a function that follows the file until this many lines are sent."""
    monkeypatch.setattr(relay, "POLL_SECONDS", 0.01)

    def follow(count: int) -> None:
        follower = Relay(path, path.with_name("checkpoint"), sqs.client(), URL)
        monkeypatch.setattr(
            follower, "_sleep", lambda seconds: follower.stop() if follower.sent >= count else None
        )
        follower.run()
        assert follower.sent == count

    return follow


@pytest.mark.parametrize(
    "name", ["mark", "several marks", "joined files", "blank line with a mark", "JSON text sequence"]
)
def test_relay_skips_byte_order_marks(
    follow_file: Callable[[int], None], switched: SwitchedSqs, path: Path, name: str
) -> None:
    path.write_bytes(READABLE[name])
    follow_file(3)
    assert switched.users == [0, 1, 2]
    with path.open("ab") as file:
        file.write(BOM + lines(3))
    switched.batches.clear()
    follow_file(1)
    assert switched.users == [3]


@pytest.mark.parametrize(
    "name",
    [
        "gzip",
        "indented array",
        "objects over several lines",
        "old Mac line ends",
        "objects in one line",
        "compact before indented",
    ],
)
def test_relay_refuses_formats_that_cannot_grow(switched: SwitchedSqs, path: Path, name: str) -> None:
    path.write_bytes(READABLE[name])
    with pytest.raises(CommandFailed, match=r"Send it without --follow\.$"):
        Relay(path, path.with_name("checkpoint"), sqs.client(), URL).run()


@pytest.mark.parametrize("first", [b"[2026-11-23] started\n", b"[info] {}\n", b"# comment, type\n", b"{}\n"])
def test_relay_follows_a_file_with_an_invalid_first_line(
    follow_file: Callable[[int], None], path: Path, first: bytes
) -> None:
    path.write_bytes(first + lines(1))
    follow_file(2)


# The ids of logs without an id.


def test_equal_lines_of_two_files_are_different_logs(
    run: Callable[..., Any], switched: SwitchedSqs, tmp_path: Path
) -> None:
    for name in ("a.ndjson", "b.ndjson", "a.json", "c.ndjson"):
        (tmp_path / name).write_bytes(array(0, 1) if name == "a.json" else lines(0, 1))
        run(tmp_path / name)
    assert len(set(ids(switched))) == 8


@pytest.mark.parametrize("first", [b"x", b"", make_body(user_id=5).encode()])
def test_equal_lines_after_other_content_are_different_logs(
    run: Callable[..., Any], switched: SwitchedSqs, path: Path, first: bytes
) -> None:
    for content in (lines(0, 1, 1), first + b"\n" + lines(1, 1)):
        run("-", stdin=content)
        path.write_bytes(content)
        run(path)
    sent = ids(switched)
    assert len(sent) == len(set(sent))


def test_equal_lines_of_one_file_are_different_logs(run: Callable[..., Any], switched: SwitchedSqs) -> None:
    run("-", stdin=lines(0, 0, 0))
    assert len(set(ids(switched))) == 3


@pytest.mark.parametrize(
    "change", ["none", "append", "link", "line ends", "mark", "gzip", "relative", "resume"]
)
def test_file_that_is_sent_again_has_the_same_ids(
    run: Callable[..., Any],
    switched: SwitchedSqs,
    path: Path,
    change: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path.write_bytes(lines(0, 1, 1))
    run(path)
    before = ids(switched)
    arguments: list[Any] = [path]
    if change == "append":
        path.write_bytes(lines(0, 1, 1, 2))
    elif change == "link":
        arguments = [path.with_name("link")]
        arguments[0].symlink_to(path)
    elif change == "line ends":
        path.write_bytes(lines(0, 1, 1).replace(b"\n", b"\r\n"))
    elif change == "mark":
        path.write_bytes(BOM + lines(0, 1, 1))
    elif change == "gzip":
        arguments = [path.with_name("logs.ndjson.gz")]
        arguments[0].write_bytes(gzip.compress(lines(0, 1, 1)))
    elif change == "relative":
        monkeypatch.chdir(path.parent)
        arguments = ["./logs.ndjson"]
    elif change == "resume":
        arguments = [path, "--from-line", 2]
    run(*arguments)
    assert ids(switched)[:3] == (before[1:] if change == "resume" else before)


def test_source_names_a_moved_file_and_standard_input(
    run: Callable[..., Any], switched: SwitchedSqs, path: Path
) -> None:
    path.write_bytes(lines(0))
    run(path)
    moved = path.rename(path.with_name("logs.ndjson.1"))
    run(moved)
    run(moved, "--source", path)
    run("-", "--source", path, stdin=lines(0))
    run("-", stdin=lines(0))
    run("-", "--source", "monday", stdin=lines(0))
    run("-", "--source", "monday", stdin=lines(0))
    first, other, again, piped, unnamed, monday, repeated = ids(switched)
    assert first == again == piped
    assert monday == repeated
    assert len({first, other, unnamed, monday}) == 4


def test_file_name_that_is_no_unicode_is_sent(
    run: Callable[..., Any], switched: SwitchedSqs, tmp_path: Path
) -> None:
    path = tmp_path / "logs-\udcff.ndjson"
    path.write_bytes(lines(0))
    assert run(path)[0] == 0
    assert switched.users == [0]
