"""A file of logs that is read once: NDJSON, a JSON array, or gzip."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from ingest.cli import file_format, json_values, ndjson
from ingest.cli.errors import CommandFailed

BUFFER_BYTES = 65_536


class LogFile:
    """The records of a file: its lines, or the values of an array.

    - `name`: the name of the file, for messages.
    - `is_gzip`: whether it is compressed.
    - `unit`: the kind of a record for messages, "line" or "log".

    `on_read` is called with numbers of bytes, compressed if the file is. `command` is the one that reads the
    file, for messages. Raise CommandFailed for other formats, and OSError.
    """

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        on_read: Callable[[int], object] = lambda count: None,
        *,
        command: str = "send",
        max_bytes: int | None = None,
    ) -> None:
        self.name = name
        self._max_bytes = max_bytes or ndjson.MAX_LINE_BYTES
        self._file, self.is_gzip = decompress(file, name, on_read)
        head = self._file.peek(file_format.HEAD_BYTES)
        file_format.check(head[: file_format.HEAD_BYTES], name, command)
        self._is_array = file_format.is_array(head)
        self.unit = "log" if self._is_array else "line"

    def records(self) -> Iterator[bytes]:
        """Yield each record, without line end and byte order mark.

        A blank line is an empty text, and a record over `max_bytes` is truncated. Raise CommandFailed
        after the last complete record if the file is damaged, and OSError.
        """
        with FileErrors(self.name):
            if self._is_array:
                yield from map(file_format.strip_marks, json_values.split(self._file, self._max_bytes))
            else:
                yield from self._lines()

    def _lines(self) -> Iterator[bytes]:
        """Yield the lines. An overlong one is read in pieces."""
        size = self._max_bytes + 2
        while line := self._file.readline(size):
            is_partial = len(line) == size and not line.endswith(b"\n")
            while is_partial and (rest := self._file.readline(size)):
                is_partial = not rest.endswith(b"\n")
            yield ndjson.strip_line(line)


class FileErrors:
    """A context manager that explains the errors of a damaged file."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (EOFError, gzip.BadGzipFile, zlib.error)):
            raise CommandFailed(
                f"{self._name} is a damaged or incomplete gzip file: {error}. Its data before that were read."
            ) from error
        if isinstance(error, json_values.InvalidArray):
            raise CommandFailed(f"{self._name}: {error}") from error


class _Source(io.RawIOBase):
    """A file that counts the bytes that are read. The first read has at least MAGIC_BYTES."""

    def __init__(self, file: BinaryIO, on_read: Callable[[int], object]) -> None:
        self._file = cast("io.BufferedReader", file)
        self._on_read = on_read
        self._minimum = file_format.MAGIC_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # BufferedReader passes this
        data = self._file.read1(len(buffer))
        while data and len(data) < self._minimum and (rest := self._file.read1(len(buffer) - len(data))):
            data += rest
        self._minimum = 0
        buffer[: len(data)] = data
        self._on_read(len(data))
        return len(data)


def decompress(
    file: BinaryIO, name: str, on_read: Callable[[int], object] = lambda count: None
) -> tuple[io.BufferedReader, bool]:
    """Return the content of a file, and whether the file is compressed by gzip.

    Raise CommandFailed for a damaged file, or one that is compressed twice.
    """
    content = _buffered(file, on_read)
    with FileErrors(name):
        is_gzip = file_format.is_gzip(content.peek(file_format.HEAD_BYTES))
        if is_gzip:
            content = _buffered(cast("BinaryIO", gzip.GzipFile(fileobj=content)))
            if file_format.is_gzip(content.peek(file_format.HEAD_BYTES)):
                raise CommandFailed(f"{name} is compressed twice. Decompress it once: gunzip FILE")
    return content, is_gzip


def _buffered(file: BinaryIO, on_read: Callable[[int], object] = lambda count: None) -> io.BufferedReader:
    return io.BufferedReader(_Source(file, on_read), BUFFER_BYTES)
