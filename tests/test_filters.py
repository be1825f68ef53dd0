"""The table of filters: every entry works in the form, the plan, the condition, the sentence and the API."""

from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from logs.conditions import Kind
from logs.filters import FILTERS, LogFilter, Source
from logs.forms import FilterForm, parameters
from logs.models import CONTEXT_FIELDS, PROJECTED, LogItem
from logs.pages.columns import COLUMNS
from logs.pages.schemas import parameters as api_parameters
from logs.pages.sentence import sentence
from logs.plan import make_plan
from logs.reader import read_page
from logs.reading.log_match import make_filter_probe
from tests.api import fetch
from tests.items import make_item

SIZE = 5_000
# A value for each filter whose values have a form.
VALUES = {
    "object": "invoice:4711",
    "submitter_ip": "203.0.113.7",
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
}
TEXT = "/pay/x-1"
EXCLUDING = [name for name, each in FILTERS.items() if each.kind is Kind.EXCLUDES]


def content(name: str) -> str | int:
    """Return the value of a filter, or one of several."""
    return SIZE if FILTERS[name].kind is Kind.AT_LEAST else VALUES.get(name, TEXT)


def make_filter(name: str) -> LogFilter:
    """Return a filter with one value."""
    value: Any = (content(name),) if FILTERS[name].kind.is_multiple else content(name)
    return LogFilter(**{name: value})


def address(name: str) -> str:
    """Return the parameter of a filter with its value."""
    return f"{FILTERS[name].parameter}={content(name)}"


def item_with_value(name: str) -> LogItem:
    """Return a log that has the value of a filter."""
    each = FILTERS[name]
    if each.source is Source.DOCUMENT:
        return make_item(1, payload=TEXT, payload_size=len(TEXT))
    if name == "object":
        object_type, _, object_id = VALUES["object"].partition(":")
        return make_item(1, object_type=object_type, object_id=object_id)
    return make_item(1, **{each.attribute.removeprefix("context."): content(name)})


def ids_of_matches(name: str) -> list[str]:
    """Return the ids that a filter keeps of `item_with_value(name)` and another log."""
    return [make_item(2 if name in EXCLUDING else 1).id]


def test_every_entry_has_a_projected_attribute() -> None:
    for each in FILTERS.values():
        if each.source is not Source.DOCUMENT and each.name != "object":
            attribute, _, field = each.attribute.partition(".")
            assert attribute in PROJECTED, each.name
            assert not field or field in CONTEXT_FIELDS, each.name


def test_every_projected_attribute_is_shown_or_left_out() -> None:
    shown = {name for column in COLUMNS.values() for name in column.attributes} - {"object"}

    assert shown - set(CONTEXT_FIELDS) | {"submitter_id", "payload_size", "expires_at", "context"} == set(
        PROJECTED
    )


@pytest.mark.parametrize("name", FILTERS)
def test_entry_is_a_field_of_the_form(name: str) -> None:
    form = FilterForm(QueryDict(address(name)))

    assert form.is_valid(), form.errors
    assert form.log_filter == make_filter(name)
    field = form[FILTERS[name].parameter]
    assert field.label == FILTERS[name].label
    assert field.help_text == FILTERS[name].help_text


@pytest.mark.parametrize("name", FILTERS)
def test_entry_chooses_an_index_or_a_post_filter(name: str) -> None:
    log_filter = make_filter(name)
    plan = make_plan(log_filter)

    match FILTERS[name].source:
        case Source.KEY:
            assert plan.index != "SortingIndex"
            assert plan.needs_no_post_filter
        case Source.ATTRIBUTE | Source.SIGNATURE:
            assert bool(make_filter_probe(log_filter)) is (FILTERS[name].source is Source.SIGNATURE)
            assert plan.index == "SortingIndex"
            assert plan.post_filters == {name: getattr(log_filter, name)}
        case Source.DOCUMENT:
            assert make_filter_probe(log_filter)
            assert plan.index == "SortingIndex"
            assert log_filter.search_text == TEXT


@pytest.mark.parametrize("name", FILTERS)
def test_entry_is_in_the_sentence(name: str) -> None:
    words = sentence(make_plan(make_filter(name)))

    assert (f"{SIZE:,}" if content(name) == SIZE else str(content(name))) in words
    assert FILTERS[name].phrase.replace("{}", "").strip() in words


@pytest.mark.parametrize("name", FILTERS)
def test_entry_changes_the_fingerprint(name: str) -> None:
    assert make_filter(name).fingerprint != LogFilter().fingerprint


@pytest.mark.parametrize("name", FILTERS)
def test_entry_keeps_the_matching_log_only(name: str, logs_table: None) -> None:
    item_with_value(name).save()
    make_item(2).save()

    page = read_page(make_plan(make_filter(name)), None, 10)

    assert [item.id for item in page.items] == ids_of_matches(name)


@pytest.mark.parametrize("name", FILTERS)
def test_entry_is_a_parameter_of_the_api(name: str, logs_table: None, viewer_client: Client) -> None:
    item_with_value(name).save()
    make_item(2).save()
    [described] = [each for each in api_parameters() if each["name"] in (name, FILTERS[name].parameter)]

    page = fetch(viewer_client, f"/api/logs?{address(name)}")

    assert [item["id"] for item in page["items"]] == ids_of_matches(name)
    assert described["description"] == FILTERS[name].description


@pytest.mark.parametrize("name", FILTERS)
def test_entry_survives_a_link(name: str) -> None:
    log_filter = make_filter(name)
    link = QueryDict(mutable=True)
    for parameter, values in parameters(log_filter, 50).items():
        link.setlist(parameter, [values] if isinstance(values, str) else values)

    form = FilterForm(link)

    assert form.is_valid(), form.errors
    assert form.log_filter == log_filter


def narrowed(**values: str) -> LogFilter:
    filters: dict[str, Any] = {name: tuple(value.split()) for name, value in values.items()}
    return LogFilter(**filters)


@pytest.mark.parametrize(
    ("log_filter", "index", "post_filters"),
    [
        (
            narrowed(object="a:1", user_id="1", account_id="7", type="x"),
            "ObjectIndex",
            "account_id type user_id",
        ),
        (narrowed(object="a:1 b:2", user_id="0"), "ObjectIndex", "user_id"),
        (narrowed(object="a:1", not_type="x"), "ObjectIndex", "not_type"),
        (narrowed(user_id="1", account_id="7", type="x"), "UserIndex", "account_id type"),
        (narrowed(user_id="1 2", not_user_id="3"), "UserIndex", ""),
        (narrowed(user_id="1", sub_type="a b", not_account_id="0"), "UserIndex", "sub_type not_account_id"),
        (narrowed(user_id="0", account_id="7", type="x"), "AccountTypeIndex", "user_id"),
        (narrowed(account_id="7", type="x", not_type="y", not_account_id="8"), "AccountTypeIndex", ""),
        (narrowed(account_id="7", user_id="1 0"), "AccountIndex", "user_id"),
        (narrowed(account_id="7", not_account_id="8", not_type="x"), "AccountIndex", "not_type"),
        (narrowed(type="x", user_id="0"), "TypeIndex", "user_id"),
        (narrowed(type="x", not_type="y", not_account_id="8"), "TypeIndex", "not_account_id"),
        (narrowed(user_id="0"), "SortingIndex", "user_id"),
        (narrowed(not_user_id="1"), "SortingIndex", "not_user_id"),
        (LogFilter(user_name="Ann"), "SortingIndex", "user_name"),
        (narrowed(request_id="r"), "SortingIndex", "request_id"),
    ],
)
def test_narrowest_index_answers_the_filter(log_filter: LogFilter, index: str, post_filters: str) -> None:
    plan = make_plan(log_filter)

    assert plan.index == index
    assert list(plan.post_filters) == post_filters.split()
