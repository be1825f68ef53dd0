"""From a log to its neighbours in the list that led to it, and back to that list."""

import html
import re
from typing import Any

import pytest
from django.test import Client

from tests.items import make_item, store
from tests.pages import LISTING, fetch, has_link, link, row_ids

pytestmark = pytest.mark.usefixtures("logs_table")


def log_id(page: str) -> str:
    match = re.search(r"<code>([0-9a-f]{32})</code>", page)
    assert match, "no page of a log"
    return match[1]


def test_previous_and_next_follow_the_list(viewer_client: Client) -> None:
    store(make_item(n, account_id=("7", "8")[n % 2], type=("view", "login")[n % 2]) for n in range(20))
    rows = row_ids(fetch(viewer_client, "?account_id=7&order=oldest"))
    referer = f"http://testserver{LISTING}?account_id=7&order=oldest&limit=2"
    response = viewer_client.get(f"{LISTING}{rows[0]}/change/", headers={"Referer": referer})
    page = response.content.decode()
    walked = [log_id(page)]
    for _ in rows[1:]:
        page = viewer_client.get(link(page, "Next in list ›"), follow=True).content.decode()
        walked.append(log_id(page))
    assert walked == rows
    end = viewer_client.get(link(page, "Next in list ›"), follow=True).content.decode()
    assert log_id(end) == rows[-1]
    assert "This is the last log of the list." in end
    page = viewer_client.get(link(end, "‹ Previous in list"), follow=True).content.decode()
    assert log_id(page) == rows[-2]
    back = f"{LISTING}?account_id=7&order=oldest&limit=2#log-{rows[-2]}"
    assert link(page, "Logs") == link(page, "Close") == back


def test_neighbours_match_a_search(viewer_client: Client) -> None:
    store(make_item(n, payload="needle" if n % 3 == 0 else "hay") for n in range(10))
    search = "?_changelist_filters=q%3Dneedle%26around%3D" + make_item(3).id
    page = fetch(viewer_client, f"{make_item(6).id}/change/{search}")
    page = viewer_client.get(link(page, "Next in list ›"), follow=True).content.decode()
    assert log_id(page) == make_item(3).id
    first = fetch(viewer_client, f"{make_item(9).id}/change/{search}")
    first = viewer_client.get(link(first, "‹ Previous in list"), follow=True).content.decode()
    assert "This is the first log of the list." in first


@pytest.mark.parametrize(
    "referer",
    [
        None,
        f"http://evil.example{LISTING}?type=login",
        "http://testserver/admin/?type=login",
        f"http://testserver{LISTING}export/",
        "http://[",
    ],
)
def test_other_pages_are_no_list(viewer_client: Client, referer: str | None) -> None:
    store([make_item()])
    headers: dict[str, Any] = {"Referer": referer} if referer else {}
    page = viewer_client.get(f"{LISTING}{make_item().id}/change/", headers=headers).content.decode()
    assert not has_link(page, "Next in list ›")
    assert link(page, "Close") == LISTING


def test_unreadable_list_is_a_message(viewer_client: Client, settings: Any) -> None:
    store([*(make_item(n) for n in range(30)), make_item(40, sub_type="rare")])
    address = f"{LISTING}{make_item(20).id}/next/?_changelist_filters="
    page = viewer_client.get(f"{address}limit%3Dx", follow=True).content.decode()
    assert "The filter of the list is not valid" in page
    assert log_id(page) == make_item(20).id
    settings.LOGS_MAX_EXAMINED = 5
    page = viewer_client.get(f"{address}sub_type%3Drare", follow=True).content.decode()
    assert "No log was read within the limits of a page." in page
    many = "a%3D1%26" * 1001
    response = viewer_client.get(f"{address}{many}")
    assert response.status_code == 400
    assert "The filter of the list has too many parameters." in html.unescape(response.content.decode())


@pytest.mark.parametrize("name", ["previous", "next"])
def test_neighbours_need_a_log_and_permission(staff_client: Client, viewer_client: Client, name: str) -> None:
    store([make_item()])
    assert staff_client.get(f"{LISTING}{make_item().id}/{name}/").status_code == 403
    assert viewer_client.get(f"{LISTING}{'0' * 32}/{name}/").status_code == 404
    assert viewer_client.get(f"{LISTING}{make_item().id}/{name}/").status_code == 302
