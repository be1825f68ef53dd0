"""Characters that a reader cannot see, and white space. No Django."""

import re
import sys
import unicodedata
from collections.abc import Iterable

# Printable to Python, but without a glyph: Default_Ignorable_Code_Point in
# https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt, and two symbols that are blank.
VARIATION_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
WITHOUT_GLYPH = re.compile(
    f"[{VARIATION_SELECTORS}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\uffa0\U0001d159]"
)
# Emoji, and scripts such as Persian and Hindi, are written with joiners and variation selectors.
JOINERS = "\u200c\u200d"
MODIFIERS = re.compile(f"[{JOINERS}{VARIATION_SELECTORS}]+")
# The categories of their neighbours. No script with upper case is among them.
JOINED_CATEGORIES = {"Lo", "Mc", "Mn", "Sk", "So"}
VARIED_CATEGORIES = {"Lo", "Po", "Sm", "So"}

# White space to other languages and to readers, but not to `str.strip`: zero width space, word joiner and
# zero width no-break space (the byte order mark).
ZERO_WIDTH = "\u200b\u2060\ufeff"
# Every character c with c.isspace(): `str.strip` removes them if it gets no argument.
SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)

# The two forms of `code`.
ESCAPE = re.compile(r"\\u([0-9a-f]{4})|\\U([0-9a-f]{8})")
LONE_RETURN = re.compile(r"\r(?!\n)")
MAX_TABLE = 10_000


def strip(text: str) -> str:
    """Return a value without white space and zero-width characters at its ends.

    The rule for each value that a filter compares. The writer applies the same one: `ingest.wire.characters`.
    """
    return text.strip(SPACES + ZERO_WIDTH)


def visible(text: str, *, multiline: bool = False) -> str:
    r"""Return a text with an escape such as `\u202e` for each invisible character.

    Invisible are control, format, private-use and unassigned characters, surrogates, characters without a
    glyph, line separators, every space but U+0020, and U+0020 at the ends. `multiline` keeps tabs, the line
    breaks `\n` and `\r\n`, and all spaces. Joiners and variation selectors stay where a script or an emoji
    uses them. Takes linear time. An escape has 6 or 10 characters.
    """
    # Most texts have nothing to escape. The patterns and tables below take several times as long.
    is_visible = text.isprintable() and (text.isascii() or not WITHOUT_GLYPH.search(text))
    if is_visible and (multiline or text[:1] != " " != text[-1:]):
        return text
    text = MODIFIERS.sub(_escape_modifiers, text)
    if multiline:
        return LONE_RETURN.sub(r"\\u000d", text).translate(_IN_LINES)
    start, end = len(text) - len(text.lstrip(" ")), len(text.rstrip(" "))
    before, after = code(" ") * start, code(" ") * (len(text) - max(start, end))
    return before + text[start:end].translate(_IN_A_LINE) + after


def distinct(texts: Iterable[str]) -> list[str]:
    """Return the first of all texts that read alike, in their order."""
    by_reading: dict[str, str] = {}
    for text in texts:
        by_reading.setdefault(reading(text), text)
    return list(by_reading.values())


def reading(text: str) -> str:
    """Return a text as a browser shows it: spaces collapse, and accents are composed."""
    return re.sub(" +", " ", unicodedata.normalize("NFC", visible(text)))


def original(text: str) -> str:
    r"""Return a text with invisible characters instead of their escapes: the inverse of `visible`."""
    return ESCAPE.sub(_character, text) if "\\" in text else text


def _character(escape: re.Match[str]) -> str:
    number = int(escape[1] or escape[2], 16)
    character = chr(number) if number <= sys.maxunicode else ""
    is_escaped = character and (character == " " or is_invisible(character) or MODIFIERS.match(character))
    # No text that DynamoDB stores has a surrogate.
    return character if is_escaped and unicodedata.category(character) != "Cs" else escape[0]


def is_invisible(character: str) -> bool:
    """Return whether a character has no glyph, or is a space other than U+0020."""
    return not character.isprintable() or WITHOUT_GLYPH.match(character) is not None


def code(character: str) -> str:
    r"""Return the escape of a character, such as `\u202e` or `\U000e0001`."""
    number = ord(character)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


class _Table(dict[int, str]):
    """The replacement of each character, for `str.translate`. Its size is limited."""

    def __init__(self, kept: str, categories: set[str]) -> None:
        super().__init__({ord(character): character for character in kept})
        self.categories = categories

    def __missing__(self, number: int) -> str:
        character = chr(number)
        is_kept = (
            not is_invisible(character)
            or MODIFIERS.match(character)
            or unicodedata.category(character) in self.categories
        )
        text = character if is_kept else code(character)
        if len(self) < MAX_TABLE:
            self[number] = text
        return text


# Without the modifiers, which are escaped before.
_IN_A_LINE = _Table("", set())
_IN_LINES = _Table("\t\n\r", {"Zs"})


def _escape_modifiers(match: re.Match[str]) -> str:
    """Return adjacent joiners and variation selectors, with escapes for those without effect."""
    run, kept = match[0], ""
    start = match.start()
    before, after = match.string[max(start - 1, 0) : start], match.string[match.end() : match.end() + 1]
    if run[0] not in JOINERS and _has_glyph(before, VARIED_CATEGORIES):
        kept, run = run[0], run[1:]
    is_joined = len(run) == 1 and run in JOINERS and (kept or _has_glyph(before, JOINED_CATEGORIES))
    if is_joined and _has_glyph(after, JOINED_CATEGORIES):
        return kept + run
    return kept + "".join(map(code, run))


def _has_glyph(character: str, categories: set[str]) -> bool:
    """Return whether a character is outside ASCII, visible, and of one of these categories."""
    is_plain = character.isascii() or is_invisible(character)
    return not is_plain and unicodedata.category(character) in categories
