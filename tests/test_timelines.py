"""The timelines of users and objects, and those of one log: their cost, their links, their entries."""

import html
import re
import threading
from datetime import timedelta
from itertools import islice
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from bench import log_costs
from logs.filters import LogFilter
from logs.models import LogItem
from logs.pages import timeline as timelines
from logs.plan import QueryPlan, make_plan
from logs.reader import Page, read_page
from logs.storage.errors import StoreUnavailable
from logsite.local.samples import samples
from tests.api import fetch as fetch_api
from tests.items import START, make_item, store
from tests.pages import LISTING, SCRIPT, fetch, row_ids

pytestmark = pytest.mark.usefixtures("logs_table")

OBJECT = {"object_type": "invoice", "object_id": 4711}
AT_LIMIT = log_costs.KINDS["Every field of the context at its limit"]


def make_samples(**changes: Any) -> list[LogItem]:
    """Return 60 sample logs of one user, as the writer stores them."""
    logs = islice((log for log in samples(1_000, log_costs.SENT_AT) if log["user_id"] != 0), 60)
    return [log_costs.make_item(log | {"user_id": 12, **changes}) for log in logs]


@pytest.mark.parametrize(
    ("changes", "log_filter", "read_units"),
    [
        ({}, LogFilter(user_id=("12",)), 4.5),
        (OBJECT, LogFilter(object=("invoice:4711",)), 4.5),
        # 51 index items of up to 2.2 KB. An eventually consistent read unit is 8 KB.
        (AT_LIMIT, LogFilter(user_id=("12",)), 12),
        (AT_LIMIT, LogFilter(object=(f"{'i' * 200}:{'i' * 200}",)), 14),
    ],
    ids=["user", "object", "user_at_the_limit", "object_at_the_limit"],
)
def test_timeline_costs_one_query(changes: dict[str, Any], log_filter: LogFilter, read_units: float) -> None:
    store([*make_samples(**changes), *(make_item(n, user_id="13") for n in range(200))])

    page = read_page(make_plan(log_filter), None, 50)

    assert len(page.items) == 50
    assert (page.cost.queries, page.cost.examined) == (1, 51)
    assert read_units / 2 < page.cost.read_units <= read_units


def hrefs(page: str) -> dict[str, str]:
    """Return the addresses of the links by their texts."""
    links = re.findall(r'<a[^>]*href="([^"]*)"[^>]*>(.*?)</a>', page, re.DOTALL)
    return {html.unescape(re.sub("<[^>]*>", "", text)): html.unescape(href) for href, text in links}


def make_related_logs() -> None:
    """Store logs of two accounts that have users and objects of the same ids."""
    log: dict[str, Any] = {
        "object_type": "invoice",
        "object_id": "4711",
        "object_name": "March",
        "request_id": "r/1",
    }
    minute = timedelta(minutes=1)
    store(
        [
            make_item(1, account_id="7", user_id="12", user_name="Ann Lee", **log),
            make_item(2, account_id="8", user_id="12", created_at=START + 9 * minute, **log),
            make_item(3, account_id="7", user_id="13", created_at=START + 11 * minute, **log),
            make_item(4, account_id="7", user_id="0"),
        ]
    )


def test_listing_links_to_user_and_object_of_the_account(viewer_client: Client) -> None:
    make_related_logs()

    page = fetch(viewer_client)
    links = hrefs(page)

    assert links["March"] == "?account_id=7&object=invoice%3A4711"
    assert row_ids(fetch(viewer_client, links["March"])) == [make_item(n).id for n in (3, 1)]
    assert links["12"] in ("?account_id=7&user_id=12", "?account_id=8&user_id=12")
    assert row_ids(fetch(viewer_client, "?account_id=7&user_id=12")) == [make_item(1).id]
    assert row_ids(fetch(viewer_client, links["no one"])) == [make_item(4).id]
    assert "Ann Lee" in page


def test_detail_links_to_user_object_and_request(viewer_client: Client) -> None:
    make_related_logs()

    page = fetch(viewer_client, f"{make_item(1).id}/change/")
    links = hrefs(page)

    assert links["12 (Ann Lee)"] == f"{LISTING}?account_id=7&user_id=12"
    assert links["invoice:4711 (March)"] == f"{LISTING}?account_id=7&object=invoice%3A4711"
    assert f"request_id={quote('r/1', safe='')}" in links["r/1"]
    of_request = row_ids(fetch(viewer_client, links["r/1"].removeprefix(LISTING)))
    assert of_request == [make_item(n).id for n in (2, 1)], "within ten minutes, of every account"
    for text in ("Full list", "Full history"):
        around = fetch(viewer_client, links[text].removeprefix(LISTING))
        assert make_item(1).id in row_ids(around)
        assert make_item(2).id not in row_ids(around)


def test_detail_of_no_one_links_to_no_timeline(viewer_client: Client) -> None:
    make_related_logs()

    links = hrefs(fetch(viewer_client, f"{make_item(4).id}/change/"))

    assert not {"this user", "Full history", "Everything of this request"} & links.keys()
    assert {"this type", "everything"} <= links.keys()
    assert links["0 (no one)"] == links["no one"] == f"{LISTING}?account_id=7&user_id=0"


def timeline(page: str, name: str) -> list[str]:
    """Return the lines of a timeline as text."""
    [section] = re.findall(rf'<section class="module" id="{name}".*?</section>', page, re.DOTALL)
    lines = re.findall(r"<li[^>]*>(.*?)</li>", section, re.DOTALL)
    return [" ".join(html.unescape(re.sub("<[^>]*>", "", line)).split()) for line in lines]


def fragment(client: Client, log: LogItem, query: str = "") -> str:
    """Return the timelines of a log as a script fetches them."""
    response = client.get(f"{LISTING}{log.id}/timelines/{query}", headers=SCRIPT)
    assert response.status_code == 200
    return response.content.decode()


def make_history() -> None:
    """Store the history of an invoice, and other logs of the same user and account."""
    minute = timedelta(minutes=1)
    invoice = {"object_type": "invoice", "object_id": "4711"}
    store(
        [
            *(make_item(n, created_at=START + n * minute, **invoice) for n in range(4)),
            make_item(4, created_at=START + 20 * minute, user_name="Zoë", summary="<b>paid</b>", **invoice),
            make_item(5, created_at=START + timedelta(days=1), type="view", user_id="13", **invoice),
            make_item(6, created_at=START + 30 * minute, type="logout", sub_type=""),
            make_item(7, created_at=START + 20 * minute, account_id="8", **invoice),
        ]
    )


def test_timelines_have_the_logs_around_this_one(viewer_client: Client) -> None:
    make_history()
    page = fragment(viewer_client, make_item(4))
    assert timeline(page, "history") == [
        "2026-11-02 00:00:00 view password by 13",
        "23 hours without logs",
        "00:20:00 login password by Zoë · <b>paid</b> this log",
        "17 minutes without logs",
        "00:03:00 login password by 12",
        "00:02:00 login password by 12",
    ]
    assert timeline(page, "around")[:3] == [
        "00:30:00 logout by 12",
        "10 minutes without logs",
        "00:20:00 login password by Zoë · <b>paid</b> this log",
    ]
    types = fragment(viewer_client, make_item(4), "?axis=type")
    assert timeline(types, "around")[0] == "00:20:00 login password by 12", "of account 8"
    older = re.search(r'href="([^"]+)"><bdi>login', page.split('id="around"')[1])
    assert older
    assert f"/{make_item(3).id}/change/" in older[1]
    query = "?axis=everything&tz=Europe%2FBerlin&_changelist_filters=type%3Dlogin"
    everything = fragment(viewer_client, make_item(4), query)
    assert timeline(everything, "around")[0].startswith("01:30:00 logout")
    assert f'/{make_item(6).id}/change/{html.escape(query)}"' in everything


def test_page_of_a_log_has_the_place_of_its_timelines(viewer_client: Client) -> None:
    make_history()
    query = "?axis=type&tz=Europe%2FBerlin&_changelist_filters=type%3Dlogin"
    page = fetch(viewer_client, f"{make_item(4).id}/change/{query}")
    assert "<time" not in page.split('class="logs-aside"')[1]
    address = f"{LISTING}{make_item(4).id}/timelines/{query}"
    assert re.findall('data-timelines="([^"]*)"', page) == [html.escape(address)]
    links = hrefs(page)
    assert links["Logs of this object"] == f"{address}#history"
    assert links["Logs around this log"] == f"{address}#around"
    account = query.replace("type", "account", 1)
    assert links["this account"] == f"{LISTING}{make_item(4).id}/change/{account}#around"
    # A script moves the entries by their ids.
    pattern = 'class="logs-entries" id="([^"]*)"'
    entries = fragment(viewer_client, make_item(4), query)
    assert re.findall(pattern, page) == re.findall(pattern, entries) == ["history-entries", "around-entries"]


def test_timelines_are_a_page_without_a_script(viewer_client: Client) -> None:
    make_history()
    log = f"{LISTING}{make_item(4).id}"
    query = "?view=raw&axis=type&_changelist_filters=q%3Dlogin"
    page = fetch(viewer_client, f"{make_item(4).id}/timelines/{query}")
    for text in ("<title>Logs around this log | ", 'id="site-name"', "History of <bdi>invoice:4711</bdi>"):
        assert text in page
    sections = fragment(viewer_client, make_item(4), query)
    for name in ("history", "around"):
        assert timeline(page, name) == timeline(sections, name) != []
    links = hrefs(page)
    assert links["Show the log"] == f"{log}/change/{query}"
    assert f'<a href="{LISTING}?q=login#log-{make_item(4).id}">Logs</a>' in page
    axis = links["everything"]
    assert axis == f"{log}/timelines/{query.replace('type', 'everything')}#around"
    others = fetch(viewer_client, axis.removeprefix(LISTING))
    assert timeline(others, "around")[0].startswith("00:30:00 logout")


def test_timelines_of_a_missing_log_are_404(viewer_client: Client) -> None:
    own = make_item(1, account_id="_logsite")
    store([own])
    for log_id in (own.id, "0" * 32, "nonsense"):
        for headers in ({}, SCRIPT):
            response = viewer_client.get(f"{LISTING}{log_id}/timelines/", headers=headers)
            assert response.status_code == 404
    assert viewer_client.get(f"{LISTING}{own.id}/timelines/?axis=x").status_code == 400


def test_unread_timeline_does_not_break_the_page(
    viewer_client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_history()
    released = threading.Event()

    def read_slowly(plan: QueryPlan, *args: Any, **options: Any) -> Page:
        if plan.filter.object:
            raise StoreUnavailable("throttled")
        released.wait(10)
        return read_page(plan, *args, **options)

    monkeypatch.setattr(timelines, "read_page", read_slowly)
    monkeypatch.setattr(timelines, "MAX_SECONDS", 0.1)
    page = fragment(viewer_client, make_item(4))
    released.set()
    assert page.count("These logs could not be read.") == 2
    assert timeline(page, "history") == timeline(page, "around") == []
    assert [record.getMessage() for record in caplog.records if "timeline" in record.name] == [
        "A timeline was not read: it took too long",
        "A timeline was not read: throttled",
    ]
    assert hrefs(page)["Full history"].startswith(f"{LISTING}?account_id=7&object=invoice%3A4711&around=")


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("user_id=12&account_id=8", [2]),
        ("user_id=12&user_id=13", [3, 2, 1]),
        ("user_id=0", [4]),
        ("user_id=0&user_id=13", [3, 4]),
        ("object=invoice:4711&-user_id=12", [3]),
        ("request_id=r/1&-account_id=8", [3, 1]),
        ("user_name=Lee", [1]),
        ("-user_id=0&-user_id=12", [3]),
    ],
)
def test_api_answers_users_objects_and_exclusions(
    viewer_client: Client, query: str, numbers: list[int]
) -> None:
    make_related_logs()

    page = fetch_api(viewer_client, f"/api/logs?{query}")

    assert [item["id"] for item in page["items"]] == [make_item(n).id for n in numbers]
