"""Split a JSON array, or several JSON texts, into its values.

They are not parsed. The memory depends on the largest value, and not on the file.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from ingest.cli.errors import CommandFailed
from ingest.cli.file_format import strip_marks

CHUNK_BYTES = 65_536

_STRUCTURE = re.compile(rb'["\[\]{},]')
_STRING_END = re.compile(rb'["\\]')


class InvalidArray(CommandFailed):
    """The text between the values is no JSON, or the last value is incomplete."""


def split(file: BinaryIO, max_bytes: int) -> Iterator[bytes]:
    """Yield each element of the arrays, and each object outside of an array.

    The values are not validated. A value over `max_bytes` is truncated to one byte more. Raise InvalidArray
    after the last complete value, OSError, and the errors of the file's decompression.
    """
    splitter = _Splitter(max_bytes)
    while chunk := file.read1(CHUNK_BYTES):  # type: ignore[attr-defined]  # every buffered reader has it
        yield from splitter.feed(chunk)
    splitter.finish()


class _Splitter:
    """The state between two chunks of a text."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._value = bytearray()
        self._count = 0
        self._depth = 0  # of the brackets within the current value
        self._in_array = False
        self._in_string = False
        self._skips_byte = False  # the chunk ended after a backslash
        self._has_comma = False  # a value must follow, even an empty one

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the values that end in this chunk."""
        start = 0  # of the part of the current value in this chunk
        position = 1 if self._skips_byte else 0
        while match := (_STRING_END if self._in_string else _STRUCTURE).search(chunk, position):
            token, position = match[0], match.end()
            if self._in_string:
                position += token == b"\\"
                self._in_string = token != b'"'
            elif token == b'"':
                self._in_string = True
            elif token in b"[{":
                if not self._depth and not self._in_array:
                    self._append(chunk[start : match.start()])
                    self._check_gap()
                    start = position if token == b"[" else match.start()
                self._open(token)
            elif self._depth:
                self._depth -= token in b"]}"
                if not self._depth and not self._in_array:
                    self._append(chunk[start:position])
                    yield self._take()
                    start = position
            elif self._in_array and token in b"],":
                self._append(chunk[start : match.start()])
                yield from self._end_element(token)
                start = position
        self._append(chunk[start:])
        self._skips_byte = position > len(chunk)

    def _open(self, token: bytes) -> None:
        if token == b"[" and not self._depth and not self._in_array:
            self._in_array, self._has_comma = True, False
        else:
            self._depth += 1

    def _end_element(self, token: bytes) -> Iterator[bytes]:
        """Yield the element before a comma or the end of the array, if there is one."""
        if token == b"," or self._has_comma or self._value.strip():
            yield self._take()
        self._value.clear()
        self._has_comma = self._in_array = token == b","

    def finish(self) -> None:
        """Raise InvalidArray if the text ends within a value or an array, or with other text."""
        if self._in_array or self._depth or self._in_string:
            raise InvalidArray(f"The JSON is incomplete: it ends after log {self._count}.")
        self._check_gap()

    def _append(self, part: bytes) -> None:
        self._value += part[: self._max_bytes + 1 - len(self._value)]

    def _take(self) -> bytes:
        self._count += 1
        value = bytes(self._value.strip())
        self._value.clear()
        return value

    def _check_gap(self) -> None:
        """Raise InvalidArray if there is text between two values outside of an array."""
        if strip_marks(bytes(self._value.strip())).strip():
            raise InvalidArray(f"The text after log {self._count} is neither a JSON array nor an object.")
        self._value.clear()
