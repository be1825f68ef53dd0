"""A search finds what the page of a log shows, in every spelling of JSON."""

import json
import random
import unicodedata
from typing import Any

import pytest

from logs.characters import original, visible
from logs.folding import MAX_ACCENTS
from logs.search_text import SearchText, folded
from logs.text_match import TextMatch
from tests.bombs import SHAPES


def is_in(text: str, payload: str, *, is_json: bool = True, match_case: bool = False) -> bool:
    """Return whether a payload contains a text, streamed and folded alike."""
    texts = SearchText(url="/", payload=payload, payload_is_json=is_json)
    match = TextMatch(text, match_case)
    is_match = match.is_in(texts)
    if not match_case:
        assert match.is_in_folded(folded(texts)) is is_match
    elif is_match:
        assert TextMatch(text).is_in(texts)
    return is_match


def spellings(value: Any) -> list[str]:
    """Return a value as JSON of several senders: Python, PHP, and one that escapes every character."""
    escaped = json.dumps(value)
    return [
        json.dumps(value, ensure_ascii=False, separators=(",", ":")),
        escaped.replace("/", "\\/"),
        json.dumps(value, indent=4, separators=(" ,", "  :\t")),
        json.dumps({"deep": [{"er": value}]}, ensure_ascii=False),
    ]


VALUES = [
    "App\\Models\\User",
    "C:\\Program Files\\new\\table",
    'said "no way"',
    "https://example.com/a?b=1",
    "\\\\server\\share\\u0041",
    "<b>it's 100 %</b>",
    "Привет, мир",
    "日本語",
    "ok 😀 👩‍👩‍👧",
    "line one\nline two\tend",
    'ends with \\"',
    "café",
    "{}[],: text",
]


@pytest.mark.parametrize("value", VALUES)
def test_value_is_found_in_every_spelling(value: str) -> None:
    for payload in spellings({"name": value, value: "x", "n": 1}):
        assert is_in(value, payload)
        assert is_in(value, payload, is_json=False), "a text that is JSON"
        assert is_in(value[1:-1], payload)
        assert is_in(f'"name": "{value}"', payload)
        assert not is_in(f"{value}!", payload)


@pytest.mark.parametrize("value", VALUES)
def test_displayed_spelling_is_found(value: str) -> None:
    shown = json.dumps({"name": value}, ensure_ascii=False, indent=2).splitlines()[1].strip()
    for payload in spellings({"name": value}):
        assert is_in(shown, payload)
        assert is_in(visible(shown), payload)


@pytest.mark.parametrize("value", VALUES)
def test_text_payload_keeps_its_spelling(value: str) -> None:
    assert is_in(value, f"he wrote {value}.", is_json=False)
    assert is_in("a\\nb", "a\\nb", is_json=False)
    assert not is_in('said "x"', 'he said \\"x\\"', is_json=False)
    assert not is_in("при", "\\u043f\\u0440\\u0438", is_json=False)


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("1.5", '{"n":1.50}'),
        ('"n": 1.5,', '{"n":1.50,"m":1}'),
        ("100.0", '{"n": 1e2}'),
        ("1e-05", "[0.00001]"),
        ("Infinity", "[1e400]"),
        ('"n": Infinity', '{"n":1e400}'),
        ('"n": -Infinity,', '{"n":-1e400,"m":1}'),
        ('"n": Inf', '{"n":1E+999}'),
        ("finity,", "[1e400,true]"),
        ('"n": 0', '{"n":-0}'),
        ("0,", "[-0,1]"),
        ('"n": -0.0', '{"n":-0.0}'),
        ('"n": -0.0', '{"n":-0e1}'),
        ('"n": -0.5', '{"n":-0.50}'),
        ('"n": 1.0', '{"n":1e-0}'),
        ("12345678901234567890", "[12345678901234567890]"),
        ('"paid": true', '{"paid":true}'),
        ('"paid": null', '{ "paid" : null }'),
        ('"list": []', '{"list":[ ]}'),
        ('"state": "open"', '{"a":{"state":"open"}}'),
        ('"a":1', '{"a":1}'),
        ("false", "false"),
        ("-7.25", "[[-7.25]]"),
    ],
)
def test_other_values_are_found_as_shown(text: str, payload: str) -> None:
    assert is_in(text, payload)


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ('a, "b', '["a","b"]'),
        ('open, "x"', '{"state":"open","x":1}'),
        ("u043", '{"a":"п"}'),
        ("1.55", "[1.5]"),
        ("1.50", '{"n":1.50}'),
        ("1e2", '{"n": 1e2}'),
        ('"1.50"', '{"n":"1.5"}'),
        ('"state":"open"', '{"state":["open"]}'),
        ("a b", '{"a":1,"b":2}'),
    ],
)
def test_text_that_no_page_shows_is_not_found(text: str, payload: str) -> None:
    assert not is_in(text, payload)


@pytest.mark.parametrize("text", ["Café Zoë", "Ångström", "한국어", "ạ̈", "Đặng Thị", "שׁ", "が"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_are_alike(text: str, form: Any) -> None:
    typed = unicodedata.normalize(form, text)
    for stored in ("NFC", "NFD"):
        value = unicodedata.normalize(stored, text)
        assert TextMatch(typed).is_in(SearchText(url=f"/search/{value}/1"))
        assert is_in(typed, f"a text with {value} in it", is_json=False)
        for payload in spellings({"name": value}):
            assert is_in(typed, payload)


def test_accent_is_part_of_its_letter() -> None:
    for value in ("café", unicodedata.normalize("NFD", "café")):
        assert is_in("caf", value)
        assert not is_in("cafe", value)


@pytest.mark.parametrize("character", ["\u200b", "\u202e", "\x07", "\u00a0", "\U000e0041", "\u2028"])
@pytest.mark.parametrize("is_json", [True, False])
def test_invisible_character_is_found_as_shown(character: str, is_json: bool) -> None:
    value = f"a{character}b"
    assert original(visible(value)) == value
    payload = json.dumps([value], ensure_ascii=False) if is_json else value
    assert is_in(visible(value), payload, is_json=is_json)
    assert is_in(value, payload, is_json=is_json)


@pytest.mark.parametrize(
    "value",
    [
        "C:\\\U000f0000",
        'a"\U000e0041\n',
        "\\\u200b\t\U0010fffd",
        "\\U000f0000\U000f0000",
        "C:\\\0",
        '"\1\\\2',
    ],
)
def test_mixed_escapes_are_found_as_shown(value: str) -> None:
    for payload in spellings({"name": value}):
        shown = json.dumps({"name": value}, ensure_ascii=False, indent=2).splitlines()[1].strip()
        assert is_in(visible(shown), payload)


@pytest.mark.parametrize("character", ["\0", "\1", "\2"])
def test_raw_control_character_is_no_stand_in(character: str) -> None:
    payload = f'{{"a":"x{character}y\\u00e9"}}'
    assert is_in(f"x{visible(character)}yé", payload)
    for other in ("x\\y", 'x"y', "xy"):
        assert not is_in(other, payload)


@pytest.mark.parametrize("text", ["\\ud800", "\\U00110000", "\\u0041", "\\x41", "\\", "\\u12"])
def test_other_escapes_stay(text: str) -> None:
    assert original(text) == text


def test_many_accents_are_limited() -> None:
    text = "e" + "\u0301\u0327" * 100_000
    assert is_in(text, text)
    assert is_in("e" + "\u0323" * MAX_ACCENTS, "[e" + "\u0323" * 70_000, is_json=False)
    assert not is_in("\u0323x", "[e" + "\u0323" * 70_000, is_json=False)


def test_match_may_lie_anywhere_in_a_long_text() -> None:
    needle = 'said "я\\п" 😀'
    for size in (65_000, 65_500, 65_536, 65_550, 131_072):
        for filler in ("x", "\\", "é", "\n", '"'):
            value = filler * size + needle + filler * 10
            for payload in spellings([value])[:2]:
                assert is_in(needle, payload)
                assert not is_in(needle + "!", payload)


def test_random_values_match_an_oracle() -> None:
    chance = random.Random(16)
    alphabet = ["a", "b", " ", '"', "\\", "/", "n", "u", "0", "é", "п", "😀", "\n", ",", ":", "{", "1.50"]
    for _ in range(300):
        value = "".join(chance.choices(alphabet, k=chance.randint(1, 40)))
        start = chance.randrange(len(value))
        text = value[start : start + chance.randint(1, 12)]
        for payload in spellings({"k": value}):
            assert is_in(text, payload), (text, payload)


@pytest.mark.parametrize("shape", SHAPES)
def test_bomb_is_searched_in_blocks(shape: str) -> None:
    """The memory is tested in tests/test_bounded_reading.py."""
    text = SHAPES[shape][:200_000]
    assert not is_in("needle 7", text)
    assert is_in("needle 7", '["needle\\u00207",' + text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("привет", "ПРИВЕТ, мир"),
        ("STRASSE", "Hauptstraße 7"),
        ("straße", "HAUPTSTRASSE"),
        ("istanbul", "İSTANBUL"),
        ("İstanbul", "istanbul"),
        ("ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ"),
        ("CAFÉ", "cafe\u0301"),
        ("ada@example", "Ada@Example.COM"),
    ],
)
def test_letter_case_does_not_count(text: str, value: str) -> None:
    for payload in spellings({"name": value}):
        assert is_in(text, payload)
        assert not is_in(text, payload, match_case=True)
        assert is_in(value, payload, match_case=True)


def test_match_case_keeps_the_form_of_accents() -> None:
    assert is_in("Café", "a Cafe\u0301", is_json=False, match_case=True)
    assert not is_in("café", "a Cafe\u0301", is_json=False, match_case=True)
    # A dot that folding removes is no match without letter case, so it is none with it.
    assert not is_in("\u0307", "i\u0307", is_json=False, match_case=True)


@pytest.mark.parametrize(
    "texts",
    [
        SearchText(summary="Paid the Invoice"),
        SearchText(user_name="Paid"),
        SearchText(account_name="paid"),
        SearchText(object_name="PAID-7"),
        SearchText(extra='{"state":{"is":"paid"}}'),
        SearchText(extra='{"paid":null}'),
        SearchText(url="/PAID"),
        SearchText(payload="it is paid"),
    ],
)
def test_every_text_of_a_log_is_searched(texts: SearchText) -> None:
    assert TextMatch("paid").is_in(texts)
    assert TextMatch("paid").is_in_folded(folded(texts))
    assert not TextMatch("unpaid").is_in(texts)


def test_match_lies_within_one_text() -> None:
    texts = SearchText(url="/a", summary="b", payload="c\0d")
    for text in ("/ab", "/a b", "bc", "b c", "/a\0b", "b\0c"):
        assert not TextMatch(text).is_in(texts)
        assert not TextMatch(text).is_in_folded(folded(texts))
    assert TextMatch("c\\u0000d").is_in(texts)
    assert folded(texts) == "/a\0b\0c d"


@pytest.mark.parametrize(
    "text",
    [
        '"state":"open"',
        '"state" :  "open"',
        '"id":1.50,"state":"open"',
        '{"id":1.5,"state":"open","list":[1,2,{"a":null}]}',
        '[1,2,{"a":null}]',
        '"list":[1,2,',
        '7,"state',
        'en","list":[1',
        "[1,2",
        ',"said":"\\"no\\" \\\\ \\u043f"',
        ',"said":"\\"no\\" \\\\ п"}',
    ],
)
def test_compact_json_is_found(text: str) -> None:
    value = {"n": 7, "state": "open", "list": [1, 2, {"a": None}], "said": '"no" \\ п'}
    number = {"id": 1.5, "state": "open", "list": [1, 2, {"a": None}]}
    for payload in [*spellings(value), *spellings(number)]:
        if is_in(text, payload):
            break
    else:
        pytest.fail("no spelling of the payload contains the text")


@pytest.mark.parametrize(
    "payload",
    [
        "[2026-11-26 10:00:05] ERROR: no, never",
        '{"time": "10:00", "cut off": "2026-11',
        "{a: 10:00, b}",
        "[" * 100_000,
    ],
)
def test_text_that_only_begins_as_json_is_as_sent(payload: str) -> None:
    assert is_in(payload[:40], payload, is_json=False)
    assert is_in(payload[1:20], payload, is_json=False)
    assert folded(SearchText(payload=payload)) == payload.lower()


def test_lone_surrogate_stays_an_escape() -> None:
    payload = '{"a":"\\ud800 п \\u043f"}'
    assert folded(SearchText(payload=payload)).encode()
    assert is_in("\\ud800 п п", payload, is_json=False)


def test_folded_and_streamed_texts_match_alike() -> None:
    chance = random.Random(14)
    alphabet = [
        "i",
        "İ",
        "I",
        "\u0307",
        "e",
        "\u0301",
        "\u0345",
        "Σ",
        "ß",
        "ᄀ",
        "ᅡ",
        "ᆨ",
        "가",
        "か",
        "\u3099",
        "\0",
        '"',
    ]
    for _ in range(60):
        value = "".join(chance.choices(alphabet, k=chance.randint(1, 12)))
        start = chance.randrange(len(value))
        text = value[start : start + chance.randint(1, 6)]
        filler = "x" * (65_536 - chance.randint(0, 12))
        is_in(text, filler + value, is_json=False)
        is_in(text, filler + value, is_json=False, match_case=True)
        is_in(text, json.dumps([filler, value], ensure_ascii=chance.random() < 0.5))
