"""A value that a page shows finds its logs when it is typed into the filter."""

import re
from typing import Any
from unicodedata import normalize
from urllib.parse import quote

import pytest
from django.http import QueryDict
from django.test import Client

from logs import spelling
from logs.filters import MISSING, NO_ONE
from logs.forms import FilterForm
from logs.key_values import MAX_LOOKUPS, KeyValues
from logs.models import LogItem
from logs.storage.choices import ChoicesWriter
from tests.api import LOGS
from tests.api import fetch as fetch_json
from tests.items import make_item, store
from tests.pages import fetch, press, row_ids, sentence

pytestmark = pytest.mark.usefixtures("logs_table")

LONE = {"account_id": "1", "user_id": "1", "type": "a", "sub_type": "b"}


def found(client: Client, query: str) -> list[str]:
    return row_ids(fetch(client, f"?{query}"))


def numbers(*values: int) -> list[str]:
    return [make_item(n).id for n in values]


@pytest.mark.parametrize("name", ["account_id", "user_id"])
@pytest.mark.parametrize("text", ["no one", "No one", "0 (no one)", "0"])
def test_no_one_finds_its_logs(viewer_client: Client, name: str, text: str) -> None:
    store([make_item(1, **{name: "0"}), make_item(2, **{name: "no one"}), make_item(3)])
    assert found(viewer_client, f"{name}={text}") == numbers(1)
    page = fetch(viewer_client, f"?{name}={text}")
    assert f'name="{name}" value="0"' in page


@pytest.mark.parametrize("value", ["no one", "No One", "\\no one", "0 (no one)"])
def test_account_named_as_a_word_is_reached(viewer_client: Client, value: str) -> None:
    store([make_item(1, account_id=value), make_item(2, account_id="0")])
    page = fetch(viewer_client)
    links = [each for each in re.findall(r'href="(\?account_id=[^"&]*)"', page) if each != "?account_id=0"]
    shown = fetch(viewer_client, links[0])
    assert row_ids(shown) == numbers(1)
    assert row_ids(press(viewer_client, shown, "Time (UTC)")) == numbers(1)


@pytest.mark.parametrize(
    "name", ["sub_type", "submitter_country", "submitter_platform", "submitter_browser", "url"]
)
def test_dash_finds_logs_without_the_value(viewer_client: Client, name: str) -> None:
    values = {"sub_type": "", "url": ""}
    full = {"submitter_country": "Japan", "submitter_platform": "iOS", "submitter_browser": "Edge"}
    missing = {**full, name: values.get(name)}
    store([make_item(1, **missing), make_item(2, **full), make_item(3, **{**full, name: "—"})])
    assert found(viewer_client, f"{name}=—") == numbers(1)
    assert found(viewer_client, f"{name}=\\—") == numbers(3)
    page = fetch(viewer_client, f"?{name}=—")
    assert "—" in sentence(page)
    assert row_ids(press(viewer_client, page, "Time (UTC)")) == numbers(1)


@pytest.mark.parametrize("name", ["account_id", "user_id", "type", "sub_type", "submitter_country", "url"])
@pytest.mark.parametrize("character", ["\u200b", "\u202e", "\u00a0", "\U000e0041"], ids=ascii)
def test_escape_finds_the_invisible_character(viewer_client: Client, name: str, character: str) -> None:
    value = f"7{character}x"
    escape = f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"
    store([make_item(1, **{name: value}), make_item(2), make_item(3, **{name: "7x"})])
    assert found(viewer_client, f"{name}=7{escape}x") == numbers(1)
    assert found(viewer_client, f"{name}={quote(value)}") == numbers(1)


@pytest.mark.parametrize("words", [NO_ONE, MISSING, {}], ids=["no_one", "missing", "none"])
@pytest.mark.parametrize(
    "value",
    [
        "7",
        "no one",
        "\\no one",
        "—",
        "\\—",
        "7\\u200b",
        "\\\\u200b",
        "7\u200b",
        "App\\Models\\User",
        "a\\",
        "\\",
    ],
)
def test_value_survives_writing_and_reading(value: str, words: dict[str, str]) -> None:
    assert spelling.read(spelling.write(value, words), words) == value


def test_api_takes_values_as_they_are(viewer_client: Client) -> None:
    store([make_item(1, user_id="0"), make_item(2, user_id="no one")])
    items = fetch_json(viewer_client, f"{LOGS}?user_id=no one")["items"]
    assert [item["id"] for item in items] == numbers(2)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("from=17 Nov 2026 16:30", "from 17 Nov 2026 16:30 UTC on"),
        ("from=17 Nov 2026 16:30 UTC", "from 17 Nov 2026 16:30 UTC on"),
        ("from=1 Nov 2026", "from 1 Nov 2026 00:00 UTC on"),
        ("from=17 Nov 2026&to=17 Nov 2026", "on 17 Nov 2026 (UTC)"),
        ("from=17 Nov 2026 16:30:05.250000", "from 17 Nov 2026 16:30:05.250000 UTC on"),
        ("from=2026-11-17 16:38:07 UTC", "from 17 Nov 2026 16:38:07 UTC on"),
        ("from=2026-11-17 16:38:07.405", "from 17 Nov 2026 16:38:07.405000 UTC on"),
        ("payload_size_min=5,000 bytes", "a payload of at least 5,000 bytes"),
        ("payload_size_min=5,000", "a payload of at least 5,000 bytes"),
    ],
)
def test_shown_times_and_sizes_are_read(viewer_client: Client, query: str, words: str) -> None:
    assert words in sentence(fetch(viewer_client, f"?{query}"))


@pytest.mark.parametrize("form", ["Caf\u00e9", "Cafe\u0301"])
def test_url_is_found_in_both_forms_of_accents(viewer_client: Client, form: str) -> None:
    store([make_item(1, url="/Caf\u00e9"), make_item(2, url="/Cafe\u0301"), make_item(3, url="/Cafe")])
    assert found(viewer_client, f"url={quote(form)}") == numbers(2, 1)


@pytest.mark.parametrize(
    "name", ["account_id", "type", "user_id", "sub_type", "submitter_country", "submitter_browser"]
)
@pytest.mark.parametrize("value", ["Caf\u00e9", "Zo\u00eb", "\ud55c\uad6d", "\u0439", "Acme, Caf\u00e9"])
def test_value_is_found_in_both_forms_of_accents(viewer_client: Client, name: str, value: str) -> None:
    forms = [normalize("NFC", value), normalize("NFD", value)]
    store([*(make_item(n, **{**LONE, name: form}) for n, form in enumerate(forms, 1)), make_item(3)])
    for form in forms:
        page = fetch(viewer_client, f"?{name}={quote(form)}")
        assert row_ids(page) == numbers(2, 1)
        assert row_ids(press(viewer_client, page, "Time (UTC)")) == numbers(1, 2)
        items = fetch_json(viewer_client, f"{LOGS}?{name}={quote(form)}")["items"]
        assert [item["id"] for item in items] == numbers(2, 1)


def test_account_and_type_are_found_in_both_forms(viewer_client: Client) -> None:
    forms = [normalize("NFC", "Zo\u00eb"), normalize("NFD", "Zo\u00eb")]
    pairs = [(account, type_) for account in forms for type_ in forms]
    store([make_item(n, account_id=account, type=type_) for n, (account, type_) in enumerate(pairs, 1)])
    assert found(viewer_client, f"account_id={forms[0]}&type={forms[1]}") == numbers(4, 3, 2, 1)


@pytest.mark.parametrize("name", ["type", "sub_type"])
@pytest.mark.parametrize("stored", ["NFC", "NFD"])
def test_no_suggestion_reads_as_the_value(viewer_client: Client, name: str, stored: Any) -> None:
    writer = ChoicesWriter()
    writer.record(normalize(stored, "Caf\u00e9"), normalize(stored, "Caf\u00e9"))
    writer.write()
    for typed in ("Caf\u00e9", "Cafe\u0301"):
        page = fetch(viewer_client, f"?{name}={quote(typed)}")
        assert suggestions(page) == []


def with_value(number: int, name: str, value: str) -> LogItem:
    return make_item(number, **{**LONE, name: value})


@pytest.mark.parametrize("name", ["account_id", "type"])
@pytest.mark.parametrize("value", ["Acme, Inc.", "a,b", "Smith, Jones, and Co", "x,", ", y", "1,000"])
def test_value_with_a_comma_is_found_as_typed(viewer_client: Client, name: str, value: str) -> None:
    store([with_value(1, name, value), with_value(2, name, "other")])
    page = fetch(viewer_client, f"?{name}={quote(value)}")
    assert row_ids(page) == numbers(1)
    assert found(viewer_client, f"{name}={quote(value.replace(',', '%5C,'), safe='%')}") == numbers(1)
    assert row_ids(press(viewer_client, page, "Time (UTC)")) == numbers(1)
    response: Any = viewer_client.get(f"/admin/logs/log/export/?format=csv&{name}={quote(value)}")
    assert b"".join(response).count(b"\n") == 2


def test_parts_with_logs_stay_beside_the_whole(viewer_client: Client) -> None:
    store(
        [make_item(1, account_id="Acme, Inc."), make_item(2, account_id="Acme"), make_item(3, account_id="8")]
    )
    assert found(viewer_client, "account_id=Acme, Inc.") == numbers(2, 1)
    assert found(viewer_client, "account_id=Acme, Inc.&account_id=8") == numbers(3, 2, 1)
    assert found(viewer_client, "account_id=Acme, 8") == numbers(3, 2)
    assert fetch_json(viewer_client, f"{LOGS}?account_id=Acme, 8")["items"] == []


@pytest.mark.parametrize("name", ["account_id", "type"])
@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        (["Acme, Inc.", "7"], "Acme, Inc., 7"),
        (["Acme, Inc.", "7"], "7, Acme, Inc."),
        (["Acme, Inc.", "Foo, Ltd."], "Acme, Inc.,Foo, Ltd."),
        (["7", "Smith, Jones, and Co", "8"], "7, Smith, Jones, and Co, 8"),
        (["Acme", "Acme, Inc.", "7"], "Acme, Inc., 7"),
        (["Acme, Inc.", "CN=Smith\\, John"], "CN=Smith\\, John, Acme, Inc."),
        (["a\\", "b"], "a\\, b"),
    ],
)
def test_values_with_commas_are_found_together(
    viewer_client: Client, name: str, stored: list[str], typed: str
) -> None:
    items = [with_value(n, name, value) for n, value in enumerate([*stored, "other"], 1)]
    store(items)
    page = fetch(viewer_client, f"?{name}={quote(typed)}")
    assert row_ids(page) == numbers(*range(len(stored), 0, -1))
    assert row_ids(press(viewer_client, page, "Time (UTC)")) == numbers(*range(1, len(stored) + 1))


@pytest.mark.parametrize("name", ["account_id", "type"])
@pytest.mark.parametrize(
    "value", ["CN=Smith\\, John,OU=Users", "a\\,b", "a\\\\,b", "x\\,", "\\,", "1\\,5\\,", "C:\\a,D:\\,E:\\b"]
)
def test_backslash_before_a_comma_is_found_as_shown(viewer_client: Client, name: str, value: str) -> None:
    store([with_value(1, name, value), with_value(2, name, "other")])
    page = fetch(viewer_client, f"?{name}={quote(value)}")
    assert row_ids(page) == numbers(1)
    assert row_ids(press(viewer_client, page, "Time (UTC)")) == numbers(1)


def test_escaped_comma_prefers_the_comma(viewer_client: Client) -> None:
    store([make_item(1, account_id="a,b"), make_item(2, account_id="a\\,b")])
    assert found(viewer_client, "account_id=a\\,b") == numbers(1)
    assert found(viewer_client, "account_id=a\\\\,b") == numbers(2)


@pytest.mark.parametrize("name", ["account_id", "type"])
@pytest.mark.parametrize(
    "value", [",".join(map(str, range(60))), "x" + "," * 300, ", ".join(map(str, range(120)))]
)
def test_value_with_many_commas_is_found(viewer_client: Client, name: str, value: str) -> None:
    store([with_value(1, name, value.strip())])
    assert found(viewer_client, f"{name}={quote(value)}") == numbers(1)
    other = fetch(viewer_client, f"?{name}={quote(','.join(map(str, range(70))))}", status=400)
    assert "70 combinations" in other


def test_joined_value_counts_as_one_combination(viewer_client: Client) -> None:
    store([make_item(n, account_id=str(n)) for n in range(1, 50)] + [make_item(50, account_id="Acme, Inc.")])
    values = ",".join(map(str, range(1, 50)))
    assert len(found(viewer_client, f"account_id={values},Acme, Inc.")) == 50


@pytest.mark.parametrize(
    "text", [",".join(map(str, range(90))), ",".join("abcdefghijklmnop"), "a," * 5000, "," * 5000, "7"]
)
def test_lookups_are_bounded(text: str) -> None:
    calls: list[tuple[str, str]] = []

    def has_logs(name: str, value: str) -> bool:
        calls.append((name, value))
        return False

    values = KeyValues(has_logs)
    for name in ("account_id", "type"):
        assert set(values.read(name, text, str.strip)) == {part for part in text.split(",") if part}
    assert len(calls) == len(set(calls)) <= MAX_LOOKUPS
    assert bool(calls) is ("," in text)


def test_fields_explain_the_comma() -> None:
    form = FilterForm(QueryDict())
    for name in ("account_id", "type"):
        assert "\\," in form[name].help_text


def suggestions(page: str) -> list[str]:
    """Return the values that an empty page offers, without its next steps."""
    empty = page[page.index('id="result_list"') :].split("logs-steps")[0]
    return re.findall(r"<bdi>([^<]*)</bdi></a>", empty)


@pytest.mark.parametrize(
    ("choices", "typed"),
    [
        (["Acme, Inc."], "Acme, Inc."),
        (["caf\u00e9", "cafe\u0301"], "cafe"),
        (["user  created", "user created"], "user createt"),
    ],
)
def test_no_two_suggestions_read_alike(viewer_client: Client, choices: list[str], typed: str) -> None:
    writer = ChoicesWriter()
    for choice in choices:
        writer.record(choice, choice)
    writer.write()
    page = fetch(viewer_client, f"?type={quote(typed)}")
    assert len(suggestions(page)) <= 1
    suggested: Any = viewer_client.get("/admin/logs/log/choices/").json()
    assert len(suggested["type"]) == len(suggested["sub_type"]) == 1
