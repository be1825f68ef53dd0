"""Accounts that begin with `_` are read by superusers only: on each path, and without gaps in the pages."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client

from logs import cursor, reader
from logs.filters import LogFilter, Order
from logs.models import LogItem
from logs.plan import Around, Direction, PageQuery, Position, key_of, make_plan
from logs.reading.budget import Budget
from logsite.accounts.models import User
from tests.api import LOGS, fetch, problem, program
from tests.conftest import client_of
from tests.items import START, make_item, store
from tests.oracle import assert_exact
from tests.pages import LISTING, row_ids, sentence
from tests.pages import fetch as fetch_page
from tests.walks import all_ids, walk, walk_back

OWN = [
    make_item(number, account_id=account, type="login", user_id="12", object_type="log", object_id="1")
    for number, account in ((1, "_logsite"), (3, "_unverified"), (5, "_"))
]
USUAL = [make_item(number, object_type="log", object_id="1") for number in (0, 2, 4)]
[SECRET, *_] = OWN
REFUSAL = "only superusers read its logs"
# Filters that read each index but AccountIndex.
AT = f"order=oldest&at={START:%Y-%m-%d}"
QUERIES = [
    "",
    "type=login",
    "user_id=12",
    "object=log:1",
    "-type=view",
    "user_id=0&user_id=12",
    "order=oldest",
    "url=login",
    "q=login",
    AT,
]


@pytest.fixture(autouse=True)
def _logs(logs_table: None) -> None:
    store([*OWN, *USUAL])


def ids(items: list[LogItem]) -> set[str]:
    return {item.id for item in items}


@pytest.mark.parametrize("query", QUERIES)
def test_listing_hides_own_accounts(viewer_client: Client, superuser_client: Client, query: str) -> None:
    pages = [fetch_page(client, f"?{query}") for client in (viewer_client, superuser_client)]
    assert [set(row_ids(page)) for page in pages] == [ids(USUAL), ids([*USUAL, *OWN])]


@pytest.mark.parametrize("query", QUERIES)
def test_api_hides_own_accounts(viewer_client: Client, superuser_client: Client, query: str) -> None:
    pages = [fetch(client, f"{LOGS}?{query}") for client in (viewer_client, program(), superuser_client)]
    assert [{item["id"] for item in page["items"]} for page in pages] == [
        ids(USUAL),
        ids(USUAL),
        ids([*USUAL, *OWN]),
    ]


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_export_hides_own_accounts(viewer_client: Client, superuser_client: Client, kind: str) -> None:
    files = [
        client.get(f"{LISTING}export/?format={kind}").getvalue().decode()
        for client in (viewer_client, superuser_client)
    ]
    assert [[item.id in file for item in OWN] for file in files] == [[False] * 3, [True] * 3]
    assert all(item.id in files[0] for item in USUAL)


@pytest.mark.parametrize("account", ["_logsite", "7&account_id=_logsite", "%20_logsite", "_"])
def test_filter_of_an_own_account_is_refused(
    viewer_client: Client, superuser_client: Client, account: str
) -> None:
    response = viewer_client.get(f"{LISTING}?account_id={account}")
    assert response.status_code == 400
    assert REFUSAL in response.content.decode()
    assert row_ids(response.content.decode()) == []
    assert REFUSAL in viewer_client.get(f"{LISTING}export/?format=csv&account_id={account}").content.decode()
    assert superuser_client.get(f"{LISTING}?account_id={account}").status_code == 200


def test_superuser_filters_by_an_own_account(superuser_client: Client) -> None:
    page = fetch_page(superuser_client, "?account_id=_logsite")
    assert row_ids(page) == [SECRET.id]
    assert REFUSAL not in page


@pytest.mark.parametrize("account", ["_logsite", "7,_logsite", r"7\,x,_logsite"])
def test_commas_reveal_no_own_account(viewer_client: Client, account: str) -> None:
    response = viewer_client.get(LISTING, {"account_id": account})
    assert response.status_code == 400
    assert REFUSAL in response.content.decode()


def test_type_with_a_comma_in_the_trail_is_not_looked_up(viewer_client: Client) -> None:
    store([make_item(9, account_id="_logsite", type="a,b")])
    page = viewer_client.get(LISTING, {"type": "a,b"}).content.decode()
    assert row_ids(page) == []
    assert sentence(page).startswith("Logs of type a or b")


def test_api_refuses_a_filter_of_an_own_account(viewer_client: Client, superuser_client: Client) -> None:
    for client in (viewer_client, program()):
        error = problem(client, f"{LOGS}?account_id=_logsite", 400)
        assert REFUSAL in error["fields"]["account_id"][0]
    assert len(fetch(superuser_client, f"{LOGS}?account_id=_logsite")["items"]) == 1


def test_page_and_file_of_an_own_log_are_404(viewer_client: Client, superuser_client: Client) -> None:
    for page in ("change", "json"):
        address = f"{LISTING}{SECRET.id}/{page}/"
        assert viewer_client.get(address).status_code == 404
        assert superuser_client.get(address).status_code == 200


def test_api_detail_of_an_own_log_is_404(viewer_client: Client, superuser_client: Client) -> None:
    for client in (viewer_client, program()):
        assert problem(client, f"{LOGS}/{SECRET.id}", 404)["message"]
    assert fetch(superuser_client, f"{LOGS}/{SECRET.id}")["account_id"] == "_logsite"


def test_search_for_the_id_of_an_own_log_is_empty(viewer_client: Client, superuser_client: Client) -> None:
    query = f"?q={SECRET.id}"
    assert viewer_client.get(LISTING + query).status_code == 200
    assert superuser_client.get(LISTING + query).status_code == 302
    for client in (viewer_client, program()):
        assert fetch(client, LOGS + query)["items"] == []


def test_page_around_an_own_log_is_the_first_page(viewer_client: Client, superuser_client: Client) -> None:
    query = f"?around={SECRET.id}"
    page = viewer_client.get(LISTING + query).content.decode()
    assert "The log of this link no longer exists" in page
    assert set(row_ids(page)) == ids(USUAL)
    for client in (viewer_client, program()):
        problem(client, LOGS + query, 400)
    assert SECRET.id in row_ids(superuser_client.get(LISTING + query).content.decode())


def test_page_around_a_usual_log_hides_its_neighbours(viewer_client: Client) -> None:
    page = viewer_client.get(f"{LISTING}?around={USUAL[1].id}").content.decode()
    assert set(row_ids(page)) == ids(USUAL)


@pytest.mark.parametrize("direction", Direction)
def test_cursor_of_a_superuser_reveals_nothing(viewer_client: Client, direction: Direction) -> None:
    plan = make_plan(LogFilter(), includes_own=True)
    position = Position(direction, key_of(plan, SECRET), inclusive=True)
    page = viewer_client.get(LISTING, {"cursor": cursor.encode(position, plan)}).content.decode()
    assert not ids(OWN) & set(row_ids(page))


def test_token_beside_the_session_of_a_superuser_hides(superuser: User) -> None:
    client = program()
    client.force_login(superuser)
    assert {item["id"] for item in fetch(client)["items"]} == ids(USUAL)


def test_inactive_superuser_reads_nothing(superuser: User) -> None:
    client = client_of(superuser)
    superuser.is_active = False
    superuser.save()
    assert client.get(LISTING).status_code == 302


def test_own_accounts_are_hidden_unless_requested() -> None:
    assert reader.get(SECRET.id) is None
    assert reader.get(SECRET.id, includes_own=True)
    query = PageQuery(make_plan(LogFilter()), Around(SECRET.id), 10)
    with pytest.raises(reader.LogNotFound):
        reader.read(query, Budget())


FILTERS = {
    "everything": LogFilter(),
    "type": LogFilter(type=("login",)),
    "user": LogFilter(user_id=("12",)),
    "object": LogFilter(object=("log:1",)),
    "text": LogFilter(q="login"),
}


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("limit", [4, 50])
@pytest.mark.parametrize("name", FILTERS)
def test_pages_between_own_logs_are_exact(name: str, limit: int, order: Order) -> None:
    # Runs of hidden logs, some longer than a page, and many at one time.
    accounts = ["7"] * 30 + ["_logsite"] * 60 + ["7", "_logsite"] * 20 + ["_logsite"] * 30
    times = [START + timedelta(minutes=number // 9) for number in range(len(accounts))]
    items = [
        make_item(number, account_id=account, created_at=moment, object_type="log", object_id="1")
        for number, (account, moment) in enumerate(zip(accounts, times, strict=True), 100)
    ]
    store(items)
    log_filter = replace(FILTERS[name], order=order)
    for includes_own in (False, True):
        plan = make_plan(log_filter, includes_own=includes_own)
        expected = [item for item in [*items, *USUAL, *OWN] if not plan.hides(item)]
        pages = walk(plan, limit)
        assert_exact(pages, expected, order)
        assert all(page.complete for page in pages)
        assert all_ids(walk_back(plan, limit, pages[-1].previous)) == all_ids(pages[:-1])


def test_hidden_logs_cost_few_requests() -> None:
    store(make_item(number, account_id="_logsite") for number in range(100, 900))
    page = reader.read_page(make_plan(LogFilter()), None, 50)
    assert ids(page.items) == ids(USUAL)
    # 51, 25, 50, 100, … items.
    assert page.cost.queries <= 7


def test_budget_ends_a_page_among_hidden_logs() -> None:
    store(make_item(number, account_id="_logsite") for number in range(100, 400))
    pages = walk(make_plan(LogFilter()), 50, budget=Budget(examined=100))
    assert [page.complete for page in pages] == [*[False] * (len(pages) - 1), True]
    assert set(all_ids(pages)) == ids(USUAL)
