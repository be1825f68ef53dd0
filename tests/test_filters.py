"""The table of filters: every entry works in the form, the plan, the condition, the sentence and the API."""

from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from logs.conditions import Kind
from logs.filters import FILTERS, KEYS, LogFilter, Source
from logs.forms import FilterForm, parameters
from logs.models import PROJECTED, LogItem
from logs.pages.listing import COLUMNS
from logs.pages.schemas import parameters as api_parameters
from logs.pages.sentence import sentence
from logs.plan import make_plan
from logs.reader import read_page
from tests.api import fetch
from tests.items import make_item

TEXT = "/pay/x-1"
SIZE = 5_000


def text(name: str) -> str:
    """Return the value of a filter as an address holds it."""
    return str(SIZE) if FILTERS[name].kind is Kind.AT_LEAST else TEXT


def value(name: str) -> Any:
    """Return a value for a filter, typed as LogFilter holds it."""
    if FILTERS[name].kind is Kind.AT_LEAST:
        return SIZE
    return (TEXT,) if name in KEYS else TEXT


def matching_item(name: str) -> LogItem:
    """Return a log that matches `value(name)`."""
    attribute = "payload" if FILTERS[name].source is Source.DOCUMENT else FILTERS[name].attribute
    content = SIZE if FILTERS[name].kind is Kind.AT_LEAST else TEXT
    extra = {"payload_size": len(TEXT)} if attribute == "payload" else {}
    return make_item(1, **{attribute: content, **extra})


def test_every_entry_has_a_projected_attribute() -> None:
    for each in FILTERS.values():
        if each.source is not Source.DOCUMENT:
            assert each.attribute in PROJECTED, each.name


def test_every_projected_attribute_is_shown_or_left_out() -> None:
    shown = {name for names in COLUMNS.values() for name in names}

    assert shown | {"submitter_id", "payload_size", "expires_at"} == set(PROJECTED)


@pytest.mark.parametrize("name", FILTERS)
def test_entry_is_a_field_of_the_form(name: str) -> None:
    form = FilterForm(QueryDict(f"{name}={text(name)}"))

    assert form.is_valid(), form.errors
    assert form.log_filter == LogFilter(**{name: value(name)})
    assert form[name].label == FILTERS[name].label
    assert form[name].help_text == FILTERS[name].help_text


@pytest.mark.parametrize("name", FILTERS)
def test_entry_chooses_an_index_or_a_post_filter(name: str) -> None:
    plan = make_plan(LogFilter(**{name: value(name)}))

    match FILTERS[name].source:
        case Source.KEY:
            assert plan.index != "SortingIndex"
            assert plan.filter.needs_no_post_filter
        case Source.ATTRIBUTE:
            assert plan.index == "SortingIndex"
            assert plan.filter.post_filters == {name: value(name)}
        case Source.DOCUMENT:
            assert plan.index == "SortingIndex"
            assert plan.filter.search_text == TEXT


@pytest.mark.parametrize("name", FILTERS)
def test_entry_stands_in_the_sentence(name: str) -> None:
    words = sentence(make_plan(LogFilter(**{name: value(name)})))

    shown = f"{SIZE:,}" if FILTERS[name].kind is Kind.AT_LEAST else TEXT
    assert shown in words
    assert FILTERS[name].phrase.replace("{}", "").strip() in words


@pytest.mark.parametrize("name", FILTERS)
def test_entry_changes_the_fingerprint(name: str) -> None:
    assert LogFilter(**{name: value(name)}).fingerprint != LogFilter().fingerprint


@pytest.mark.parametrize("name", FILTERS)
def test_entry_keeps_the_matching_log_only(name: str, logs_table: None) -> None:
    matching_item(name).save()
    make_item(2).save()

    page = read_page(make_plan(LogFilter(**{name: value(name)})), None, 10)

    assert [item.id for item in page.items] == [make_item(1).id]


@pytest.mark.parametrize("name", FILTERS)
def test_entry_is_a_parameter_of_the_api(name: str, logs_table: None, viewer_client: Client) -> None:
    matching_item(name).save()
    make_item(2).save()
    [described] = [each for each in api_parameters() if each["name"] == name]

    page = fetch(viewer_client, f"/api/logs?{name}={text(name)}")

    assert [item["id"] for item in page["items"]] == [make_item(1).id]
    assert described["description"] == FILTERS[name].description


@pytest.mark.parametrize("name", FILTERS)
def test_entry_survives_a_link(name: str) -> None:
    log_filter = LogFilter(**{name: value(name)})
    link = QueryDict(mutable=True)
    for parameter, values in parameters(log_filter, 50).items():
        link.setlist(parameter, [values] if isinstance(values, str) else values)

    form = FilterForm(link)

    assert form.is_valid(), form.errors
    assert form.log_filter == log_filter
