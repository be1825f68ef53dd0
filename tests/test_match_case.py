"""The parameter `case`: whether the letter case of `q` counts."""

import pytest
from django.http import QueryDict
from django.test import Client

from logs.filters import LogFilter
from logs.forms import FilterForm, parameters
from logs.pages.sentence import sentence
from logs.plan import make_plan
from logs.reader import read_page
from tests.api import fetch
from tests.items import make_item, store


@pytest.fixture
def logs(logs_table: None) -> None:
    """Store a log for each spelling, in different texts."""
    store(
        [
            make_item(1, url="/Paid"),
            make_item(2, payload="it is paid", payload_size=10),
            make_item(3, summary="PAID by card"),
            make_item(4, user_name="Ada Paid"),
            make_item(5, url="/unrelated"),
        ]
    )


def numbers(*each: int) -> list[str]:
    return [make_item(number).id for number in each]


def ids(log_filter: LogFilter) -> list[str]:
    return [item.id for item in read_page(make_plan(log_filter), None, 10).items]


def test_search_ignores_letter_case(logs: None) -> None:
    for text in ("paid", "Paid", "PAID"):
        assert sorted(ids(LogFilter(q=text))) == numbers(1, 2, 3, 4)


def test_match_case_keeps_one_spelling(logs: None) -> None:
    assert sorted(ids(LogFilter(q="Paid", match_case=True))) == numbers(1, 4)
    assert ids(LogFilter(q="PAID", match_case=True)) == numbers(3)


def test_case_is_a_parameter_of_the_api(logs: None, viewer_client: Client) -> None:
    page = fetch(viewer_client, "/api/logs?q=PAID&case=1")
    assert [item["id"] for item in page["items"]] == numbers(3)
    assert page["sentence"] == "All logs, newest first, filtered by “PAID” in any text (match case)."
    assert len(fetch(viewer_client, "/api/logs?q=PAID&case=0")["items"]) == 4


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("q=a&case=yes", "“yes” is not 1 or 0."),
        ("case=1", "This needs q: it is whether the letter case of q counts."),
        ("q=a&case=", "This is empty: omit it, or give a value."),
        ("q=a&case=1&case=0", "This is given more than once; give one value."),
    ],
)
def test_wrong_case_is_an_error_of_the_api(query: str, message: str) -> None:
    form = FilterForm(QueryDict(query), strict=True)
    assert form.errors_by_parameter() == {"case": [message]}


def test_check_box_shows_the_filter(logs: None, viewer_client: Client) -> None:
    box = '<input type="checkbox" name="case" value="1" id="id_case"'
    off = viewer_client.get("/admin/logs/log/?q=paid").content.decode()
    on = viewer_client.get("/admin/logs/log/?q=Paid&case=1").content.decode()
    assert f"{box}>" in off
    assert f"{box} checked>" in on
    assert '<label for="id_case">match case</label>' in on
    assert "case=1" in on.split('id="result_list"')[1], "the links keep it"


def test_check_box_without_a_text_changes_nothing() -> None:
    form = FilterForm(QueryDict("q=&case=1"))
    assert form.is_valid()
    assert form.log_filter == LogFilter()


def test_case_survives_a_link() -> None:
    log_filter = LogFilter(q="Paid", match_case=True)
    assert parameters(log_filter, 50) == {"q": "Paid", "case": "1"}
    form = FilterForm(QueryDict("q=Paid&case=1"))
    assert form.is_valid()
    assert form.log_filter == log_filter
    assert log_filter.fingerprint != LogFilter(q="Paid").fingerprint
    assert "match case" in sentence(make_plan(log_filter))
