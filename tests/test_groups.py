"""Groups: the values of a field as a page, as CSV and in the API."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from logs import times
from logs.digests import builder
from logs.models import LogItem, object_key
from logs.reading import count_scope
from logs.reading.grouping import FIELDS, MAX_LOOKUPS
from tests.api import LOGS, problem, program
from tests.api import fetch as fetch_json
from tests.items import make_item, store
from tests.pages import LISTING, fetch, link, row_ids

pytestmark = pytest.mark.usefixtures("digests_table")

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
START = TODAY - timedelta(days=2)
RANGE = f"from={START:%Y-%m-%d}"


def make_logs(own: str = "_logsite") -> list[LogItem]:
    """Store 300 logs of two days, 119 of them exports by 27 users. Build digests of both days."""
    items = [
        make_item(
            n,
            created_at=START + timedelta(minutes=9 * n),
            account_id=["7", "8", own][n % 3] if n >= 119 else "7",
            type="export" if n < 119 else f"type{n % 3}",
            user_id=str(n % 27),
            user_name=f"User {n % 27}",
            sub_type=f"s{n % 4}",
            url=f"/exports/{n % 5}",
            submitter_country="Japan" if n % 2 else None,
            submitter_platform="Linux",
            submitter_browser=f"Browser {n % 2}",
            **({"object_type": "invoice", "object_id": str(n % 9)} if n % 2 else {}),
        )
        for n in range(300)
    ]
    store(items)
    builder.build()
    return [item for item in items if item.account_id != "_logsite"]


def value_of(item: LogItem, field: str) -> str:
    """Return the value of a log in a field."""
    key = object_key(item.object_type, item.object_id) if field == "object" else getattr(item, field)
    return key or ""


def groups(query: str, client: Client | None = None) -> Any:
    """Return the groups of the API."""
    return fetch_json(client or program(), f"{LOGS}/groups?{query}")


@pytest.mark.parametrize("query", ["", "&type=export", "&account_id=7", "&sub_type=s1&-user_id=3"])
def test_groups_equal_the_logs(query: str) -> None:
    conditions: dict[str, Callable[[LogItem], bool]] = {
        "": lambda item: True,
        "&type=export": lambda item: item.type == "export",
        "&account_id=7": lambda item: item.account_id == "7",
        "&sub_type=s1&-user_id=3": lambda item: item.sub_type == "s1" and item.user_id != "3",
    }
    items = [item for item in make_logs() if conditions[query](item)]
    for field in FIELDS:
        answer = groups(f"field={field}&{RANGE}{query}")
        expected = Counter(value_of(item, field) for item in items)
        assert {each["value"]: each["count"] for each in answer["groups"]} == expected
        assert all(each["exact"] for each in answer["groups"])
        numbers = [each["count"] for each in answer["groups"]]
        assert numbers == sorted(numbers, reverse=True)
        assert answer["values"] == {"count": len(expected), "status": "exact"}
        assert answer["total"] == {"count": len(items), "status": "exact"}
        assert answer["counted"] == len(items)
        for each in answer["groups"]:
            moments = sorted(item.created_at for item in items if value_of(item, field) == each["value"])
            assert each["first"] in (None, times.to_text(moments[0]))
            assert each["last"] in (None, times.to_text(moments[-1]))
            if field == "user_id" and each["value"] != "0":
                assert each["name"] == f"User {each['value']}"
                assert None not in (each["first"], each["last"])


def test_times_of_counted_groups_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Digests have no times of single values, and subtypes have no index."""
    monkeypatch.setattr(count_scope, "SMALL", 0)
    items = make_logs(own="9")
    for field in ("user_id", "account_id", "type", "sub_type"):
        answer = groups(f"field={field}&{RANGE}")
        # Each group is counted by digests.
        assert answer["examined"] <= 2 * 2 * MAX_LOOKUPS
        for number, each in enumerate(answer["groups"]):
            moments = sorted(item.created_at for item in items if value_of(item, field) == each["value"])
            times_of_logs = times.to_text(moments[0]), times.to_text(moments[-1])
            is_looked_up = field != "sub_type" and number < MAX_LOOKUPS and each["value"] != "0"
            assert each["count"] == len(moments)
            assert (each["first"], each["last"]) == (times_of_logs if is_looked_up else (None, None))
            assert each["name"] == (f"User {each['value']}" if is_looked_up and field == "user_id" else None)


def test_who_exported_is_a_page(viewer_client: Client) -> None:
    items = [item for item in make_logs() if item.type == "export"]
    page = fetch(viewer_client, f"groups/?field=user_id&type=export&{RANGE}")
    assert "<h1>119 exports by 27 users</h1>" in page
    rows = re.findall(r'<tr><th scope="row">.*?</tr>', page)
    assert len(rows) == 27
    only = re.search(r'href="([^"]*)" title="Only this: 5"', page)
    assert only
    shown = fetch(viewer_client, only[1].replace("&amp;", "&").removeprefix(LISTING))
    assert set(row_ids(shown)) == {item.id for item in items if item.user_id == "5"}
    accounts = fetch(viewer_client, link(page, "account").removeprefix(LISTING))
    assert "<h1>119 exports of 1 account</h1>" in accounts
    assert "-user_id=5" in page
    assert link(page, "Show the logs").startswith(f"{LISTING}?type=export")


def test_csv_equals_the_groups(viewer_client: Client) -> None:
    store(
        make_item(n, created_at=START + timedelta(minutes=n), sub_type=value, user_id="1")
        for n, value in enumerate(["=1+1", "a,b", "+x", "-y", "@z", "\tq", "plain", "plain"])
    )
    response = viewer_client.get(f"{LISTING}groups/?field=sub_type&{RANGE}&format=csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "groups-sub_type" in response["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert rows[0] == {
        "value": "plain",
        "name": "",
        "count": "2",
        "exact": "true",
        "first": times.to_text(START + timedelta(minutes=6)),
        "last": times.to_text(START + timedelta(minutes=7)),
    }
    assert not [row for row in rows if row["value"][:1] in ("=", "+", "-", "@", "\t")]
    values = {row["value"].lstrip("'").strip() for row in rows}
    assert values == {"=1+1", "a,b", "+x", "-y", "@z", "q", "plain"}


def test_groups_over_the_budget_are_lower_bounds(viewer_client: Client, settings: Any) -> None:
    settings.LOGS_MAX_EXAMINED = 60
    store(
        make_item(n, created_at=START + timedelta(minutes=n), submitter_country=f"C{n % 4}")
        for n in range(200)
    )
    answer = groups(f"field=submitter_country&{RANGE}")
    assert answer["counted"] == 60
    assert answer["total"]["status"] == "at_least"
    assert {(each["count"], each["exact"], each["first"]) for each in answer["groups"]} == {(15, False, None)}
    # The newest logs were read, so the last times are certain.
    assert answer["groups"][0]["last"] == times.to_text(START + timedelta(minutes=196))
    page = fetch(viewer_client, f"groups/?field=submitter_country&{RANGE}")
    assert "<h1>at least 60 logs with at least 4 countries</h1>" in page
    assert "These are the values of 60 logs." in page
    assert "<td>at least 15</td><td>unknown</td>" in page
    settings.LOGS_MAX_EXAMINED = 50_000
    assert "at least" not in fetch(viewer_client, f"groups/?field=submitter_country&{RANGE}")


def test_groups_hide_logsites_own_accounts(superuser_client: Client) -> None:
    seen = make_logs()
    assert groups(f"field=account_id&{RANGE}")["total"]["count"] == len(seen)
    mine = groups(f"field=account_id&{RANGE}", superuser_client)
    assert mine["total"]["count"] == 300
    assert "_logsite" in [each["value"] for each in mine["groups"]]


def test_text_search_has_no_groups(viewer_client: Client) -> None:
    make_logs()
    page = fetch(viewer_client, "groups/?field=type&q=exports")
    assert "A search in texts or payloads is not counted." in page
    assert groups("field=type&q=exports")["groups"] == []


@pytest.mark.parametrize(
    ("query", "parameter", "text"),
    [
        ("", "field", "Give the field to group by: user_id, account_id, type,"),
        ("field=", "field", "This is empty"),
        ("field=payload", "field", "“payload” cannot be grouped: write user_id, account_id, type,"),
        ("field=type&field=url", "field", "This is given more than once"),
        ("field=type&limit=5", "limit", "There is no filter “limit”."),
        ("field=type&bucket=day", "bucket", "There is no filter “bucket”."),
        ("field=type&account_id=_logsite", "account_id", "Logsite"),
    ],
)
def test_wrong_parameter_of_groups_is_an_error(query: str, parameter: str, text: str) -> None:
    error = problem(program(), f"{LOGS}/groups?{query}", 400)
    assert parameter in error["fields"]
    assert text in " ".join(error["fields"][parameter])


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "field must be user_id, account_id, type,"),
        ("field=payload", "not “payload”"),
        ("field=type&field=url", "not “type, url”"),
        ("field=type&format=xml", "format must be csv or left out, not “xml”"),
    ],
)
def test_wrong_parameter_of_the_page_is_an_error(viewer_client: Client, query: str, text: str) -> None:
    assert text in fetch(viewer_client, f"groups/?{query}", 400)
