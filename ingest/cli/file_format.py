"""The format of a file of logs, recognized by its first bytes."""

import codecs
import json
import re
import zlib
from typing import TypeVar

from ingest.cli.errors import CommandFailed
from ingest.messages import LogMessage

T = TypeVar("T")

# Enough for the header of a tar archive, and for the first line of most CSV files.
HEAD_BYTES = 512
# The longest of the magic numbers below.
MAGIC_BYTES = 6

BOM = codecs.BOM_UTF8
# Before each text of a JSON text sequence: https://www.rfc-editor.org/rfc/rfc7464
RECORD_SEPARATOR = b"\x1e"
GZIP = b"\x1f\x8b"
# magic number → format, command that decompresses to standard output
ARCHIVES = {
    b"PK\x03\x04": ("a zip archive", "unzip -p"),
    b"PK\x05\x06": ("an empty zip archive", "unzip -p"),
    b"BZh": ("compressed by bzip2", "bzcat"),
    b"\xfd7zXZ\x00": ("compressed by xz", "xzcat"),
    b"\x28\xb5\x2f\xfd": ("compressed by zstd", "zstdcat"),
    b"\x04\x22\x4d\x18": ("compressed by lz4", "lz4cat"),
    b"\x1f\x9d": ("compressed by compress", "zcat"),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", "7z x -so"),
    b"Rar!\x1a\x07": ("a RAR archive", "unrar p -inul"),
    b"PK\x07\x08": ("a split zip archive", "unzip -p"),
    b"LZIP": ("compressed by lzip", "lzip -dc"),
    b"\x5d\x00\x00": ("compressed by lzma", "xzcat"),
    b"\x02\x21\x4c\x18": ("compressed by lz4", "lz4cat"),
    b"\xff\x06\x00\x00sN": ("compressed by Snappy", "snzip -dc"),
}
ZLIB = ("compressed by zlib", "zlib-flate -uncompress <")
# magic number → format of records that a tool can convert
RECORDS = {
    b"PAR1": "a Parquet file",
    b"PARE": "an encrypted Parquet file",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"ARROW1": "an Arrow file",
    b"SQLite": "an SQLite database",
    b"\xd0\xcf\x11\xe0": "an Office document",
    b"ElfFil": "an event log of Windows",
    b"LPKSHH": "a journal of systemd",
    b"%PDF": "a PDF document",
    b"<?xml": "an XML document",
    b"<!DOCT": "an HTML document",
    b"<html": "an HTML document",
    b"{\\rtf": "an RTF document",
}
# UTF-32 first: in little-endian order its mark begins with that of UTF-16.
MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
# The positions of NUL bytes in the first two characters of JSON, which are ASCII.
_WITHOUT_MARK = {
    re.compile(rb"[^\0]\0\0\0", re.DOTALL): "UTF-32LE",
    re.compile(rb"\0\0\0[^\0]", re.DOTALL): "UTF-32BE",
    re.compile(rb"[^\0]\0[^\0]\0", re.DOTALL): "UTF-16LE",
    re.compile(rb"\0[^\0]\0[^\0]", re.DOTALL): "UTF-16BE",
}
TAR_OFFSET, TAR = 257, b"ustar"

# A line such as `[2026-11-25] text` begins no array of logs.
_ARRAY = re.compile(rb"\s*\[\s*(?:[\[{\]]|$)")
_INDENTED = re.compile(rb"\s*\{[ \t]*[\r\n]")
# An object that continues on the next line, which is not necessarily in the head.
_OPENED = re.compile(r'\{[ \t\r]*\n\s*"')
_BLANK = re.compile(r"[\s\ufeff\x1e]*")
_NEXT_IN_LINE = re.compile(r"[ \t\r\ufeff\x1e]*\{")
_DECODER = json.JSONDecoder()
_CSV_SEPARATOR = re.compile(r"[,;|\t]")
_FIELDS = LogMessage.model_fields.keys()


def is_gzip(head: bytes) -> bool:
    """Return whether a file is compressed by gzip."""
    return head.startswith(GZIP)


def is_array(head: bytes) -> bool:
    """Return whether a text is a JSON array, or an object over several lines."""
    text = strip_marks(head)
    return bool(_ARRAY.match(text) or _INDENTED.match(text) or _is_sequence(text))


def _is_sequence(head: bytes) -> bool:
    """Return whether objects are over several lines, or several in a line.

    A carriage return alone is white space, not a line end. Only the complete objects at the beginning count.
    """
    text = head.decode(errors="replace")
    position = 0
    while (start := _BLANK.match(text, position).end()) < len(text):  # type: ignore[union-attr]  # may be empty
        if _OPENED.match(text, start):
            return True
        try:
            if text[start] != "{":
                return False
            _, position = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            return False
        if "\n" in text[start:position] or _NEXT_IN_LINE.match(text, position):
            return True
    return False


def strip_marks(text: bytes) -> bytes:
    """Return a text without byte order marks and record separators at its start.

    Programs that join files leave several marks, also at the start of a line.
    """
    while text.startswith((BOM, RECORD_SEPARATOR)):
        text = text.removeprefix(BOM).removeprefix(RECORD_SEPARATOR)
    return text


def check(head: bytes, name: str, command: str = "send") -> None:
    """Raise CommandFailed if a file is no text in UTF-8, or a table. `head` is its first HEAD_BYTES.

    `command` is the one that reads the file. Files compressed by gzip pass.
    """
    check_text(head, name, f"| python -m ingest {command} -")
    if _is_csv(head):
        raise CommandFailed(
            f"{name} is a table (CSV). Convert it to one JSON object per line, with the names of the columns "
            "as keys."
        )


def check_text(head: bytes, name: str, output: str) -> None:
    """Raise CommandFailed if a file is no text in UTF-8. `head` is its first HEAD_BYTES.

    `output` is the end of a shell command that converts the file.
    """
    if archive := _match(ARCHIVES, head) or (ZLIB if _is_zlib(head) else None):
        kind, tool = archive
        raise CommandFailed(
            f"{name} is {kind}. Decompress it: {tool} FILE {output}. Only gzip is read directly."
        )
    if records := _match(RECORDS, strip_marks(head).lstrip()):
        raise CommandFailed(f"{name} is {records}. Convert it to one JSON object per line, in UTF-8.")
    if head[TAR_OFFSET:].startswith(TAR):
        raise CommandFailed(f"{name} is a tar archive. Extract its files, and pass them one by one.")
    if encoding := _encoding(head):
        raise CommandFailed(
            f"{name} is in {encoding}, but logs must be in UTF-8. "
            f"Convert it: iconv -f {encoding} -t UTF-8 FILE {output}"
        )


def check_followed(head: bytes, name: str) -> None:
    """Raise CommandFailed if a file cannot be followed.

    It must be NDJSON in UTF-8. `head` is its first HEAD_BYTES, or fewer if the file is shorter.
    """
    kind = "compressed by gzip" if is_gzip(head) else ""
    # The end of an incomplete line is unknown, unless another object follows in it.
    if (b"\n" in head and is_array(head)) or _is_sequence(strip_marks(head)):
        kind = "a JSON array, JSON over several lines, or several objects in a line"
    if kind:
        raise CommandFailed(
            f"--follow needs one JSON object per line, but {name} is {kind}. Send it without --follow."
        )
    check(head, name)


def _match(formats: dict[bytes, T], head: bytes) -> T | None:
    """Return the format whose magic number begins a file, or None."""
    return next((value for magic, value in formats.items() if head.startswith(magic)), None)


def _is_zlib(head: bytes) -> bool:
    """Return whether a file is compressed by zlib: https://www.rfc-editor.org/rfc/rfc1950#section-2.2"""
    if len(head) < MAGIC_BYTES or head[0] & 0x0F != zlib.DEFLATED or int.from_bytes(head[:2]) % 31:
        return False
    try:
        zlib.decompressobj().decompress(head, HEAD_BYTES)
    except zlib.error:
        return False
    return True


def _encoding(head: bytes) -> str | None:
    """Return the name of an encoding other than UTF-8, or None."""
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding
    return next((name for pattern, name in _WITHOUT_MARK.items() if pattern.match(head)), None)


def _is_csv(head: bytes) -> bool:
    """Return whether the first line is a list of columns, at least two of them fields of a log."""
    lines = strip_marks(head).decode(errors="replace").split("\n")
    columns = {column.strip(" \"'\r").lower() for column in _CSV_SEPARATOR.split(lines[0])}
    return len(columns & _FIELDS) > 1
