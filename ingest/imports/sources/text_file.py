"""A text file as a source: compressed or not, in UTF-8 or in another encoding."""

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from ingest.cli import file_format, log_file
from ingest.cli.errors import CommandFailed
from ingest.imports.rows import BadRow, Column, Position, Row, SourceError

CHUNK_BYTES = 65_536
# The records from which columns and total are estimated.
SAMPLED = 100


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
        """Return the number of records if the file is short, otherwise None."""
        count = sum(1 for _ in self.sample())
        return count if count < SAMPLED else None

    def sample(self) -> Iterator[Row | BadRow]:
        """Yield the first records."""
        return islice(self.rows(), SAMPLED)

    @contextmanager
    def open(self) -> Iterator[io.BufferedReader]:
        """Yield the content in UTF-8, without compression. Raise SourceError for a damaged file."""
        try:
            with self.path.open("rb") as file, log_file.FileErrors(self.path.name):
                content, _ = log_file.decompress(file, self.path.name)
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
