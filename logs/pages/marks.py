"""Where the texts of a page contain what was searched. No Django.

A match is found in any letter case and form of accents, as the search itself does.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from logs.characters import visible
from logs.filters import LogFilter
from logs.folding import fold, normalize, units
from logs.models import LogItem
from logs.search_text import SearchText
from logs.storage import documents
from logs.text_match import TextMatch

Span = tuple[int, int]

# The marks of one text: a search for a letter would mark most of it.
MAX_MARKS = 20
# The characters of an excerpt on each side of its first match.
AROUND = 60
# The excerpt is located in pieces of this size, which overlap by the longest match.
PIECE, OVERLAP = 2_048, 512
WHITE_SPACE = re.compile(r"\s+")
# The texts that `q` searches, beside payload and extra fields, with their labels in an excerpt.
TEXTS = {
    "summary": "Summary",
    "url": "URL",
    "object_name": "Object",
    "user_name": "User name",
    "account_name": "Account name",
}


@dataclass(frozen=True)
class Needles:
    """Texts to mark, in the form in which they are compared."""

    texts: tuple[str, ...]
    form: Callable[[str], str]

    def is_in(self, text: str) -> bool:
        """Return whether a text contains one of these."""
        formed = self.form(text)
        return any(needle in formed for needle in self.texts)

    def spans(self, text: str) -> list[Span]:
        """Return where a text contains one of these, in order, without overlaps."""
        if not self.is_in(text):
            return []
        formed, starts, ends = self._positions(text)
        spans = [(starts[start], ends[end - 1]) for start, end in self._matches(formed)]
        return _merged(spans)[:MAX_MARKS]

    def _matches(self, formed: str) -> Iterator[Span]:
        for needle in self.texts:
            start = formed.find(needle)
            for _ in range(MAX_MARKS):
                if start < 0:
                    break
                yield start, start + len(needle)
                start = formed.find(needle, start + len(needle))

    def _positions(self, text: str) -> tuple[str, list[int] | range, list[int] | range]:
        """Return the compared form, and where each of its characters begins and ends in the text."""
        if text.isascii():
            return self.form(text), range(len(text)), range(1, len(text) + 1)
        formed, starts, ends = [], [], []
        start = 0
        for unit in units(text):
            form = self.form(unit)
            formed.append(form)
            starts += [start] * len(form)
            start += len(unit)
            ends += [start] * len(form)
        return "".join(formed), starts, ends


@dataclass(frozen=True)
class Excerpt:
    """The surroundings of a match that no cell shows. `parts` are texts, and whether each is a match.

    An ellipsis stands for the rest of the text.
    """

    label: str
    parts: list[tuple[str, bool]]


class Marks:
    """What a filter searched in the texts of logs."""

    def __init__(self, log_filter: LogFilter) -> None:
        self._search = _search_needles(log_filter)
        self._needles: dict[str, list[Needles]] = {}
        for name in ("url", "user_name"):
            if text := getattr(log_filter, name):
                self._needles[name] = [Needles(_distinct([normalize(text)]), normalize)]
        if self._search:
            for name in TEXTS:
                self._needles.setdefault(name, []).append(self._search)

    def spans(self, attribute: str, text: str) -> list[Span]:
        """Return the parts of an attribute's text to mark. `text` is as the page shows it."""
        needles = self._needles.get(attribute)
        return _merged(span for each in needles for span in each.spans(text)) if needles else []

    def excerpt(self, item: LogItem, shown: Iterable[str]) -> Excerpt | None:
        """Return the surroundings of the first match outside the attributes that the row shows.

        It is None without a search, if one of them has a match, or if the log was not read whole.
        """
        if self._search is None:
            return None
        texts = {name: str(getattr(item, name) or "") for name in TEXTS}
        shown = set(shown)
        if any(self._search.is_in(visible(text)) for name, text in texts.items() if name in shown):
            return None
        content = documents.content(item)
        payload = SearchText(payload=content.payload_text or "", payload_is_json=content.payload_is_json)
        labels = {"Payload": payload, "Extra fields": SearchText(extra=content.extra_text or "")}
        labels |= {label: SearchText(url=content.fields[name] or "") for name, label in TEXTS.items()}
        for label, search_text in labels.items():
            for blocks in search_text.texts():
                if parts := _surroundings(self._search, blocks):
                    return Excerpt(label, parts)
        return None


def make_marks(log_filter: LogFilter) -> Marks | None:
    """Return the marks of a filter, or None if it searches no text."""
    is_search = log_filter.search_text or log_filter.url or log_filter.user_name
    return Marks(log_filter) if is_search else None


def _search_needles(log_filter: LogFilter) -> Needles | None:
    if (text := log_filter.search_text) is None:
        return None
    match = TextMatch(text, log_filter.match_case)
    if log_filter.match_case:
        return Needles(_distinct([*match.exact_needles, normalize(visible(text))]), normalize)
    return Needles(_distinct([*match.needles, fold(visible(text))]), fold)


def _surroundings(needles: Needles, blocks: Iterable[str]) -> list[tuple[str, bool]]:
    """Return the first match with the text around it, in parts, or nothing."""
    before = ""
    for block in blocks:
        window = before + block
        if needles.is_in(window):
            for start in range(0, len(window), PIECE - OVERLAP):
                piece = window[start : start + PIECE]
                if spans := needles.spans(piece):
                    first, end = start + spans[0][0] - AROUND, start + spans[0][1] + AROUND
                    parts = _parts(needles, window[max(0, first) : end])
                    leading = [("…", False)] if first > 0 else []
                    return [*leading, *parts, *([("…", False)] if end < len(window) else [])]
        before = window[-OVERLAP:]
    return []


def _parts(needles: Needles, text: str) -> list[tuple[str, bool]]:
    parts = []
    position = 0
    for start, end in chain(needles.spans(text), [(len(text), len(text))]):
        parts += [(text[position:start], False), (text[start:end], True)]
        position = end
    # A line of its own for each member of the payload would be many lines.
    return [(WHITE_SPACE.sub(" ", part), is_match) for part, is_match in parts if part]


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
