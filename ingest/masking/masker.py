"""Mask confidential values in messages, texts and URLs."""

import os
import re
from collections.abc import Iterable
from functools import lru_cache, partial
from urllib.parse import quote_plus, unquote_plus

from ingest.masking import encodings, rules
from ingest.masking.json_text import JsonMasking, NotJson, may_be_json
from ingest.masking.json_values import is_harmless
from ingest.masking.plain_text import mask_pairs
from ingest.masking.rules import MASK, USERINFO, Rules
from ingest.wire.wrappers import decode_base64

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

        Its other fields stay. The body may be invalid. A compressed log, and base64 in a wrapper of an AWS
        service, is decoded, masked and encoded again.
        """
        if self._is_off:
            return text
        masking = _Masking(self._rules, text)
        if not _OBJECT_START.match(text):
            return masking.text(text, 0)
        return masking.json(text, 0, is_log=True) if masking.may_match(text) else text

    def text(self, text: str) -> str:
        """Return a text masked: JSON, a form, headers or any other text."""
        return text if self._is_off else _Masking(self._rules, text).text(text, 0)

    def url(self, text: str) -> str:
        """Return a URL with its query, its fragment and its password masked."""
        return text if self._is_off else _Masking(self._rules, text).url(text, 0)


class _Masking:
    """Masks one body, text or URL. `level` counts the JSON texts and URLs around a text."""

    def __init__(self, rules: Rules, body: str) -> None:
        self._rules = rules
        self._inflater = encodings.Inflater(body)

    def may_match(self, text: str) -> bool:
        """Return whether a rule may match in a text, or in base64 in it."""
        return self._rules.may_match(text) or encodings.may_have_base64(text)

    def json(self, text: str, level: int, *, is_log: bool) -> str:
        """Return a JSON text masked, which may be invalid."""
        masks = (partial(mask, level=level + 1) for mask in (self.text, self.url, self._compressed))
        try:
            return JsonMasking(self._rules, *masks, is_log=is_log).mask(text)
        except NotJson:
            return self._plain(text)

    def text(self, text: str, level: int) -> str:
        """Return a text masked: JSON, base64, a form or any other text."""
        if decoded := decode_base64(text):
            masked = self.text(decoded, level)
            return text if masked == decoded else encodings.to_base64(masked)
        if not self.may_match(text):
            return text
        if level < MAX_LEVELS and may_be_json(text):
            # SNS wraps a log as text.
            return self.json(text, level, is_log='"account_id"' in text)
        return self._plain(text)

    def url(self, text: str, level: int) -> str:
        """Return a URL masked."""
        if not self._rules.may_match(text):
            return text
        query = _QUERY_START.search(text)
        start = query.start() if query else len(text)
        path = USERINFO.sub(rf"\1{MASK}", mask_pairs(text[:start], self._rules.names, in_path=True))
        masked = _QUERY_PAIR.sub(lambda pair: self._query_pair(pair[1], pair[2], level), text[start:])
        return path + self._rules.mask_values(masked)

    def _compressed(self, text: str, level: int) -> str:
        """Return a compressed log masked."""
        inflated = self._inflater.inflate(text)
        if inflated is None:
            return text
        masked = self.text(inflated, level)
        return text if masked == inflated else encodings.deflate(masked)

    def _plain(self, text: str) -> str:
        masked = USERINFO.sub(rf"\1{MASK}", mask_pairs(text, self._rules.names))
        return self._rules.mask_values(masked)

    def _query_pair(self, name: str, value: str, level: int) -> str:
        """Return a name and a value of a query, masked. A value may hold a URL or JSON itself."""
        if match := self._rules.names.match(name):
            return f"{name}={value if is_harmless(value, match) else MASK}"
        decoded = unquote_plus(value)
        masked = self.text(decoded, level + 1)
        return f"{name}={value if masked == decoded else quote_plus(masked, safe='*', errors='replace')}"


def from_environment() -> Masker:
    """Return the masker of LOGS_MASK. Its default is `@default`; empty masks nothing. Raise ValueError."""
    return _masker(os.environ.get("LOGS_MASK", rules.DEFAULT))


@lru_cache(8)
def _masker(setting: str) -> Masker:
    return Masker(setting)
