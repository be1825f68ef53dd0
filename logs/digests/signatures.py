"""Signatures: a Bloom filter for each block, which excludes texts and values.

A signature has one bit for each 4-gram of the folded search text, and six bits for each whole value of
VALUE_ATTRIBUTES. Its length is the power of two that keeps its density at or below a half.
"""

import hashlib
import math
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import normalize

from logs.models import LogItem

GRAM = 4
UNIT_BYTES = 2
GRAM_BYTES = GRAM * UNIT_BYTES
# The attributes of a log whose whole values are in signatures, by the name of their filter.
VALUE_ATTRIBUTES = {
    "account_id": "account_id",
    "user_id": "user_id",
    "type": "type",
    "sub_type": "sub_type",
    "object": "object_key",
    "request_id": "request_id",
    "trace_id": "trace_id",
    "submitter_ip": "submitter_ip",
    "submitter_country": "submitter_country",
    "submitter_platform": "submitter_platform",
    "submitter_browser": "submitter_browser",
}
MIN_BITS, MAX_BITS = 64, 2**21
# Longer texts become bits of the longest signature at once, because a set of their 4-grams takes more memory.
MAX_CHARACTERS = 200_000
# A signature that excludes nothing: its block has more text than MAX_BITS can describe.
UNBOUNDED = b""
ONE = ord("1")

_BITS = struct.Struct("<6I")
_GRAM = struct.Struct("<Q")


@lru_cache(maxsize=50_000)
def value_hashes(name: str, value: str) -> tuple[int, ...]:
    """Return the six hashes of a whole value. Composed and decomposed accents are alike."""
    data = f"{name}\0{normalize('NFC', value)}".encode(errors="surrogatepass")
    return _BITS.unpack(hashlib.blake2b(data, digest_size=_BITS.size).digest())


def grams(text: str) -> set[int]:
    """Return the 4-grams of a folded text as numbers.

    Each number is made of four UTF-16 code units. A shorter text has none. Casting a buffer is several
    times as fast as slicing the text.
    """
    data = memoryview(text.encode("utf-16-le", errors="surrogatepass"))
    numbers: set[int] = set()
    for start in range(0, GRAM_BYTES, UNIT_BYTES):
        length = max(0, len(data) - start) // GRAM_BYTES * GRAM_BYTES
        numbers.update(data[start : start + length].cast("Q"))
    return numbers


def hashes_of(numbers: Iterable[int]) -> Iterator[int]:
    """Return the hashes of 4-grams."""
    return map(zlib.crc32, map(_GRAM.pack, numbers))


def gram_hashes(text: str) -> tuple[int, ...]:
    """Return the hashes of the 4-grams of a folded text."""
    return tuple(hashes_of(grams(text)))


def values(item: LogItem) -> Iterator[tuple[str, str]]:
    """Yield the names and the whole values of a log that are in signatures."""
    context = item.context.attribute_values if item.context else {}
    # Attributes one by one would take five times as long.
    attributes = {**item.attribute_values, **context}
    for name, attribute in VALUE_ATTRIBUTES.items():
        if value := attributes.get(attribute):
            yield name, value


class SignatureBuilder:
    """Collects the texts and values of a block."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._characters = 0
        self._hashes: set[int] = set()
        self._bits: bytearray | None = None

    def add_text(self, text: str) -> None:
        """Add the 4-grams of a folded text."""
        self._texts.append(text)
        self._characters += len(text)
        if self._characters > MAX_CHARACTERS:
            self._bits = self._bits or bytearray(MAX_BITS // 8)
            _set_bits(self._bits, self._gram_hashes())

    def add_value(self, name: str, value: str) -> None:
        """Add a whole value."""
        self._hashes.update(value_hashes(name, value))

    def build(self) -> bytes:
        """Return the signature."""
        hashes = self._hashes.union(self._gram_hashes())
        if self._bits is not None:
            _set_bits(self._bits, hashes)
            return _shorten(self._bits)
        bits = MIN_BITS
        while bits * math.log(2) < len(hashes):
            bits *= 2
        signature = _set_bits(bytearray(bits // 8), hashes)
        while not _is_sparse(signature):
            signature = _set_bits(bytearray(len(signature) * 2), hashes)
        return bytes(signature)

    def _gram_hashes(self) -> Iterator[int]:
        """Return the hashes of the texts so far, and forget the texts."""
        # Joined, because a call for each text takes twice as long. The separator adds few 4-grams.
        text, self._texts, self._characters = "\0".join(self._texts), [], 0
        return hashes_of(grams(text))


def _set_bits(signature: bytearray, hashes: Iterable[int]) -> bytearray:
    """Set the bits of hashes; return the signature."""
    mask = len(signature) * 8 - 1
    # A digit for each bit, the lowest one first. Setting bits within bytes takes twice as long.
    digits = bytearray(b"0") * (mask + 1)
    for each in hashes:
        digits[each & mask] = ONE
    bits = int(digits[::-1], 2) | int.from_bytes(signature, "little")
    signature[:] = bits.to_bytes(len(signature), "little")
    return signature


def _is_sparse(signature: bytes | bytearray) -> bool:
    """Return whether at most half of the bits are set."""
    return int.from_bytes(signature).bit_count() * 2 <= len(signature) * 8


def _shorten(signature: bytearray) -> bytes:
    """Return a signature of MAX_BITS in its shortest length. The low bits of a hash are its place."""
    if not _is_sparse(signature):
        return UNBOUNDED
    shortest = bytes(signature)
    while len(shortest) * 8 > MIN_BITS:
        half = len(shortest) // 2
        folded = int.from_bytes(shortest[:half], "little") | int.from_bytes(shortest[half:], "little")
        shorter = folded.to_bytes(half, "little")
        if not _is_sparse(shorter):
            break
        shortest = shorter
    return shortest


@dataclass(frozen=True)
class Probe:
    """The texts and values that a matching block has in its signature.

    Each group is a list of alternatives, each with its hashes: one alternative of each group must be in the
    signature.
    """

    groups: tuple[tuple[tuple[int, ...], ...], ...] = ()

    def may_match(self, signature: bytes | memoryview) -> bool:
        """Return whether a block with this signature may have a matching log."""
        if not signature:
            return True
        mask = len(signature) * 8 - 1
        return all(any(_has(signature, mask, hashes) for hashes in group) for group in self.groups)

    def __bool__(self) -> bool:
        """Return whether the probe excludes any block at all."""
        return bool(self.groups)


def _has(signature: bytes | memoryview, mask: int, hashes: tuple[int, ...]) -> bool:
    # A loop: most blocks are excluded by the first hash, and a generator costs more than that.
    for each in hashes:  # noqa: SIM110  see above
        if not signature[(each & mask) >> 3] >> (each & 7) & 1:
            return False
    return True


def make_probe(values: Iterable[Iterable[tuple[str, str]]], texts: Iterable[Iterable[str]]) -> Probe:
    """Return the probe of groups of whole values and of folded texts.

    A text of fewer than GRAM characters has no 4-gram, so its group excludes nothing and is left out.
    """
    groups = [tuple(value_hashes(*each) for each in group) for group in values]
    groups += [tuple(gram_hashes(text) for text in group) for group in texts]
    return Probe(tuple(group for group in groups if group and all(group)))
