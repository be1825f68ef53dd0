"""One rule for white space: the writer stores a value as every filter compares it."""

import sys
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.test import Client

from ingest import messages
from ingest.wire import characters as wire_characters
from ingest.writing import items
from logs import characters
from logs.conditions import Kind
from logs.filters import FILTERS
from logs.forms import FilterForm
from logs.models import LogItem
from tests.api import LOGS, fetch
from tests.factories import LOG_ID, make_body, make_record
from tests.pages import LISTING

# The filters that compare whole values.
NAMES = [name for name, each in FILTERS.items() if each.kind is Kind.EQUALS]
# Those outside the context, which has tests of its own.
STORED = [name for name in NAMES if FILTERS[name].attribute == name]
ENDS = {
    "spaces": "  {} ",
    "tab_and_line_break": "\t{}\r\n",
    "no_break_space": "\u00a0{}\u202f",
    "ideographic_space": "\u3000{}",
    "line_separator": "{}\u2028",
    "byte_order_mark": "\ufeff{}",
    "zero_width_space": "\u200b{} \u2060",
    "separator": "{}\x1f",
}


def store(**changes: Any) -> LogItem:
    record = make_record(make_body(id=LOG_ID, **changes))
    item = items.to_item(messages.parse(record["body"]), messages.envelope(record))
    items.put(item)
    return item


def test_writer_and_filters_strip_the_same_characters() -> None:
    for number in range(sys.maxunicode + 1):
        character = chr(number)
        text = f"{character}a{character}"
        assert wire_characters.strip(text) == characters.strip(text)
        assert (characters.strip(text) == "a") == (character.isspace() or character in "\u200b\u2060\ufeff")


def matching_ids(client: Client, name: str, value: str) -> list[str]:
    """Return the ids of the logs that the API finds with a filter."""
    page = fetch(client, f"{LOGS}?{urlencode({name: value})}")
    return [item["id"] for item in page["items"]]


@pytest.mark.parametrize("form", ENDS.values(), ids=list(ENDS))
def test_value_is_stored_and_filtered_stripped(logs_table: None, viewer_client: Client, form: str) -> None:
    sent = form.format("a  b")

    item = store(**dict.fromkeys(STORED, sent))

    assert {getattr(item, name) for name in STORED} == {"a  b"}
    for name in STORED:
        assert (
            matching_ids(viewer_client, name, sent) == matching_ids(viewer_client, name, "a  b") == [LOG_ID]
        ), name


@pytest.mark.parametrize("text", ["a\nb", "a\tb", "a\x00b", "a\u00a0b", "a\u200bb", "a\x85b"])
def test_character_inside_a_value_is_kept(logs_table: None, viewer_client: Client, text: str) -> None:
    names = [name for name in STORED if name not in ("account_id", "type", "user_id")]

    item = store(**dict.fromkeys(names, text))

    assert {getattr(item, name) for name in names} == {text}
    for name in names:
        assert matching_ids(viewer_client, name, text) == [LOG_ID], name
    assert f"{LOG_ID}/change/" in viewer_client.get(LISTING, {"sub_type": text}).content.decode()


@pytest.mark.parametrize("text", [" ", "\t\n", "\u00a0", "\u3000\u200b", "\ufeff"])
@pytest.mark.parametrize("name", ["account_id", "user_id", "type", "submitter_id"])
def test_name_of_white_space_is_rejected(name: str, text: str) -> None:
    with pytest.raises(messages.InvalidMessage) as caught:
        messages.parse(make_body(**{name: text}))

    assert list(caught.value.fields) == [name]


@pytest.mark.parametrize("text", [" ", "\t\n", "\u00a0", "\u3000\u200b", "\ufeff"])
def test_optional_value_of_white_space_is_absent(text: str) -> None:
    message = messages.parse(make_body(submitter_country=text, submitter_city=text, sub_type=text))

    assert (message.submitter_country, message.submitter_city, message.sub_type) == (None, None, "")


@pytest.mark.parametrize("name", ["url", "submitter_agent", "payload", "unknown"])
def test_value_that_no_filter_compares_whole_is_unchanged(name: str) -> None:
    message = messages.parse(make_body(**{name: " a\n"}))

    assert getattr(message, name) == " a\n"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", [" ", "\u00a0\t", "\u200b", "\ufeff"])
def test_filter_of_white_space_is_empty(name: str, text: str) -> None:
    data = QueryDict(mutable=True)
    data[name] = text

    form = FilterForm(data)
    strict = FilterForm(data, strict=True)

    assert form.is_valid()
    assert not getattr(form.log_filter, name)
    assert strict.errors_by_parameter() == {name: ["This is empty: omit it, or give a value."]}


def test_account_of_logsite_is_checked_without_white_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGS_OWN_SENDERS", "AIDAOTHER")
    for account_id in (" _logsite", "\u200b_logsite", "\ufeff _logsite\u2060"):
        record = make_record(make_body(account_id=account_id))
        item = items.to_item(messages.parse(record["body"]), messages.envelope(record))
        assert item.account_id == "_unverified"


# The fields of the context, with the filter of each and its parameter for a value.
CONTEXT = {
    "user_name": ("Ada  L.", "user_name"),
    "account_name": ("Acme  Inc.", None),
    "submitter_ip": ("203.0.113.7", "submitter_ip"),
    "request_id": ("a  b", "request_id"),
    "trace_id": ("4bf92f3577b34da6a3ce929d0e0e4736", "trace_id"),
    "object_type": ("sales  order", None),
    "object_id": ("47  11", None),
    "object_name": ("Order  4711", None),
    "summary": ("Order  paid", None),
}


@pytest.mark.parametrize("form", ENDS.values(), ids=list(ENDS))
def test_context_is_stored_and_filtered_stripped(logs_table: None, viewer_client: Client, form: str) -> None:
    sent = {name: form.format(value) for name, (value, _) in CONTEXT.items()}

    item = store(**sent)

    assert {name: getattr(item.context, name) for name in CONTEXT} == {
        name: value for name, (value, _) in CONTEXT.items()
    }
    assert item.object_key == "sales  order:47  11"
    values = {parameter: sent[name] for name, (_, parameter) in CONTEXT.items() if parameter}
    values["object"] = form.format(f"{sent['object_type']}:{sent['object_id']}")
    for parameter, value in values.items():
        assert matching_ids(viewer_client, parameter, value) == [LOG_ID], parameter


@pytest.mark.parametrize("text", [" ", "\t\n", "\u00a0", "\u3000\u200b", "\ufeff"])
def test_context_of_white_space_is_absent(text: str) -> None:
    # An object without an id is no object, so an id of white space only is rejected.
    names = [name for name in CONTEXT if name != "object_id"]

    message = messages.parse(make_body(**dict.fromkeys(names, text)))

    assert {getattr(message, name) for name in names} == {None}


@pytest.mark.parametrize("text", ["a\nb", "a\tb", "a\x00b", "a\u00a0b", "a\u200bb", "a\x85b"])
def test_character_inside_a_context_field_is_kept(text: str) -> None:
    names = ("user_name", "account_name", "request_id", "object_name")

    message = messages.parse(make_body(**dict.fromkeys(names, text)))

    assert {getattr(message, name) for name in names} == {text}
