"""The cost of each kind of page matches the table in docs/costs.md."""

import html
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from logs.models import LogItem
from logs.storage.choices import ChoicesWriter
from logs.storage.digest_items import DigestItem
from tests.conftest import empty_logs_table
from tests.dynamodb_calls import recorded_calls
from tests.items import START, make_item, store
from tests.pages import LISTING, SCRIPT, fetch, link

DOCS = Path(__file__).resolve().parent.parent / "docs" / "costs.md"
LOGS = 2_000
RARE = {"user_id": "rare", "sub_type": "rare", "object_type": "invoice", "object_id": "4711"}


@pytest.fixture(scope="module", autouse=True)
def many_logs() -> None:
    """Fill the table once. The tests only read it."""
    empty_logs_table()
    store(make_usual_log(n) for n in range(LOGS))


def make_usual_log(n: int) -> LogItem:
    """Return one of 2,000 logs of the usual size.

    They belong to 20 accounts and 10 types. 20 of them have a user, an object and a
    subtype of their own.
    """
    return make_item(
        n,
        account_id=str(n % 20),
        type=f"type{n % 10}",
        **(RARE if n % 100 == 50 else {}),
        url=f"/account/{n % 20}/orders/{n}",
        submitter_id="12",
        submitter_country="Bulgaria",
        submitter_city="Sofia",
        submitter_platform="Windows",
        submitter_browser="Firefox",
        submitter_agent="Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
        payload=f'{{"order":{n},"text":"{"Lorem ipsum " * 30}"}}',
        payload_size=400,
        payload_type="json",
    )


def query(text: str) -> Callable[[Client], str]:
    return lambda client: text


def follow(text: str) -> Callable[[Client], str]:
    return lambda client: link(fetch(client), text)


seven_accounts = "&".join(f"account_id={number}" for number in range(7))
KINDS: dict[str, Callable[[Client], str]] = {
    "Newest": query(""),
    "Next, Previous": follow("Next ›"),
    "Oldest (the last page)": follow("Oldest »"),
    "One account, one type": query("?account_id=7&type=type7"),
    "Seven accounts": query(f"?{seven_accounts}"),
    "From a moment on (`at`)": query(f"?at={START:%Y-%m-%d}T00:16:40"),
    "Around a log": query(f"?around={make_usual_log(1000).id}"),
    "200 rows": query("?limit=200"),
    "One user": query("?user_id=rare&account_id=10"),
    "One object": query("?object=invoice:4711"),
    "A subtype among 2,000 logs": query("?sub_type=rare"),
    "A text in the payloads of 100 logs": query("?q=%22order%22:7,&account_id=7"),
    "One log (detail)": query(f"{make_usual_log(1000).id}/change/"),
    "The logs around a log (timelines)": query(f"{make_usual_log(1000).id}/timelines/"),
    "The same with the history of an object": query(f"{make_usual_log(1050).id}/timelines/"),
}


def documented_costs() -> dict[str, tuple[str, str, str]]:
    """Return requests, items examined and read units of each kind of page in the docs."""
    pages = DOCS.read_text().split("## Cost of a log")[0]
    rows = re.findall(r"^\| ([^|]+?) \| ([^|]+?) \| ([^|]+?) \| ([^|]+?) \|$", pages, re.MULTILINE)
    return {kind: (requests, items, units) for kind, requests, items, units in rows}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "_".join(re.findall(r"\w+", kind.lower())))
def test_page_costs_match_the_docs(viewer_client: Client, kind: str) -> None:
    address = KINDS[kind](viewer_client)
    with recorded_calls() as requests_sent:
        response = viewer_client.get(LISTING + address)

    assert response.status_code == 200
    session_and_user, *of_logs = requests_sent
    assert session_and_user == ("BatchGetItem", None)
    assert {table for _, table in of_logs} <= {LogItem.Meta.table_name, DigestItem.Meta.table_name, None}
    calls = Counter(operation for operation, _ in of_logs)
    requests = ", ".join(f"{number} {name}" for name, number in sorted(calls.items()))
    listing = response.context.get("listing")
    page = listing.page if listing else response.context.get("detail") or response.context["timelines"]
    cost = page.cost
    measured = (requests, f"{cost.examined:,}", f"{cost.read_units:g}")
    assert documented_costs()[kind] == measured


def test_docs_list_only_measured_pages() -> None:
    kinds = [kind for kind in documented_costs() if kind not in ("page", "---")]
    assert kinds == list(KINDS)


@pytest.mark.parametrize(
    ("address", "number"),
    [("", 1), ("?account_id=7&type=type7", 1), ("?type=tipe7", 2), ("?submitter_country=bulgaria", 2)],
)
def test_listing_makes_two_requests_beside_its_queries(
    viewer_client: Client, address: str, number: int
) -> None:
    """One reads session and user, and one the values seen so far, if the page needs them."""
    writer = ChoicesWriter()
    writer.record("type7", "a", "Bulgaria")
    writer.write()
    with recorded_calls() as requests_sent:
        fetch(viewer_client, address)
    others = [call for call in requests_sent if call[0] != "Query"]
    assert others == [("BatchGetItem", None), ("GetItem", LogItem.Meta.table_name)][:number]
    queries = [table for operation, table in requests_sent if operation == "Query"]
    assert queries.count(LogItem.Meta.table_name) == 1


def test_rows_wait_for_at_most_two_requests(viewer_client: Client) -> None:
    """The rows take one Query. The numbers and the freshness are two requests after them."""
    with recorded_calls() as requests_sent:
        page = fetch(viewer_client, "?account_id=7&type=type7&range=from+1+Nov+2026")
    assert requests_sent[-1] == ("Query", LogItem.Meta.table_name)
    assert len(requests_sent) <= 3
    addresses = [*re.findall(r'data-numbers="([^"]*)"', page), link(page, "How fresh are the logs?")]
    assert [address.split("/")[0] for address in addresses] == ["numbers", "freshness"]
    for address in addresses:
        with recorded_calls() as requests_sent:
            response = viewer_client.get(LISTING + html.unescape(address), headers=SCRIPT)
        assert response.status_code == 200
        session_and_user, *of_fragment = requests_sent
        assert session_and_user == ("BatchGetItem", None)
        assert len(of_fragment) <= 4


def test_log_waits_for_one_get_item(viewer_client: Client) -> None:
    """The Querys of the timelines are a request after the log."""
    with recorded_calls() as requests_sent:
        page = fetch(viewer_client, f"{make_usual_log(1050).id}/change/")
    session_and_user, *of_log = requests_sent
    assert session_and_user == ("BatchGetItem", None)
    assert of_log == [("GetItem", LogItem.Meta.table_name)]
    [address] = re.findall(r'data-timelines="([^"]*)"', page)
    with recorded_calls() as requests_sent:
        response = viewer_client.get(html.unescape(address), headers=SCRIPT)
    assert response.status_code == 200
    assert Counter(operation for operation, _ in requests_sent) == {
        "BatchGetItem": 1,
        "GetItem": 1,
        "Query": 4,
    }
