"""Mask confidential values in messages, texts and URLs."""

import os
import re
from collections.abc import Iterable
from functools import lru_cache, partial
from urllib.parse import quote_plus, unquote_plus

from ingest.masking import rules
from ingest.masking.json_text import JsonMasking, NotJson, may_be_json
from ingest.masking.json_values import is_harmless
from ingest.masking.plain_text import mask_pairs
from ingest.masking.rules import MASK, USERINFO

# A JSON text within a JSON text, and so on, is plain text below this depth.
MAX_LEVELS = 5

_OBJECT_START = re.compile(r"\s*+\{")
_QUERY_START = re.compile(r"[?#]|\Z")
_QUERY_PAIR = re.compile(r"(?<=[?&;#])([^=&;#?]++)=([^&;#]++)")


class Masker:
    """Masks the values that the rules of LOGS_MASK name.

    The methods are pure and idempotent: a log is masked in the client and again in the writer.
    """

    def __init__(self, setting: str | Iterable[str], source: str = rules.SETTING) -> None:
        """Parse a setting, as `rules.parse` does. Raise ValueError."""
        self._rules = rules.parse(setting, source)
        self._is_off = not (self._rules.names.cores or self._rules.patterns or self._rules.has_cards)

    def body(self, text: str) -> str:
        """Return the body of a message with its payload, url and unknown fields masked.

        Its other fields stay. The body may be invalid, but not compressed.
        """
        if self._is_off or not self._rules.may_match(text):
            return text
        return self._json(text, 0, is_log=True) if _OBJECT_START.match(text) else self._text(text, 0)

    def text(self, text: str) -> str:
        """Return a text masked: JSON, a form, headers or any other text."""
        return text if self._is_off else self._text(text, 0)

    def url(self, text: str) -> str:
        """Return a URL with its query, its fragment and its password masked."""
        return text if self._is_off else self._url(text, 0)

    def _json(self, text: str, level: int, *, is_log: bool) -> str:
        mask_text, mask_url = (partial(mask, level=level + 1) for mask in (self._text, self._url))
        try:
            return JsonMasking(self._rules, mask_text, mask_url, is_log=is_log).mask(text)
        except NotJson:
            return self._plain(text)

    def _text(self, text: str, level: int) -> str:
        if not self._rules.may_match(text):
            return text
        if level < MAX_LEVELS and may_be_json(text):
            # SNS wraps a log as text.
            return self._json(text, level, is_log='"account_id"' in text)
        return self._plain(text)

    def _plain(self, text: str) -> str:
        masked = USERINFO.sub(rf"\1{MASK}", mask_pairs(text, self._rules.names))
        return self._rules.mask_values(masked)

    def _url(self, text: str, level: int) -> str:
        if not self._rules.may_match(text):
            return text
        query = _QUERY_START.search(text)
        start = query.start() if query else len(text)
        path = USERINFO.sub(rf"\1{MASK}", mask_pairs(text[:start], self._rules.names, in_path=True))
        masked = _QUERY_PAIR.sub(lambda pair: self._query_pair(pair[1], pair[2], level), text[start:])
        return path + self._rules.mask_values(masked)

    def _query_pair(self, name: str, value: str, level: int) -> str:
        """Return a name and a value of a query, masked. A value may hold a URL or JSON itself."""
        if match := self._rules.names.match(name):
            return f"{name}={value if is_harmless(value, match) else MASK}"
        decoded = unquote_plus(value)
        masked = self._text(decoded, level + 1)
        return f"{name}={value if masked == decoded else quote_plus(masked, safe='*', errors='replace')}"


def from_environment() -> Masker:
    """Return the masker of LOGS_MASK. Its default is `@default`; empty masks nothing. Raise ValueError."""
    return _masker(os.environ.get("LOGS_MASK", rules.DEFAULT))


@lru_cache(8)
def _masker(setting: str) -> Masker:
    return Masker(setting)
