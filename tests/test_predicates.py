"""Filters compare in Python exactly as DynamoDB does."""

import random
import unicodedata
from typing import Any

import pytest

from logs.conditions import Kind, matches
from logs.filters import FILTERS, Filter, Source
from logs.folding import core, fold
from logs.models import LogItem
from tests.items import make_item, store

COMPARED = [name for name, each in FILTERS.items() if each.source is not Source.DOCUMENT]
# Short texts of few letters, so that many are equal or contained.
LETTERS = [
    "a",
    "A",
    "e",
    "é",
    "e\u0301",
    "\u0301",
    "İ",
    "i",
    "\u0307",
    "ß",
    "s",
    "가",
    "ᄀ",
    "ᅡ",
    "ᆨ",
    "/",
    " ",
    "😀",
]
KEYS = {"account_id", "type", "user_id"}


def random_text(chance: random.Random, most: int = 3) -> str:
    return "".join(chance.choices(LETTERS, k=chance.randint(1, most)))


def random_content(each: Filter, chance: random.Random) -> Any:
    """Return the content of an attribute: often missing, or empty if it may be."""
    if each.kind is Kind.AT_LEAST:
        return chance.choice([None, 0, 1, 500, 10**9])
    content = chance.choice([None, "", *(random_text(chance) for _ in range(4))])
    return content or "a" if each.attribute in KEYS else content


def random_value(each: Filter, chance: random.Random) -> Any:
    if each.kind is Kind.AT_LEAST:
        return chance.choice([0, 1, 499, 500, 501])
    if each.kind is Kind.CONTAINS:
        return random_text(chance, 2) if chance.random() < 0.9 else ""
    values = dict.fromkeys(random_text(chance, 2) for _ in range(chance.randint(1, 4)))
    return (*values, "") if chance.random() < 0.3 else tuple(values)


def make_log(number: int, each: Filter, content: Any) -> LogItem:
    """Return a log with this content of the attribute of a filter."""
    if each.attribute == "object_key":
        item = make_item(number)
        item.object_key = content or None
        return item
    name = each.attribute.removeprefix("context.")
    required = {"url": "", "sub_type": ""}
    return make_item(number, **({name: required.get(name)} if content is None else {name: content}))


@pytest.mark.parametrize("name", COMPARED)
def test_predicate_and_condition_keep_the_same_logs(name: str, logs_table: None) -> None:
    each, chance = FILTERS[name], random.Random(name)
    store(make_log(number, each, random_content(each, chance)) for number in range(60))
    items = list(LogItem.scan())

    for _ in range(15):
        value = random_value(each, chance)
        kept = {item.id for item in LogItem.scan(each.condition(value))}
        assert {item.id for item in items if each.matches(item, value)} == kept, value


def test_text_search_has_no_predicate() -> None:
    with pytest.raises(ValueError, match="SEARCH compares whole logs"):
        matches(Kind.SEARCH, "a", "a")


def test_signature_texts_are_in_each_match() -> None:
    chance = random.Random(14)
    each = FILTERS["url"]
    matched = 0
    for _ in range(30_000):
        value = random_text(chance, 5)
        form = unicodedata.normalize(chance.choice(["NFC", "NFD"]), value)
        url = random_text(chance) + chance.choice([form, value]) + random_text(chance)
        item = make_item(url=url)
        if each.matches(item, value):
            matched += 1
            assert any(text in fold(url) for text in each.signature_texts(value)), (url, value)
    assert matched > 10_000


def test_signature_texts_are_in_truncated_texts() -> None:
    whole = "/cafe\u0301/open"
    row = "/cafe…"
    for value in ("cafe…", "/cafe", "e…", "…"):
        assert FILTERS["url"].matches(make_item(url=row), value)
        assert any(text in fold(whole) for text in FILTERS["url"].signature_texts(value))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("invoice", "invoic"),
        ("café", "caf"),
        ("cafe\u0301", "caf"),
        ("\u0301abc\u0301", "ab"),
        ("각나", "각"),
        ("ᆨ가낙", "가"),
        ("J\u030cx", "J\u030c"),
        ("a", ""),
        ("\u0301", ""),
        ("", ""),
    ],
)
def test_core_leaves_out_characters_at_the_ends(text: str, part: str) -> None:
    assert core(text) == part


def test_signature_texts_are_of_contained_texts_only() -> None:
    assert FILTERS["user_name"].signature_texts("Ada L") == ("ada ",)
    assert FILTERS["url"].signature_texts("") == ("",)
    assert FILTERS["type"].signature_texts("login") == ("",)
