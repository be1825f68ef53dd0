"""Letter case and accents: the form in which texts are compared. No Django."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

# Normalization takes quadratic time for more accents on one character. The limit is that of Unicode's
# Stream-Safe Text Format: https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format
MAX_ACCENTS = 30
# Few ranges, so that the search is fast. They have all combining characters, and letters of many scripts.
MAY_BE_ACCENTS = re.compile(
    "[\u0300-\u036f\u0483-\u2000\u20d0-\u20ff\u2c00-\u2fff\u3020-\u30ff\ua600-\uabff\ufb1e-\ufe2f"
    f"\U000101fd-\U000e01ef]{{{MAX_ACCENTS + 1},}}"
)
# Vowels and finals of Hangul. NFC composes them with the character before.
JAMO = re.compile("[\u1160-\u11ff]")
TWO_JAMO = re.compile("[\u1160-\u11ff]{2}")
DOT = "\u0307"
DOTTED_I = re.compile(f"i{DOT}+")
# The characters of a block. A block of folded text takes at most four times as many bytes.
BLOCK_SIZE = 64 * 1024


def fold(text: str) -> str:
    """Return a text in its form for comparisons in any letter case.

    It is NFC(casefold(NFC(text))) without U+0307 after `i`, so that the Turkish `İ` is `i`. NUL becomes a
    space, so that NUL can separate texts. At most MAX_ACCENTS accents of one character remain. Takes linear
    time. Folding a folded text does not change it.
    """
    if text.isascii():
        return text.lower().replace("\0", " ")
    folded = normalize(text).casefold()
    if DOT in folded:
        folded = DOTTED_I.sub("i", folded)
    return normalize(folded)


def normalize(text: str) -> str:
    """Return a text in Unicode's form NFC, as `fold` but with its letter case."""
    text = text.replace("\0", " ")
    if text.isascii():
        return text
    # A composed character may be several accents in NFC.
    return _limit_accents(unicodedata.normalize("NFC", _limit_accents(text)))


def fold_blocks(blocks: Iterable[str], form: Callable[[str], str] = fold) -> Iterator[str]:
    """Yield a text in another form, block by block.

    `blocks` are consecutive and may end anywhere. Joined, the result is `form` of the joined blocks. Takes
    memory for one block. `form` is `fold` or `normalize`.
    """
    rest = ""
    for block in blocks:
        text = rest + block
        end = _last_start(text)
        if end:
            yield form(text[:end])
        rest = text[end:]
        if len(rest) > MAX_ACCENTS:
            rest = _limit_accents(rest)
    if rest:
        yield form(rest)


def cut(text: str) -> Iterator[str]:
    """Yield a text in blocks of BLOCK_SIZE."""
    for start in range(0, len(text), BLOCK_SIZE):
        yield text[start : start + BLOCK_SIZE]


def core(text: str) -> str:
    """Return the part of a text that folds alike within every text.

    The first and the last characters are left out if more characters may join them: leading accents, vowels
    and finals of Hangul, and the last letter.
    """
    starts = [index for index, character in enumerate(text) if not _joins(character)]
    return text[starts[0] : starts[-1]] if starts else ""


def is_accent(character: str) -> bool:
    """Return whether a character is a mark on the one before."""
    return character >= "\u0300" and unicodedata.category(character)[0] == "M"


def units(text: str) -> Iterator[str]:
    """Yield the parts of a text that fold on their own.

    A part is a letter with its accents. Joined, their folded forms are the folded text.
    """
    start = 0
    for index in range(1, len(text)):
        if _is_start(text, index):
            yield text[start:index]
            start = index
    if text:
        yield text[start:]


def _joins(character: str) -> bool:
    """Return whether normalization may join a character with the one before."""
    return is_accent(character) or JAMO.match(character) is not None


def _is_start(text: str, index: int) -> bool:
    """Return whether no normalization joins a character with the one before."""
    # Hangul composes up to three characters: the third of three vowels and finals stays as it is.
    return not _joins(text[index]) or bool(
        JAMO.match(text, index) and TWO_JAMO.match(text, max(0, index - 2), index)
    )


def _last_start(text: str) -> int:
    """Return the index of the last character that no normalization joins with the one before, or 0."""
    return next((index for index in range(len(text) - 1, 0, -1) if _is_start(text, index)), 0)


def _limit_accents(text: str) -> str:
    return MAY_BE_ACCENTS.sub(_limited, text)


def _limited(run: re.Match[str]) -> str:
    text = run[0]
    # More accents than the limit include one of these.
    if not any(map(is_accent, text[MAX_ACCENTS :: MAX_ACCENTS + 1])):
        return text
    kept, accents = [], 0
    for character in text:
        accents = accents + 1 if is_accent(character) else 0
        if accents <= MAX_ACCENTS:
            kept.append(character)
    return "".join(kept)
