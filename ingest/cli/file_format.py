"""The format of a file of logs, recognized by its first bytes."""

import codecs
import re

from ingest.cli.errors import CommandFailed
from ingest.messages import LogMessage

# Enough for the header of a tar archive, and for the first line of most CSV files.
HEAD_BYTES = 512
# The longest of the magic numbers below.
MAGIC_BYTES = 6

BOM = codecs.BOM_UTF8
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
_INDENTED = re.compile(rb"\s*\{[ \t\r]*\n")
_CSV_SEPARATOR = re.compile(r"[,;|\t]")
_FIELDS = LogMessage.model_fields.keys()


def is_gzip(head: bytes) -> bool:
    """Return whether a file is compressed by gzip."""
    return head.startswith(GZIP)


def is_array(head: bytes) -> bool:
    """Return whether a text is a JSON array, or an object over several lines."""
    text = strip_bom(head)
    return bool(_ARRAY.match(text) or _INDENTED.match(text))


def strip_bom(text: bytes) -> bytes:
    """Return a text without byte order marks at its start.

    Programs that join files leave several, also at the start of a line.
    """
    while text.startswith(BOM):
        text = text[len(BOM) :]
    return text


def check(head: bytes, name: str, command: str = "send") -> None:
    """Raise CommandFailed if a file is no text in UTF-8, or a table. `head` is its first HEAD_BYTES.

    `command` is the one that reads the file. Files compressed by gzip pass.
    """
    read = f"python -m ingest {command} -"
    for magic, (kind, tool) in ARCHIVES.items():
        if head.startswith(magic):
            raise CommandFailed(
                f"{name} is {kind}. Decompress it: {tool} FILE | {read}. Only gzip is read directly."
            )
    if head[TAR_OFFSET:].startswith(TAR):
        raise CommandFailed(f"{name} is a tar archive. Extract its files, and pass them one by one.")
    if encoding := _encoding(head):
        raise CommandFailed(
            f"{name} is in {encoding}, but logs must be in UTF-8. "
            f"Convert it: iconv -f {encoding} -t UTF-8 FILE | {read}"
        )
    if _is_csv(head):
        raise CommandFailed(
            f"{name} is a table (CSV). Convert it to one JSON object per line, with the names of the columns "
            "as keys."
        )


def check_followed(head: bytes, name: str) -> None:
    """Raise CommandFailed if a file cannot be followed.

    It must be NDJSON in UTF-8. `head` is its first HEAD_BYTES, or fewer if the file is shorter.
    """
    kind = "compressed by gzip" if is_gzip(head) else ""
    # The end of an incomplete line is unknown.
    if b"\n" in head and is_array(head):
        kind = "a JSON array, or JSON over several lines"
    if kind:
        raise CommandFailed(
            f"--follow needs one JSON object per line, but {name} is {kind}. Send it without --follow."
        )
    check(head, name)


def _encoding(head: bytes) -> str | None:
    """Return the name of an encoding other than UTF-8, or None."""
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding
    return next((name for pattern, name in _WITHOUT_MARK.items() if pattern.match(head)), None)


def _is_csv(head: bytes) -> bool:
    """Return whether the first line is a list of columns, at least two of them fields of a log."""
    lines = strip_bom(head).decode(errors="replace").split("\n")
    columns = {column.strip(" \"'\r").lower() for column in _CSV_SEPARATOR.split(lines[0])}
    return len(columns & _FIELDS) > 1
