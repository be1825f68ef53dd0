"""Signatures: no false negatives, few false positives, and a density of at most a half."""

import random

import pytest

from logs.digests import signatures
from logs.digests.signatures import UNBOUNDED, Probe, SignatureBuilder, make_probe, value_hashes
from logs.folding import fold
from tests.noise import noise

TEXTS = [
    "",
    "abc",
    "abcd",
    "invoice 4711 paid by Ann Lee",
    fold("Плащане İstanbul Straße"),
    fold("東京都庁 💶💶 paid 💶"),
    "lone \ud800 surrogate",
    noise(5_000),
    noise(24_000, seed=2),
]


def build(*texts: str) -> bytes:
    """Return the signature of texts."""
    builder = SignatureBuilder()
    for text in texts:
        builder.add_text(text)
    return builder.build()


def density(signature: bytes) -> float:
    return int.from_bytes(signature).bit_count() / (len(signature) * 8)


@pytest.mark.parametrize("text", TEXTS)
def test_length_is_a_power_of_two_of_half_density(text: str) -> None:
    signature = build(text)
    bits = len(signature) * 8
    assert bits >= signatures.MIN_BITS
    assert bits & (bits - 1) == 0
    assert density(signature) <= 0.5
    # Half of the length would be too dense.
    halves = signature[: len(signature) // 2], signature[len(signature) // 2 :]
    folded = bytes(one | other for one, other in zip(*halves, strict=True))
    assert bits == signatures.MIN_BITS or density(folded) > 0.5


@pytest.mark.parametrize("text", TEXTS)
def test_every_part_of_a_text_may_match(text: str) -> None:
    signature = build("another text", text)
    rng = random.Random(1)
    for _ in range(200):
        start = rng.randrange(len(text) + 1)
        part = text[start : start + rng.randrange(1, 40)]
        assert make_probe([], [[part]]).may_match(signature), part


@pytest.mark.parametrize("text", TEXTS)
def test_long_text_may_match_like_a_short_one(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "MAX_CHARACTERS", 100)
    pieces = [text[start : start + 50] for start in range(0, len(text), 47)]
    signature = build(*pieces)
    assert density(signature) <= 0.5
    assert all(make_probe([], [[piece]]).may_match(signature) for piece in pieces)


def test_other_texts_are_mostly_excluded() -> None:
    signature = build(noise(20_000))
    others = [noise(8, seed=seed) for seed in range(2, 1_002)]
    assert sum(make_probe([], [[other]]).may_match(signature) for other in others) < 100


def test_signature_of_too_much_text_excludes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "MAX_CHARACTERS", 1_000)
    monkeypatch.setattr(signatures, "MAX_BITS", 2**12)
    signature = build(noise(5_000))
    assert signature == UNBOUNDED
    assert make_probe([[("type", "login")]], [["nowhere"]]).may_match(signature)


def test_short_texts_exclude_nothing() -> None:
    assert not make_probe([], [["abc"]])
    assert not make_probe([], [["long enough", "abc"]]), "the shorter alternative may be anywhere"
    assert make_probe([], [["abc"], ["long enough"]])
    assert Probe().may_match(build("text"))


def test_groups_are_required_and_alternatives_are_not() -> None:
    signature = build("first text", "second text")
    assert make_probe([], [["first text"], ["second text"]]).may_match(signature)
    assert make_probe([], [["nowhere at all", "second text"]]).may_match(signature)
    assert not make_probe([], [["first text"], ["nowhere at all"]]).may_match(signature)


def test_whole_values_are_found_and_others_excluded() -> None:
    builder = SignatureBuilder()
    for number in range(50):
        builder.add_value("account_id", str(number))
    signature = builder.build()
    assert density(signature) <= 0.5
    assert all(make_probe([[("account_id", str(n))]], []).may_match(signature) for n in range(50))
    others = [make_probe([[("account_id", str(n))]], []).may_match(signature) for n in range(50, 1_050)]
    assert sum(others) < 50
    assert not make_probe([[("user_id", "7")]], []).may_match(signature)


def test_both_forms_of_an_accent_are_one_value() -> None:
    assert value_hashes("user_id", "caf\u00e9") == value_hashes("user_id", "cafe\u0301")
