"""Whether a log contains a text. No Django.

`logs.search_text` defines the texts that are searched, `logs.folding` how they are compared.
"""

import re
from collections.abc import Callable, Iterable

from logs.characters import original
from logs.folding import fold, fold_blocks, normalize
from logs.search_text import QUOTE, SearchText, decode, structure, with_stand_ins, without_stand_ins

# An escape of `characters.code` that JSON lacks.
LONG_ESCAPE = re.compile(r"\\U00(?:0[1-9a-f]|10)[0-9a-f]{4}")
# JSON outside strings. A number may be cut off.
STRUCTURE = re.compile(r"(?:[\s:,\[\]{}0-9.eE+\-]|true|false|null|Infinity|NaN)*+")
BETWEEN = re.compile("[:,]")
MARKS_OF_JSON = re.compile(r'["\[\]{}]')


class TextMatch:
    r"""A text to find in logs, in any letter case unless `match_case`.

    It is compared as typed, and as the page would show it:

    - `\u200b` is also the invisible character.
    - `\"` is also the quote in a JSON string.
    - `"state":"open"` is also `"state": "open"`.

    A match in `match_case` is also one without.
    """

    def __init__(self, text: str, match_case: bool = False) -> None:
        spellings = _spellings(text)
        self.needles = _distinct(map(fold, spellings))
        self.exact_needles = _distinct(map(normalize, spellings)) if match_case else ()

    def is_in(self, texts: SearchText) -> bool:
        """Return whether one of the texts contains the text. Takes linear time, and memory for one block."""
        return _contain(texts, self.needles, fold) and (
            not self.exact_needles or _contain(texts, self.exact_needles, normalize)
        )

    def is_in_folded(self, folded: str) -> bool:
        """Return whether texts that `search_text.folded` returned contain the text, in any letter case."""
        return any(needle in folded for needle in self.needles)


def _contain(texts: SearchText, needles: tuple[str, ...], form: Callable[[str], str]) -> bool:
    overlap = max(map(len, needles)) - 1
    return any(_is_in_blocks(fold_blocks(blocks, form), needles, overlap) for blocks in texts.texts())


def _is_in_blocks(blocks: Iterable[str], needles: tuple[str, ...], overlap: int) -> bool:
    end = ""
    for block in blocks:
        window = end + block
        if any(needle in window for needle in needles):
            return True
        end = window[-overlap:] if overlap else ""
    return False


def _spellings(text: str) -> list[str]:
    """Return a text as typed, and as the values of a log may spell it."""
    in_json = with_stand_ins(text).replace('"', QUOTE)
    in_json = decode(LONG_ESCAPE.sub(lambda escape: original(escape[0]), in_json))
    return [text, original(text), without_stand_ins(in_json), *_as_json(text)]


def _as_json(text: str) -> list[str]:
    """Return a piece of JSON in the spelling of the page, if the text may be one.

    It has quotes or brackets, and everything outside its quotes is JSON. It may begin within a string, so
    there may be two spellings.
    """
    if not MARKS_OF_JSON.search(text):
        return []
    pieces = with_stand_ins(text).split('"')
    spellings = []
    for first in (0, 1):
        outside = pieces[first::2]
        # Between two strings is a colon or a comma.
        between = [piece for index, piece in enumerate(pieces[1:-1], 1) if index % 2 == first]
        if all(map(STRUCTURE.fullmatch, outside)) and all(map(BETWEEN.search, between)):
            pieces_of_page = list(pieces)
            pieces_of_page[first::2] = map(structure, outside)
            pieces_of_page[1 - first :: 2] = map(_decoded, pieces[1 - first :: 2])
            spellings.append(without_stand_ins('"'.join(pieces_of_page)))
    return spellings


def _decoded(string: str) -> str:
    return decode(LONG_ESCAPE.sub(lambda escape: original(escape[0]), string))


def _distinct(spellings: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(spellings))
