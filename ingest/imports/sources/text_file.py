"""A text file as a source, in any encoding, compressed or not."""

import codecs
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from ingest.cli import file_format, log_file
from ingest.cli.errors import CommandFailed
from ingest.imports.rows import BadRow, Column, Position, Row, SourceError

CHUNK_BYTES = 65_536
# A file that begins with other bytes is another file.
HEAD_BYTES = 65_536
# The records that name the columns.
SAMPLED = 100
# The records and bytes from which the total is estimated.
COUNTED, COUNTED_BYTES = 10_000, 1_048_576


class TextFile:
    """The records of a file, numbered from 1. A subclass parses them.

    `encoding` is that of the file, or None for UTF-8. Raise SourceError if it cannot be read.
    """

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        self.path = path
        self.table = path.name.partition(".")[0] or path.name
        self.identity = str(path.resolve())
        self._encoding = encoding
        with self.open() as file:
            head = file.peek(file_format.HEAD_BYTES)[: file_format.HEAD_BYTES]
            file_format.check_text(head, path.name, "> FILE.utf8")
        if not file_format.strip_marks(head).strip():
            raise SourceError(f"{path} is empty.")

    def rows(self, after: Position | None = None) -> Iterator[Row | BadRow]:
        """Yield the records after a number. The earlier ones are read, but not converted."""
        raise NotImplementedError

    def columns(self) -> list[Column]:
        """Return the columns of the first records, and the types of their values."""
        raise NotImplementedError

    def total(self) -> int | None:
        """Return the number of records, estimated for a large file."""
        count = 0
        for count, _ in enumerate(islice(self.rows(), COUNTED), 1):  # noqa: B007  the last number counts
            if self._bytes_read > COUNTED_BYTES:
                break
        else:
            if count < COUNTED:
                return count
        return round(count * self.path.stat().st_size / self._bytes_read)

    def head(self) -> str:
        """Return the number of the first bytes, at most HEAD_BYTES, and their hash."""
        return self._head(HEAD_BYTES)

    def has_head(self, head: str) -> bool:
        """Return whether the file begins as that of a head. Appended records do not change it."""
        size = head.partition(":")[0]
        return size.isdecimal() and self._head(int(size)) == head

    def _head(self, size: int) -> str:
        with self.open() as file:
            data = file.read(size)
        return f"{len(data)}:{hashlib.sha256(data).hexdigest()}"

    def sample(self) -> Iterator[Row | BadRow]:
        """Yield the first records."""
        return islice(self.rows(), SAMPLED)

    def _on_read(self, count: int) -> None:
        self._bytes_read += count

    @contextmanager
    def open(self) -> Iterator[io.BufferedReader]:
        """Yield the content in UTF-8, without compression. Raise SourceError for a damaged file."""
        try:
            with self.path.open("rb") as file, log_file.FileErrors(self.path.name):
                self._bytes_read = 0
                content, _ = log_file.decompress(file, self.path.name, self._on_read)
                if self._encoding:
                    content = io.BufferedReader(_Recoder(content, self._encoding), CHUNK_BYTES)
                yield content
        except CommandFailed as error:
            raise SourceError(str(error)) from error
        except UnicodeDecodeError as error:
            text = f"{self.path} is not in {error.encoding}: {error.reason}. Correct --encoding."
            raise SourceError(text) from None
        except OSError as error:
            raise SourceError(f"{self.path} cannot be read: {error.strerror or error}") from error


class _Recoder(io.RawIOBase):
    """A file in another encoding, as UTF-8."""

    def __init__(self, file: io.BufferedReader, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._pending = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # BufferedReader passes this
        chunk = b"-"
        while not self._pending and chunk:
            chunk = self._file.read1(CHUNK_BYTES)
            # The decoders of UTF-8 and UTF-16 pass the mark of a later part on as a character.
            self._pending = self._decoder.decode(chunk, final=not chunk).encode()
        count = min(len(buffer), len(self._pending))
        buffer[:count], self._pending = self._pending[:count], self._pending[count:]
        return count


def number(position: Position | None) -> int:
    """Return the number of a record from its position, or 0 without one. Raise SourceError."""
    if position is None:
        return 0
    if not isinstance(position, int):
        raise SourceError("The position of the checkpoint is no number of a record.")
    return position
