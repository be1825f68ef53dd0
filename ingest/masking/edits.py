"""Replacements in a text."""

from io import StringIO


class Edits:
    """Replacements in a text, made from its beginning to its end.

    They are collected in one buffer: a list would take about 100 bytes for each.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._buffer: StringIO | None = None
        self._copied = 0

    def replace(self, start: int, end: int, replacement: str) -> None:
        """Replace the characters from `start` to `end`, which are behind all replacements so far."""
        if self._text[start:end] == replacement:
            return
        if self._buffer is None:
            self._buffer = StringIO(newline="")
        self._buffer.write(self._text[self._copied : start])
        self._buffer.write(replacement)
        self._copied = end

    def result(self) -> str:
        """Return the text with its replacements, or the same object if there are none."""
        if self._buffer is None:
            return self._text
        self._buffer.write(self._text[self._copied :])
        return self._buffer.getvalue()
