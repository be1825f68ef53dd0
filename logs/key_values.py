"""From a text with commas to accounts or types. No Django."""

from collections.abc import Callable, Iterator
from itertools import chain

from logs import spelling

# The lookups of one filter, over all its texts and keys.
MAX_LOOKUPS = 100
# A text with more pieces is the whole text or its parts. The joined pieces grow with the square.
MAX_PIECES = 100

Span = tuple[int, int]


class KeyValues:
    r"""Reads texts with commas. Logs decide whether a comma separates values or is part of one.

    A text is cut at its commas. Candidates are the whole text, its parts, then adjacent parts joined, the
    shortest first, until each part is in a value that a log has. A `\,` is a comma within a value; if no log
    has that value, it is a backslash and a comma.

    `has_logs` looks up whether a log has a value of a key. It is called at most MAX_LOOKUPS times, and never
    for a text without commas. A text without results is read as
    `spelling.split` does.
    """

    def __init__(self, has_logs: Callable[[str, str], bool]) -> None:
        self._has_logs = has_logs
        self._results: dict[tuple[str, str], bool] = {}

    def read(self, name: str, text: str, value_of: Callable[[str], str]) -> list[str]:
        """Return the values of a key in a text, in their order.

        `value_of` returns the value of one text, or an empty text if there is none.
        """
        pieces = text.split(",")
        if len(pieces) == 1:
            return [value for value in [value_of(text)] if value]
        parts = _parts(pieces)
        values: dict[Span, str] = {}
        # Pieces that are empty, or in a value that a log has.
        covered = {number for number, piece in enumerate(pieces) if not value_of(piece)}
        first = dict.fromkeys([(0, len(pieces)), *parts])
        for span in chain(first, _joined(len(pieces))):
            if self._is_spent or (span not in first and len(covered) == len(pieces)):
                break
            if span in first or not covered.issuperset(range(*span)):
                value = self._existing(name, _readings(pieces, span, value_of))
                if value is not None:
                    values[span] = value
                    covered.update(range(*span))
        for span in parts:
            if span not in values and not covered.issuperset(range(*span)):
                values[span] = value_of(_unescaped(pieces, span))
        return [value for _, value in sorted(values.items()) if value]

    @property
    def _is_spent(self) -> bool:
        return len(self._results) >= MAX_LOOKUPS

    def _existing(self, name: str, values: list[str]) -> str | None:
        """Return the first of these values that a log has, or None."""
        for value in values:
            key = (name, value)
            if key not in self._results:
                if self._is_spent:
                    return None
                self._results[key] = self._has_logs(name, value)
            if self._results[key]:
                return value
        return None


def _parts(pieces: list[str]) -> list[Span]:
    r"""Return the spans between commas without a backslash before them."""
    ends = [end for end, piece in enumerate(pieces, 1) if end == len(pieces) or not piece.endswith("\\")]
    return list(zip([0, *ends], ends, strict=False))


def _joined(number: int) -> Iterator[Span]:
    """Yield the spans of adjacent pieces, the shortest first, unless there are too many pieces."""
    if number <= MAX_PIECES:
        for length in range(1, number):
            yield from ((start, start + length) for start in range(number - length + 1))


def _readings(pieces: list[str], span: Span, value_of: Callable[[str], str]) -> list[str]:
    """Return the values that a span may be, the documented one first."""
    text = ",".join(pieces[slice(*span)])
    values = dict.fromkeys([value_of(_unescaped(pieces, span)), value_of(text)])
    return [value for value in values if value]


def _unescaped(pieces: list[str], span: Span) -> str:
    return spelling.unescape(",".join(pieces[slice(*span)]))
