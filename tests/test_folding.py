"""Folding: letter case and the form of accents do not count."""

import random
import sys
import unicodedata
from functools import cache

import pytest

from logs.folding import BLOCK_SIZE, MAX_ACCENTS, MAY_BE_ACCENTS, cut, fold, fold_blocks, is_accent, normalize

# They change in folding, compose with others, or are several characters when folded or decomposed.
SPECIAL = ["\u0131", *"aAiIİßẞΣςǰJKÅΩﬁﬃ각ᅠ\uac00각q \0Ϊΐ\u0958", "\u1fb3", "\u03b1", "\u0344"]
FREQUENT_ACCENTS = ["\u0301", "\u0307", "\u0323", "\u0327", "\u0328", "\u0345", "\u0344", "\u093e", "\u3099"]


@cache
def characters() -> list[str]:
    """Return the characters that have a form of their own, or are accents."""
    return [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character)[0] == "M"
        or character.casefold() != character
        or unicodedata.decomposition(character)
    ]


@cache
def accents() -> list[str]:
    """Return the accents."""
    return [character for character in characters() if is_accent(character)]


def random_text(chance: random.Random, length: int) -> str:
    kinds = (SPECIAL, FREQUENT_ACCENTS, accents())
    return "".join(chance.choice(chance.choices(kinds, (6, 3, 1))[0]) for _ in range(length))


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Hello", "hELLO"),
        ("ПРИВЕТ", "привет"),
        ("Straße", "STRASSE"),
        ("İstanbul", "istanbul"),
        ("I\u0307stanbul", "istanbul"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Café", "CAFE\u0301"),
        ("J\u030c", "ǰ"),
        ("\u212b", "å"),
        ("a\0b", "a b"),
        ("ạ̈", "A\u0308\u0323"),
    ],
)
def test_folding_makes_texts_alike(text: str, other: str) -> None:
    assert fold(text) == fold(other)


def test_folding_keeps_other_texts_apart() -> None:
    texts = ["cafe", "café", "cafe!", "\u0131", "i", "i\u0301", "Ꙁ", "日本", "日 本"]
    assert len(set(map(fold, texts))) == len(texts)


def test_folding_twice_changes_nothing() -> None:
    chance = random.Random(14)
    texts = [*characters(), *(random_text(chance, 8) for _ in range(5_000))]
    texts += [mark * 40 for mark in accents()] + [f"ΐ{mark * MAX_ACCENTS}" for mark in FREQUENT_ACCENTS]
    for form in (fold, normalize):
        assert [text for text in texts if form(form(text)) != form(text)] == []


def test_normalizing_then_folding_is_folding() -> None:
    chance = random.Random(15)
    for text in (random_text(chance, 6) for _ in range(3_000)):
        assert fold(normalize(text)) == fold(text)
        assert fold(unicodedata.normalize("NFD", text)) == fold(text)


def test_folding_blocks_is_folding_the_text() -> None:
    chance = random.Random(16)
    for _ in range(5_000):
        text = random_text(chance, chance.randint(1, 12))
        ends = sorted(chance.choices(range(len(text) + 1), k=2))
        blocks = [text[: ends[0]], text[ends[0] : ends[1]], text[ends[1] :]]
        for form in (fold, normalize):
            assert "".join(fold_blocks(blocks, form)) == form(text)


@pytest.mark.parametrize("character", ["\u0301", "\u0345", "\u093e", "\u0344", "ᅡ", "ᆨ", "İ", "漢", "x"])
def test_long_run_is_folded_in_blocks(character: str) -> None:
    text = "e" + character * (2 * BLOCK_SIZE + 7) + "E"
    blocks = list(fold_blocks(cut(text)))
    assert "".join(blocks) == fold(text)
    assert max(map(len, blocks)) <= BLOCK_SIZE + MAX_ACCENTS + 1


def test_every_accent_is_limited() -> None:
    marks = [character for character in characters() if unicodedata.combining(character)]
    assert [mark for mark in marks if not is_accent(mark)] == []
    assert [mark for mark in accents() if not MAY_BE_ACCENTS.fullmatch(mark * (MAX_ACCENTS + 1))] == []
    for mark in accents():
        assert len(fold(f"q{mark * 100}")) <= MAX_ACCENTS + 1


def test_only_accents_and_jamo_join_the_character_before() -> None:
    """The rule of blocks, on every composition of Unicode."""
    for character in characters():
        decomposed = unicodedata.normalize("NFD", character)
        # Each character after the first may compose with it; a first accent may compose with any text before.
        joined = decomposed[1:] if not is_accent(character) else ""
        assert all(is_accent(each) or "\u1160" <= each <= "\u11ff" for each in joined)
        assert is_accent(character) or not is_accent(decomposed[0])
