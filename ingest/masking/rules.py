"""The setting LOGS_MASK: names of fields, patterns of values, and payment cards."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote_plus

from ingest.masking import cards
from ingest.masking.names import FieldNames, words

SETTING = "LOGS_MASK"
MASK = "***"

DEFAULT, CARDS = "@default", "@cards"
DEFAULT_NAMES = ("password", "secret", "token", "authorization", "cookie", "csrfmiddlewaretoken")

# An entry of the setting: a pattern between slashes, in which a slash is written as `\/`, or any other text.
_ENTRY = re.compile(r"\s*(/(?:[^/\\\n]|\\.)*/(?=\s*(?:[,\n]|$))|[^,\n]+)")
# The password of `https://user:password@host`, also with the slashes as PHP escapes them.
USERINFO = re.compile(r"(:\\?/\\?/[^\s/?#@:\"'<>\\]*:)([^\s/?#@\"'<>\\]+)(?=@)")
MIN_USERINFO_CHARACTERS = len("//:a@")
# A letter or digit as an escape of JSON, which the search for names would miss. The Kelvin sign is a k.
_ESCAPED = re.compile(r"\\u(?:00[3-7]|212a)")
# Names match without the characters between their words: `pass_word`. Others than ASCII become `?`.
_SEPARATORS = bytes(code for code in range(128) if not chr(code).isalnum())
_TO_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_ZEROS = b"0" * cards.MIN_DIGITS


# A longer text is searched in slices: Python takes 12 bytes for each character to convert its case. They
# overlap by more than any name, card number or password of a URL has.
SLICE_CHARACTERS = 65_536
OVERLAP_CHARACTERS = 1_024


@dataclass(frozen=True)
class Rules:
    """What to mask: names of fields, patterns of values, card numbers.

    No rule matches in a text of fewer than `min_characters`.
    """

    names: FieldNames
    patterns: tuple[re.Pattern[str], ...]
    has_cards: bool
    min_characters: int

    def may_match(self, text: str) -> bool:
        """Return whether a rule may match in a text.

        Much faster than masking it: the client calls it for each log.
        """
        if len(text) > SLICE_CHARACTERS:
            return bool(self.patterns) or any(map(self.may_match, _slices(text)))
        lower = text.lower()
        if self._has_core(lower) or ("%" in lower and self._has_core(unquote_plus(lower))):
            return True
        if "@" in lower and USERINFO.search(lower):
            return True
        if "\\u" in lower and _ESCAPED.search(lower):
            return True
        return bool(self.patterns) or self.may_have_card(text)

    def _has_core(self, lower: str) -> bool:
        """Return whether a text in lower case has the letters of a core, perhaps with others between."""
        if any(core in lower for core in self.names.cores):
            return True
        letters = lower.encode("ascii", "replace").translate(None, _SEPARATORS)
        return any(core in letters for core in self.names.ascii_cores)

    def may_have_card(self, text: str) -> bool:
        """Return whether card numbers are masked, and a text has the digits of one.

        Its separators may be percent-encoded.
        """
        if not self.has_cards or len(text) < cards.MIN_DIGITS:
            return False
        if len(text) > SLICE_CHARACTERS:
            return any(map(self.may_have_card, _slices(text)))
        digits = text.encode("ascii", "replace").translate(_TO_ZEROS, b" -+%")
        if _ZEROS not in digits:
            return False
        return any(cards.CARD.search(each) for each in (text, unquote_plus(text)))

    def mask_values(self, text: str) -> str:
        """Return a text with its card numbers and the matches of the patterns masked."""
        if self.may_have_card(text):
            text = cards.CARD.sub(lambda card: MASK if cards.is_card(card[0]) else card[0], text)
        for pattern in self.patterns:
            text = pattern.sub(MASK, text)
        return text


def _slices(text: str) -> Iterator[str]:
    """Yield the slices of a text, of at most SLICE_CHARACTERS each."""
    for start in range(0, len(text), SLICE_CHARACTERS - OVERLAP_CHARACTERS):
        yield text[start : start + SLICE_CHARACTERS]


def parse(setting: str | Iterable[str], source: str = SETTING) -> Rules:
    """Return the rules of a setting.

    A text has entries separated by commas or line breaks, an iterable one entry in each text:

    - `password`: a name. Its words match in any letter case: `api_key` matches `apiKey` and `X-API-Key`.
    - `-token_type`: a name that is not masked, although it matches. It is the whole name.
    - `/BG\\d{20}/`: a regular expression. Its matches in values are masked.
    - `@cards`: card numbers. `@default`: DEFAULT_NAMES and card numbers.

    Raise ValueError, with `source` and the entry, for an entry that violates a rule.
    """
    names: list[str] = []
    exceptions: list[str] = []
    patterns: list[re.Pattern[str]] = []
    has_cards = False
    for entry in _entries(setting, source):
        if entry.startswith("/"):
            patterns.append(_pattern(entry, source))
        elif entry in (DEFAULT, CARDS):
            names += DEFAULT_NAMES if entry == DEFAULT else ()
            has_cards = True
        elif entry.startswith("@"):
            raise ValueError(f"{source}: {entry!r} must be {DEFAULT} or {CARDS}")
        elif not words(entry):
            raise ValueError(f"{source}: {entry!r} must be a name with letters or digits, or /a pattern/")
        else:
            (exceptions if entry.startswith("-") else names).append(entry)
    field_names = FieldNames(names, exceptions)
    min_characters = 1 if patterns else min([*map(len, field_names.cores), MIN_USERINFO_CHARACTERS])
    return Rules(field_names, tuple(patterns), has_cards, min_characters)


def _entries(setting: object, source: str) -> Iterator[str]:
    """Yield the entries of a setting, without empty ones. Raise ValueError."""
    if isinstance(setting, str):
        setting = _ENTRY.findall(setting)
    if not isinstance(setting, list | tuple | set | frozenset):
        raise ValueError(f"{source} must be a text or a list of texts, not {setting!r}")
    for entry in setting:
        if not isinstance(entry, str):
            raise ValueError(f"{source} must be a text or a list of texts, not a list with {entry!r}")
        if entry.strip():
            yield entry.strip()


def _pattern(entry: str, source: str) -> re.Pattern[str]:
    """Return the compiled pattern of an entry such as `/EGN \\d+/`. Raise ValueError."""
    if len(entry) < 3 or not entry.endswith("/") or entry.endswith("\\/"):
        raise ValueError(f"{source}: {entry!r} must be a regular expression between two slashes")
    try:
        pattern = re.compile(entry[1:-1])
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{source}: {entry!r} must be a regular expression: {error}") from error
    if pattern.search(""):
        raise ValueError(f"{source}: {entry!r} must not match an empty text")
    if pattern.sub(MASK, MASK) != MASK:
        # A value is masked in the client and again in the writer.
        raise ValueError(f"{source}: {entry!r} must not match a part of {MASK}")
    return pattern
