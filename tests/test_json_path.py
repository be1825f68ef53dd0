"""Filters on a value within the JSON of the payload or of the extra fields."""

import json
import random
import unicodedata
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.http import QueryDict
from django.test import Client

from logs.filters import LogFilter
from logs.forms import FilterForm, parameters
from logs.json_path import PathFilter
from logs.models import LogItem
from logs.pages.links import query_string
from logs.pages.sentence import sentence
from logs.plan import make_plan
from logs.search_text import folded, search_text
from logs.storage import documents
from tests.api import fetch, problem, program
from tests.items import make_item, store
from tests.pages import row_ids

PAYLOAD = {
    "status": "paid",
    "customer": {"name": "Ada Lovelace", "vip": True, "rating": 1.5, "note": None},
    "items": [{"sku": "A-1", "tags": ["x", "y"]}, {"sku": "B-2"}],
    "dotted.name": {"a.b": "deep"},
    "7": "seven",
    "total": 100,
    "blank": "  padded\t",
    "": "nameless",
}


def make_log(payload: Any = PAYLOAD, *, extra: Any = None, is_json: bool = True, number: int = 1) -> LogItem:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    document = documents.Document(payload=text)
    if extra is not None:
        document["extra"] = json.dumps(extra)
    return make_item(
        number,
        payload_type="json" if is_json else "text",
        payload_size=len(text),
        document=documents.pack(document),
    )


def matches(path: str, *values: str, item: LogItem | None = None, source: str = "payload") -> bool:
    """Return whether a log matches. If it does, it has the filter's needles."""
    content = documents.content(item or make_log())
    path_filter = PathFilter(source, path, values)
    is_match = path_filter.matches(content)
    if is_match:
        text = folded(search_text(content))
        assert all(any(needle in text for needle in clause) for clause in path_filter.needles)
    return is_match


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("status", "paid"),
        ("customer.name", "Ada Lovelace"),
        ("customer.vip", "true"),
        ("customer.rating", "1.5"),
        ("customer.note", "null"),
        ("items.0.sku", "A-1"),
        ("items.0.tags.1", "y"),
        ("items.1.sku", "B-2"),
        ("dotted.name.a.b", "deep"),
        ("7", "seven"),
        ("total", "100"),
        ("blank", "padded"),
    ],
)
def test_value_at_a_path_matches(path: str, value: str) -> None:
    assert matches(path, value)
    assert matches(path, "other", value)
    assert matches(path, value, item=make_log(is_json=False)), "a text that is JSON"
    assert matches(path, value, item=make_log({}, extra=PAYLOAD), source="extra")
    assert not matches(path, value, item=make_log({}, extra=PAYLOAD))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("status", "Paid"),
        ("status", "pai"),
        ("Status", "paid"),
        ("customer", "Ada Lovelace"),
        ("name", "Ada Lovelace"),
        ("customer.name.first", "Ada"),
        ("items.sku", "A-1"),
        ("items.2.sku", "A-1"),
        ("items.00.sku", "A-1"),
        ("items.-1.sku", "B-2"),
        ("total", "100.0"),
        ("customer.rating", "1.50"),
        ("customer.vip", "True"),
    ],
)
def test_other_value_or_path_never_matches(path: str, value: str) -> None:
    assert not matches(path, value)


@pytest.mark.parametrize(
    "payload",
    [
        "status: paid",
        '{"status": "paid"',
        '"paid"',
        "[" * 100_000,
        '{"status":"paid","n":' + "9" * 5000 + "}",
    ],
)
def test_text_that_is_no_json_never_matches(payload: str) -> None:
    assert not matches("status", "paid", item=make_log(payload, is_json=False))


def test_payload_with_too_many_values_never_matches() -> None:
    assert matches("a.0", "1", item=make_log({"a": [1] * 99_000}))
    assert not matches("a.0", "1", item=make_log({"a": [1] * 101_000}))


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
@pytest.mark.parametrize("typed", ["NFC", "NFD"])
def test_accents_of_paths_and_values_are_alike(stored: Any, typed: Any) -> None:
    log = make_log({unicodedata.normalize(stored, "prénom"): unicodedata.normalize(stored, "Zoë")})
    assert matches(*(unicodedata.normalize(typed, text) for text in ("prénom", "Zoë")), item=log)


def test_random_values_have_the_needles() -> None:
    """`matches` compares each match with the folded text."""
    chance = random.Random(14)
    letters = [
        "a",
        "B",
        "İ",
        "ß",
        "é",
        "e\u0301",
        "\u0301",
        "п",
        " ",
        '"',
        "\\",
        "/",
        ".",
        "\n",
        "0",
        "\0",
        "😀",
    ]

    def text() -> str:
        return "".join(chance.choices(letters, k=chance.randint(1, 6)))

    found = 0
    for _ in range(2_000):
        leaf = chance.choice(
            [text(), chance.random() * 10 ** chance.randint(-9, 20), chance.randint(-9, 99), True]
        )
        names = [text() for _ in range(chance.randint(1, 3))]
        value: Any = leaf
        for name in reversed(names):
            value = {text(): 1, name: value} if chance.random() < 0.7 else {name: [value]}
        path = []
        node = value
        for name in names:
            path.append(name)
            node = node[name]
            if isinstance(node, list):
                path.append("0")
                node = node[0]
        shown = leaf.strip() if isinstance(leaf, str) else json.dumps(leaf)
        if shown:
            payload = json.dumps(value, ensure_ascii=chance.random() < 0.5)
            found += matches(".".join(path), shown, item=make_log(payload))
    assert found > 1_500


@pytest.fixture
def logs(logs_table: None) -> None:
    store(
        [
            make_log({"status": "paid"}, number=1),
            make_log({"status": "open"}, number=2, extra={"build": 17}),
            make_log("status paid", number=3, is_json=False),
            make_item(4),
        ]
    )


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("payload.status=paid", [1]),
        ("payload.status=paid&payload.status=open", [2, 1]),
        ("payload.status=open&extra.build=17", [2]),
        ("payload.status=paid&extra.build=17", []),
        ("payload.status=open&q=BUILD", [2]),
        ("payload.status=open&account_id=8&order=oldest", []),
    ],
)
def test_api_filters_by_values_within_json(logs: None, query: str, numbers: list[int]) -> None:
    page = fetch(program(), f"/api/logs?{query}")
    assert [item["id"] for item in page["items"]] == [make_item(number).id for number in numbers]
    assert page["complete"]


def test_page_shows_its_filters_on_values(logs: None, viewer_client: Client) -> None:
    page = viewer_client.get("/admin/logs/log/?payload.status=paid,open").content.decode()
    assert "filtered by payload.status is <strong><bdi>paid</bdi></strong> or" in page
    assert 'name="payload.status" value="paid, open"' in page
    assert len(row_ids(page)) == 2
    assert "payload.status=paid&amp;payload.status=open" in page.split('id="result_list"')[1]


def test_filters_on_values_survive_a_link() -> None:
    paths = (
        PathFilter("extra", "a b", ("x,y", "a\\u200bb", "a\u200bb")),
        PathFilter("payload", "items.0.näme", ("no one", "—", "1")),
    )
    log_filter = LogFilter(q="a", paths=paths)
    form = FilterForm(QueryDict(query_string(log_filter)))
    assert form.is_valid(), form.errors
    assert form.log_filter == log_filter
    again = FilterForm(parameters(log_filter, 50))
    assert again.is_valid()
    assert again.log_filter == log_filter
    assert sentence(make_plan(log_filter)) == (
        "All logs, newest first, filtered by “a” in any text, extra.a b is x,y, a\\u200bb or a\\u200bb "
        "and payload.items.0.näme is no one, — or 1."
    )


def test_fingerprint_depends_on_paths_and_values() -> None:
    filters = [
        LogFilter(),
        LogFilter(paths=(PathFilter("payload", "a", ("1",)),)),
        LogFilter(paths=(PathFilter("extra", "a", ("1",)),)),
        LogFilter(paths=(PathFilter("payload", "b", ("1",)),)),
        LogFilter(paths=(PathFilter("payload", "a", ("1", "2")),)),
    ]
    assert len({each.fingerprint for each in filters}) == len(filters)
    swapped = LogFilter(paths=(PathFilter("payload", "a", ("2", "1")),))
    assert swapped.fingerprint == filters[-1].fingerprint


@pytest.mark.parametrize(
    ("query", "name", "message"),
    [
        ("payload.=1", "payload.", "This has no path. Write one as in payload.customer.name."),
        (f"payload.{'a' * 501}=1", f"payload.{'a' * 501}", "This path is over 500 bytes long."),
        (f"extra.{'.' * 20}=1", f"extra.{'.' * 20}", "This path has 21 names; at most 20 are possible."),
        (f"payload.a={'x' * 501}", "payload.a", "This is over 500 bytes long."),
        ("payload.a=", "payload.a", "This is empty: omit it, or give a value."),
        ("payload.a=%00", "payload.a", "Null characters are not allowed."),
        ("payload.a=%ff", "payload.a", "This is not text in UTF-8."),
        ("payload.%ff=a", "payload.\ufffd", "The name of this parameter is not text in UTF-8."),
    ],
)
def test_wrong_path_or_value_is_an_error(
    query: str, name: str, message: str, logs_table: None, viewer_client: Client
) -> None:
    assert problem(program(), f"/api/logs?{query}", 400)["fields"] == {name: [message]}
    status = viewer_client.get(f"/admin/logs/log/?{query}").status_code
    assert status == (200 if query.endswith("=") else 400)


def test_too_many_values_are_an_error(viewer_client: Client) -> None:
    values = "The filters on values within JSON have 11 values; at most 10 are possible."
    for query, expected in {
        urlencode([("payload.a", str(number)) for number in range(11)]): values,
        urlencode([(f"payload.{number % 6}", str(number)) for number in range(11)]): values,
        urlencode([(f"payload.{number}", "1") for number in range(500)]): (
            "There are filters on 500 paths within JSON; at most 10 are possible."
        ),
    }.items():
        fields = problem(program(), f"/api/logs?{query}", 400)["fields"]
        [message] = next(iter(fields.values()))
        assert message == expected
        assert viewer_client.get(f"/admin/logs/log/?{query}").status_code == 400


def test_empty_filters_hide_no_other_one() -> None:
    empty = [(f"payload.{number}", "") for number in range(10)]
    form = FilterForm(QueryDict(urlencode([*empty, ("payload.a", "1")])))
    assert form.errors_by_parameter() == {
        "payload.a": ["There are filters on 11 paths within JSON; at most 10 are possible."]
    }


@pytest.mark.parametrize(
    "name", ["payload", "payloads.a", "extra", "Payload.a", "-payload.a", quote("payload\0.a")]
)
def test_other_names_are_no_filters(name: str) -> None:
    fields = problem(program(), f"/api/logs?{name}=1", 400)["fields"]
    assert "There is no filter" in next(iter(fields.values()))[0]
