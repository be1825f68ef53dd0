"""The pages, the API and the exports of a search say that digests were used."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from logs.reading.page import PageRead
from tests.api import LOGS, program
from tests.api import fetch as fetch_json
from tests.digests import built_logs
from tests.pages import LISTING, fetch, row_ids

pytestmark = pytest.mark.usefixtures("digests_table")


def test_query_details_name_the_digests(viewer_client: Client) -> None:
    built_logs(60)
    page = fetch(viewer_client, "?q=path/33")
    assert "Digests, then index SortingIndex of DynamoDB" in page
    assert 'Logs searched by digests: <span data-cost="searched">60</span>' in page
    result = fetch_json(program(), f"{LOGS}?q=path/33")
    assert (result["index"], result["examined"], len(result["items"])) == ("digests", 60, 1)


def test_search_of_a_small_account_uses_its_index(viewer_client: Client) -> None:
    built_logs(10, account_id="7")
    page = fetch(viewer_client, "?q=path/3&account_id=7")
    assert "Index AccountIndex of DynamoDB" in page
    assert '<span data-cost="searched">0</span>' in page
    assert fetch_json(program(), f"{LOGS}?q=path/3&account_id=7")["index"] == "AccountIndex"


def test_budget_of_searched_logs_ends_a_page(viewer_client: Client, settings: Any) -> None:
    settings.LOGS_MAX_SEARCHED = 100
    items = built_logs(400)
    page = fetch_json(program(), f"{LOGS}?q=path/7&limit=200")
    pages = [page]
    while page["next"]:
        page = fetch_json(program(), f"{LOGS}?q=path/7&limit=200&cursor={page['next']}")
        pages.append(page)
    expected = [item.id for item in reversed(items) if "path/7" in item.url]
    assert [item["id"] for each in pages for item in each["items"]] == expected


def test_export_of_a_search_keeps_its_path(viewer_client: Client, settings: Any) -> None:
    settings.LOGS_EXPORT_ROWS = 7
    items = built_logs(200)
    paths: list[str] = []
    read = PageRead.page

    def page(self: PageRead, *args: Any) -> Any:
        paths.append(self.plan.path)
        return read(self, *args)

    rows: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PageRead, "page", page)
        address = f"{LISTING}export/?q=path/1&format=ndjson"
        while address:
            response: Any = viewer_client.get(address)
            lines = [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]
            rows += [line["id"] for line in lines[:-1]]
            address = "?".join(urlsplit(lines[-1]["_logsite"]["next"] or "")[2:4]).strip("?")
    assert rows == [item.id for item in reversed(items) if "path/1" in item.url]
    assert set(paths) == {"digests"}


def test_page_of_an_account_has_no_digests(viewer_client: Client) -> None:
    items = built_logs(3)
    page = fetch(viewer_client, "?account_id=7")
    assert row_ids(page) == [item.id for item in reversed(items)]
    assert '<span data-cost="searched">0</span>' in page
