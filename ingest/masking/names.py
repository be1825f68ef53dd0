"""The names of fields that hold secrets, compared word by word."""

import re
from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache
from urllib.parse import unquote_plus

# `HTTP_X_AuthToken2` has the words HTTP, X, Auth, Token and 2.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
# Shorter names would be at the end of too many words: `pin` in `spin`, `key` in `monkey`.
MIN_SUFFIX_LETTERS = 5
# Of a longer name, the end counts.
MAX_NAME_CHARACTERS = 256


class NameMatch(IntEnum):
    """How a field's name matches the names of the setting."""

    NONE = 0
    PLURAL = 1
    EXACT = 2


def words(name: str) -> list[str]:
    """Return the words of a name in lower case.

    They are separated by camel case, by digits or by any other characters.
    """
    return [word.lower() for word in _WORD.findall(name)]


class FieldNames:
    """The names of a setting, without the `exceptions`, which are whole names.

    A field matches if words in it, one after the other, are those of a name. The last one may be a plural. A
    word may also end with a name of at least MIN_SUFFIX_LETTERS letters: `csrftoken`.
    """

    def __init__(self, names: Iterable[str], exceptions: Iterable[str]) -> None:
        word_lists = [words(name) for name in names]
        self._names = {"".join(each) for each in word_lists}
        self._suffixes = tuple(name for name in self._names if len(name) >= MIN_SUFFIX_LETTERS)
        self._plural_suffixes = tuple(f"{name}s" for name in self._suffixes)
        self._max_characters = max(map(len, self._names), default=0) + 1
        self._exceptions = {tuple(words(name)) for name in exceptions}
        # Each text with a name that matches has the letters of one of these. Such a text may still hold none.
        cores = {max(each, key=len) for each in word_lists}
        self.cores = tuple(core for core in cores if not any(other in core for other in cores - {core}))
        self.ascii_cores = tuple(core.encode() for core in self.cores if core.isascii())
        self.core = re.compile("|".join(map(re.escape, self.cores)) or "(?!)", re.IGNORECASE)
        self._cached_match = lru_cache(4096)(self._match)

    def match(self, name: str) -> NameMatch:
        """Return how a name matches. It may be percent-encoded."""
        return self._cached_match(name[-MAX_NAME_CHARACTERS:])

    def _match(self, name: str) -> NameMatch:
        name_words = words(unquote_plus(name))
        if tuple(name_words) in self._exceptions:
            return NameMatch.NONE
        result = NameMatch.NONE
        for start, word in enumerate(name_words):
            if word.endswith(self._suffixes):
                return NameMatch.EXACT
            if word.endswith(self._plural_suffixes):
                result = NameMatch.PLURAL
            run = ""
            for next_word in name_words[start:]:
                run += next_word
                if len(run) > self._max_characters:
                    break
                if run in self._names:
                    return NameMatch.EXACT
                if run.removesuffix("s") in self._names:
                    result = NameMatch.PLURAL
        return result
