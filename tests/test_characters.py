"""Invisible characters are shown as escapes; emoji and other scripts are unchanged."""

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logs import characters
from logs.characters import is_invisible, visible

EVERY_CHARACTER = range(sys.maxunicode + 1)
# Texts of the characters that are most likely to be confused.
texts = st.text(
    st.sampled_from("7aé東क्❤🔥\u200c\u200d\ufe0f\u202e\u200b\u3164 \t\r\n\u00a0\\\ud800"), max_size=12
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7\u202e", "7\\u202e"),
        ("7\u200b", "7\\u200b"),
        ("7\u200d", "7\\u200d"),
        ("7\ufe0f", "7\\ufe0f"),
        ("7\u3164", "7\\u3164"),
        ("7\u034f", "7\\u034f"),
        ("7\u2800", "7\\u2800"),
        ("7\U000e0037", "7\\U000e0037"),
        ("7\ue000", "7\\ue000"),
        ("\x007\x7f\x85", "\\u00007\\u007f\\u0085"),
        ("7\ud800", "7\\ud800"),
        ("7\u2028\u2029", "7\\u2028\\u2029"),
        ("7\u00a0\u3000", "7\\u00a0\\u3000"),
        (" 7  8 ", "\\u00207  8\\u0020"),
        ("  ", "\\u0020\\u0020"),
        ("é\u200dé", "é\\u200dé"),
        ("東\u200d\u200d東", "東\\u200d\\u200d東"),
        ("7\ufe0f\u200d東", "7\\ufe0f\\u200d東"),
    ],
)
def test_invisible_character_is_shown_as_an_escape(text: str, expected: str) -> None:
    assert visible(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "a b\\c",
        "Köln – “Zoë Щ”",
        "東京",
        "\u0645\u06cc\u200c\u062e\u0648",
        "क्\u200dष",
        "❤\ufe0f",
        "❤\ufe0f\u200d🔥",
        "👩🏽\u200d💻",
        "👩\u200d👩\u200d👧",
        "葛\U000e0100",
        "a\u0301",
    ],
)
def test_emoji_and_other_scripts_are_unchanged(text: str) -> None:
    assert visible(text) == text
    assert visible(text, multiline=True) == text


def test_every_character_of_an_invisible_category_is_escaped() -> None:
    for character in map(chr, EVERY_CHARACTER):
        category = unicodedata.category(character)
        is_escaped = visible(f"a{character}b") != f"a{character}b"
        if category in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} or (category == "Zs" and character != " "):
            assert is_escaped, ascii(character)
        assert is_escaped == is_invisible(character), ascii(character)


def test_lines_keep_breaks_tabs_and_spaces() -> None:
    text = " a\tb\r\nc\n\u3000d\u00a0 "
    assert visible(text, multiline=True) == text
    assert visible("a\rb\u202e\x00\u2028", multiline=True) == "a\\u000db\\u202e\\u0000\\u2028"


@given(texts)
@settings(max_examples=500, deadline=None)
def test_visible_text_has_no_invisible_character(text: str) -> None:
    shown = visible(text)
    assert not any(is_invisible(character) for character in characters.MODIFIERS.sub("", shown))
    assert visible(shown) == shown


@given(texts)
@settings(max_examples=500, deadline=None)
def test_escapes_lead_back_to_the_text(text: str) -> None:
    text = text.replace("\\", "")
    shown = visible(text)
    for character in set(text):
        shown = shown.replace(characters.code(character), character)
    assert shown == text


def test_memory_of_the_replacements_is_limited() -> None:
    visible("".join(map(chr, EVERY_CHARACTER)), multiline=True)
    visible("".join(map(chr, EVERY_CHARACTER)))
    assert len(characters._IN_LINES) <= characters.MAX_TABLE
    assert len(characters._IN_A_LINE) <= characters.MAX_TABLE
