"""Pages that show no rows say why, and offer the next step."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.test import Client

from logs import reader
from logs.filters import LogFilter
from logs.json_path import PathFilter
from logs.models import LogItem
from logs.pages.address import Address
from logs.pages.next_steps import next_steps
from logs.plan import PageQuery, make_plan
from logs.reading.budget import Budget
from logsite.accounts.store import SessionItem
from tests.items import make_item, store
from tests.pages import LISTING, SCRIPT, fetch, has_link, link, row_ids

pytestmark = pytest.mark.usefixtures("logs_table")

NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)


def steps(log_filter: LogFilter) -> dict[str, dict[str, list[str]]]:
    """Return the parameters of the next steps by their texts."""
    links = next_steps(Address(make_plan(log_filter), 50), NOW)
    return {each.text: parse_qs(urlsplit(each.href or "").query) for each in links}


def test_each_filter_can_be_removed() -> None:
    log_filter = LogFilter(
        account_id=("7", "8"),
        not_type=("login",),
        url="/x",
        q="paid",
        match_case=True,
        paths=(PathFilter("payload", "status", ("open",)),),
    )
    assert list(steps(log_filter)) == [
        "Remove account 7 or 8",
        "Remove a URL with “/x”",
        "Remove types other than login",
        "Remove “paid” in any text",
        "Remove payload.status is open",
    ]
    parameters = {
        "account_id": ["7", "8"],
        "url": ["/x"],
        "-type": ["login"],
        "q": ["paid"],
        "case": ["1"],
        "payload.status": ["open"],
    }
    for remaining, removed in zip(
        steps(log_filter).values(),
        (["account_id"], ["url"], ["-type"], ["q", "case"], ["payload.status"]),
        strict=True,
    ):
        assert remaining == {name: value for name, value in parameters.items() if name not in removed}


@pytest.mark.parametrize(
    ("start", "end", "step", "from_", "to"),
    [
        # An hour of another day: the longer range is around it.
        (timedelta(days=-5), timedelta(days=-5, hours=1), "24 hours", "2026-11-05T00:30", "2026-11-06T00:30"),
        # The last day: nothing is in the future.
        (timedelta(days=-1), timedelta(), "7 days", "2026-11-03T12:00", "2026-11-10T12:00"),
        # Without an end it has none.
        (timedelta(hours=-2), None, "24 hours", "2026-11-09T12:00", None),
        (timedelta(days=-8), timedelta(days=-1), "30 days", "2026-10-11T12:00", "2026-11-10T12:00"),
    ],
)
def test_range_can_be_widened(
    start: timedelta, end: timedelta | None, step: str, from_: str, to: str | None
) -> None:
    log_filter = LogFilter(start=NOW + start, end=None if end is None else NOW + end)
    wider = steps(log_filter)
    assert wider[f"Widen the range to {step}"] == {"from": [from_], **({"to": [to]} if to else {})}
    assert wider["Search all times"] == {}


def test_range_of_a_year_widens_to_all_times() -> None:
    for log_filter in (LogFilter(start=NOW - timedelta(days=365)), LogFilter(end=NOW)):
        assert list(steps(log_filter)) == ["Search all times"]


def test_step_that_cannot_be_planned_is_left_out() -> None:
    many = tuple(str(number) for number in range(10))
    log_filter = LogFilter(object=("invoice:1",), account_id=many, type=many)
    assert "Remove object invoice:1" not in steps(log_filter)
    assert len(steps(log_filter)) == 2


def test_user_may_be_a_name() -> None:
    assert list(steps(LogFilter(user_id=("Omar",)))) == ["Search user names for Omar", "Remove user Omar"]
    assert list(steps(LogFilter(user_id=("12",)))) == ["Remove user 12"]


def test_long_values_of_a_step_are_truncated() -> None:
    [text] = steps(LogFilter(q="\u202e<b>" * 100))
    assert len(text) < 90
    assert text.endswith("…")
    assert "\u202e" not in text


def test_empty_page_offers_the_next_steps(viewer_client: Client) -> None:
    store([make_item(1, account_id="7")])
    page = fetch(viewer_client, "?account_id=<b>8</b>&from=2026-11-01&to=2026-11-02")
    assert "No logs match this filter." in page
    assert "Remove account &lt;b&gt;8&lt;/b&gt;" in page
    wider = fetch(viewer_client, html.unescape(re.search(r'href="([^"]*)">Remove', page)[1]))  # type: ignore[index]
    assert row_ids(wider) == [make_item(1).id]
    assert "Next steps" not in wider


def test_empty_table_offers_to_reload(viewer_client: Client) -> None:
    page = fetch(viewer_client)
    assert "No logs yet." in page
    assert link(page, "Reload this page") == "?"


def test_incomplete_page_has_no_other_step(viewer_client: Client, settings: Any) -> None:
    settings.LOGS_MAX_EXAMINED = 20
    store(make_item(n) for n in range(60))
    page = fetch(viewer_client, "?sub_type=nobody")
    assert "No logs match so far." in page
    assert has_link(page, "Keep searching")
    assert "Next steps" not in page


@pytest.mark.parametrize("page", ["change", "timelines", "json"])
def test_missing_log_offers_a_search_for_its_id(viewer_client: Client, page: str) -> None:
    log_id = uuid4().hex
    store([make_item(1, request_id=log_id)])
    text = fetch(viewer_client, f"{log_id}/{page}/", status=404)
    assert f"There is no log with the ID “<bdi>{log_id}</bdi>”." in text
    address = link(text, "Search for this ID in rejected messages, requests and traces")
    assert row_ids(fetch(viewer_client, address.removeprefix(LISTING))) == [make_item(1).id]


@pytest.mark.parametrize("log_id", ["4711", "0" * 31, "<script>", "a b", "é\u202e", "..%2F"])
def test_malformed_id_offers_a_text_search(viewer_client: Client, log_id: str) -> None:
    text = fetch(viewer_client, f"{log_id}/change/", status=404)
    assert "is not the ID of a log: an ID has 32 hexadecimal digits." in text
    assert "<script>" not in text.partition("<body")[2].partition("“")[2].partition("”")[0]
    fetch(viewer_client, link(text, "Search for this text in all logs").removeprefix(LISTING))


@pytest.mark.parametrize("log_id", ["x" * 501, "%00"])
def test_id_that_no_search_takes_offers_none(viewer_client: Client, log_id: str) -> None:
    text = fetch(viewer_client, f"{log_id}/change/", status=404)
    assert not has_link(text, "Search for this text in all logs")
    assert link(text, "Go to the logs") == LISTING


@pytest.mark.parametrize("model", [LogItem, SessionItem])
def test_outage_offers_to_reload(viewer_client: Client, monkeypatch: pytest.MonkeyPatch, model: Any) -> None:
    monkeypatch.setattr(model.Meta, "table_name", "NoSuchTable")
    response = viewer_client.get(f"{LISTING}?account_id=7")
    text = response.content.decode()
    assert response.status_code == 503
    assert f"reload this page in {response['Retry-After']} seconds" in text
    assert '<a class="button" href="">Reload</a>' in text


def test_search_with_the_script_begins_with_a_small_budget(
    viewer_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    store([make_item(1)])
    seconds: list[float] = []
    read = reader.read

    def record(query: PageQuery, budget: Budget) -> reader.PageResult:
        seconds.append(budget.seconds)
        return read(query, budget)

    monkeypatch.setattr(reader, "read", record)
    fetch(viewer_client, "?q=x")
    viewer_client.cookies["logs_script"] = "1"
    fetch(viewer_client, "?q=x")
    fetch(viewer_client, f"?around={make_item(1).id}")
    viewer_client.get(f"{LISTING}?q=x", headers=SCRIPT)
    full = Budget().seconds
    assert seconds[1] < 1
    assert [seconds[0], *seconds[2:]] == [full, full, full]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?account_id=7,8&type=a\\,b&limit=25&order=oldest",
        "?q=LOGIN&from=2026-11-01&to=2026-11-03T00:00:01",
        "?q=login&case=1",
        "?-account_id=8&submitter_city=Sofia",
        f"?around={make_item(30).id}&limit=25",
        "?user_id=no one",
    ],
)
def test_view_as_json_has_the_same_logs(viewer_client: Client, query: str) -> None:
    store(
        make_item(
            n,
            account_id=("7", "8")[n % 2],
            type=("login", "a,b")[n % 3 // 2],
            user_id=str(n % 2),
            submitter_city="Sofia",
        )
        for n in range(120)
    )
    page = fetch(viewer_client, query)
    response = viewer_client.get(link(page, "This view as JSON"))
    assert response.status_code == 200, response.content
    ids = [item["id"] for item in response.json()["items"]]
    assert ids == row_ids(page) != []
    if has_link(page, "Next ›"):
        following = fetch(viewer_client, link(page, "Next ›"))
        items = viewer_client.get(link(following, "This view as JSON")).json()["items"]
        assert [item["id"] for item in items] == row_ids(following)


def test_filter_by_a_missing_value_has_no_json(viewer_client: Client) -> None:
    store([make_item(1, sub_type="")])
    page = fetch(viewer_client, "?sub_type=—")
    assert row_ids(page) == [make_item(1).id]
    assert not has_link(page, "This view as JSON")
