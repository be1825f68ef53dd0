"""Saved views: tabs, changes, sharing, the view that opens first, and two writers at once."""

import html
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlencode

import pytest
from django.test import Client

from logs import saved_views
from logs.characters import visible
from logs.pages.view_tabs import owner_of
from logs.saved_views import MAX_QUERY, MAX_VIEWS, SavedView, ViewList, ViewRejected
from logs.storage import dynamodb, view_items
from logs.storage.errors import StoreUnavailable
from logs.storage.view_items import SHARED, ViewsItem
from logsite.accounts.models import User
from tests.audit import Trail
from tests.conftest import client_of, make_user
from tests.dynamodb_calls import recorded_calls
from tests.items import make_item, store
from tests.pages import LISTING, SCRIPT, fetch, link, press, row_ids, rows
from tests.test_columns import headings
from tests.test_content_security import Violations

pytest_plugins = ["tests.sqs_server", "tests.audit_fixtures"]
pytestmark = pytest.mark.usefixtures("logs_table", "no_shared_views")

TABLE = ViewsItem.Meta.table_name
VIEWS = f"{LISTING}views/"
HOSTILE = ["<script>alert(1)</script>\"'", "\u202egnp.exe", "مرحبا 👩‍👩‍👧", "a\u200bb\x07", "x" * 100]


@pytest.fixture
def no_shared_views() -> Iterator[None]:
    """Delete the shared views after the test. Own ones belong to the test's own users."""
    yield
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ViewsItem.Meta, "table_name", TABLE)
        ViewsItem(SHARED).delete()


def sharer() -> User:
    return make_user("sharer", is_staff=True, permissions={"logs.view_log", "logs.share_views"})


def save(client: Client, name: str, query: str = "type=login", **fields: str) -> str:
    """Save a view by its form. Return its address below the listing."""
    response = client.post(f"{VIEWS}add/", {"query": query, "name": name, **fields})
    assert response.status_code == 302, response.content.decode()
    return str(response.headers["Location"]).removeprefix(LISTING)


def view_id(address: str) -> str:
    return parse_qs(address.removeprefix("?"))["view"][0]


def tabs(page: str) -> list[tuple[str, bool]]:
    """Return text and state of each tab: whether it is the current one."""
    nav = page[page.index('aria-label="Saved views"') : page.index("</nav>", page.index("Saved views"))]
    links = re.findall(r'<li><a href="[^"]*"( aria-current="page")? title="([^"]*)">', nav)
    return [(html.unescape(text), bool(current)) for current, text in links]


def query_to_save(page: str) -> str:
    """Return the query string that the link to save the page has."""
    return parse_qs(link(page, "Save as…").partition("?")[2])["query"][0]


def test_view_keeps_filter_range_columns_and_page_size(viewer_client: Client) -> None:
    store(make_item(n, type="login" if n % 2 else "view") for n in range(120))
    page = press(viewer_client, fetch(viewer_client), "100")
    page = fetch(viewer_client, "?type=login&range=from+1+Nov+2026&order=oldest&tz=Europe/Berlin")
    assert tabs(page) == [("All logs", True)]
    add = viewer_client.get(LISTING + link(page, "Save view…").removeprefix(LISTING))
    form = add.content.decode()
    assert "login" in form
    query = html.unescape(re.findall(r'name="query" value="([^"]*)"', form)[0])
    address = save(viewer_client, " Logins ", query)
    # Later changes of the browser's own page change no view.
    press(viewer_client, fetch(viewer_client), "25")

    page = fetch(viewer_client, address)

    assert tabs(page) == [("All logs", False), ("Logins", True)]
    assert "changed:" not in page
    assert len(row_ids(page)) == 60
    assert parse_qs(address[1:]).keys() == {"view", "type", "from", "order", "tz"}
    assert link(page, "Logins") == address
    # Each change of the page is one of the address, and keeps the view.
    changed = press(viewer_client, page, "Summary")
    assert "changed:" in changed
    assert "Summary" not in headings(changed)
    changed = press(viewer_client, changed, "50")
    changed = fetch(viewer_client, link(changed, "login"))
    assert tabs(changed)[1] == ("Logins", True)
    assert len(row_ids(changed)) == 50
    assert "Summary" in headings(fetch(viewer_client))
    replaced = viewer_client.post(f"{VIEWS}{view_id(address)}/replace/", {"query": query_to_save(changed)})
    page = fetch(viewer_client, replaced.headers["Location"].removeprefix(LISTING))
    assert "changed:" not in page
    assert "Summary" not in headings(page)
    assert len(row_ids(page)) == 50
    assert "view=" not in html.unescape(re.findall(r'data-copy="([^"]*)"', page)[0])


def test_live_and_export_keep_the_columns_of_a_view(viewer_client: Client) -> None:
    store(make_item(n, object_type="invoice", object_id="4711") for n in range(3))
    # The browser has the other columns and another page size.
    viewer_client.cookies["logs_view"] = "limit=25&columns=summary"
    address = save(viewer_client, "Objects", "type=login&limit=100&columns=object.user&density=compact")
    page = fetch(viewer_client, f"{address}&limit=25")
    poll = html.unescape(re.findall(r'data-poll="([^"]*)"', page)[0])
    with recorded_calls() as calls:
        fragment = viewer_client.get(LISTING + poll, headers=SCRIPT).content.decode()
    assert [name for name, _ in calls] == ["BatchGetItem", "Query"]
    assert len(rows(page)) == 3
    assert rows(fragment) == rows(page)
    # The page size of the address stays too, in a fragment that reads no view.
    row = viewer_client.get(f"{LISTING}{row_ids(page)[0]}/row/{address}&limit=25")
    assert re.findall(r"limit=\d+", row.content.decode())
    assert set(re.findall(r"limit=\d+", row.content.decode())) == {"limit=25"}
    # A file has no pages.
    export = link(page, "Export")
    assert "limit=" not in export
    file = viewer_client.post(LISTING + export, {"format": "csv", "columns": "shown"})
    assert file.content.decode("utf-8-sig").splitlines()[0] == (
        "created_at,object_type,object_id,object_name,url,user_id,user_name"
    )
    assert f"view={view_id(address)}" in link(fetch(viewer_client, export), "Back to the logs")


def test_relative_range_stays_relative(viewer_client: Client) -> None:
    store(make_item(n) for n in range(60))
    address = save(viewer_client, "Recent", "range=last+3000+days")
    page = fetch(viewer_client, address)
    assert "range=last+3000+days" in address
    second = fetch(viewer_client, link(page, "Next ›"))
    assert tabs(second)[1] == ("Recent", True)
    assert "changed:" not in second
    assert "range=last+3000+days" in query_to_save(second)
    assert "changed:" in fetch(viewer_client, link(page, "login"))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_name_is_shown_safely(viewer_client: Client, name: str) -> None:
    address = save(viewer_client, name, start="1")
    identity = view_id(address)
    for path in (address, "views/", f"views/{identity}/change/", f"views/{identity}/delete/"):
        page = fetch(viewer_client, path)
        assert Violations(page).violations == []
        assert "<script>alert" not in page
        assert "\u202e" not in re.sub(r'<input type="text"[^>]*>', "", page)
        assert html.escape(visible(name)) in page
    again = viewer_client.post(f"{VIEWS}add/", {"query": "", "name": name.upper()})
    assert "There is a saved view" in again.content.decode()
    assert Violations(again.content.decode()).violations == []


def test_rules_of_views_are_named(viewer: User, viewer_client: Client) -> None:
    def problem(status: int = 200, **data: str) -> str:
        response = viewer_client.post(f"{VIEWS}add/", {"query": "", "name": "a", **data})
        assert response.status_code == status
        return response.content.decode()

    assert "1 to 100 characters, not 0" in problem(name=" \u200b ")
    assert "1 to 100 characters, not 101" in problem(name="x" * 101)
    assert f"2,000 characters, not {MAX_QUERY + 1:,}" in problem(400, query="q" * (MAX_QUERY + 1))
    assert "from: " in problem(400, query="from=never")
    assert "columns must be some of" in problem(400, query="columns=x%3Cb")
    assert problem(403, shared="1")
    saved_views.change(
        owner_of(viewer), lambda _: ViewList(tuple(SavedView(f"{n}", f"{n}", "") for n in range(MAX_VIEWS)))
    )
    assert "50 saved views, the most possible" in problem()
    assert viewer_client.post(VIEWS, {"start": "nonsense"}).status_code == 400
    for address in ("?density=x", "?columns=user.user"):
        assert "must be" in fetch(viewer_client, address, 400)
    assert "at most 20 characters" in fetch(viewer_client, f"?view={'0' * 21}", 400)


def test_view_is_renamed_and_deleted(viewer_client: Client) -> None:
    address = save(viewer_client, "Logins", start="1")
    change, delete = (f"{VIEWS}{view_id(address)}/{name}/" for name in ("change", "delete"))
    assert "1 to 100" in viewer_client.post(change, {"name": ""}).content.decode()
    assert viewer_client.post(change, {"name": "Sign-ins"}).status_code == 302
    assert "now named “Sign-ins”" in fetch(viewer_client, "views/")
    assert "Delete the saved view" in viewer_client.get(delete).content.decode()
    assert viewer_client.post(delete).status_code == 302
    assert "was deleted" in fetch(viewer_client, "views/")
    page = fetch(viewer_client, address)
    assert tabs(page) == [("All logs", False)]
    assert "The saved view of this link was deleted" in page
    assert fetch(viewer_client)
    for path in (change, delete):
        assert viewer_client.get(path).status_code == viewer_client.post(path).status_code == 404


def test_outdated_view_says_so(viewer: User, viewer_client: Client) -> None:
    outdated = SavedView("0a", "Old", "retired=1&limit=500&columns=gone&density=wide")
    saved_views.change(owner_of(viewer), lambda views: views.add(outdated, starts=True))
    redirect = viewer_client.get(LISTING)
    page = fetch(viewer_client, redirect.headers["Location"].removeprefix(LISTING), 400)
    assert "“<bdi>Old</bdi>” has a filter that is no longer valid" in page
    assert "There is no filter “retired”" in page
    assert tabs(page) == [("All logs", False), ("Old", True)]
    assert "no longer valid" not in fetch(viewer_client, "?view=0a&from=never", 400)


def test_start_view_opens_first(viewer_client: Client) -> None:
    store(make_item(n, type="login" if n % 2 else "view") for n in range(4))
    address = save(viewer_client, "Logins", start="1")
    with recorded_calls() as calls:
        assert viewer_client.get(LISTING).headers["Location"] == LISTING + address
    assert calls == [("BatchGetItem", None)]
    view = fetch(viewer_client, address)
    # "Clear all" stays within the view. The tab and an emptied form lead past it.
    cleared = fetch(viewer_client, link(view, "Clear all"))
    assert len(row_ids(cleared)) == 4
    assert "changed:" in cleared
    everything = fetch(viewer_client, link(view, "All logs"))
    assert tabs(everything) == [("All logs", True), ("Logins", False)]
    assert 'name="all" value="1"' in everything
    filtered = fetch(viewer_client, link(everything, "view"))
    assert link(filtered, "Clear all") == "?all=1"
    assert re.search(r'data-copy="[^"]*\?all=1"', everything)
    assert viewer_client.post(VIEWS, {"start": ""}).status_code == 302
    assert len(row_ids(fetch(viewer_client))) == 4


def test_shared_views_need_the_permission(viewer: User, viewer_client: Client, audit: Trail) -> None:
    owner = client_of(sharer())
    address = save(owner, "Logins", "type=login", shared="1", start="1")
    own = save(owner, "Private")
    assert tabs(fetch(viewer_client, address)) == [("All logs", False), ("Logins", True)]
    assert "Private" not in fetch(viewer_client, own)
    changed = fetch(viewer_client, f"{address}&sub_type=password")
    assert "Save as…" in changed
    assert "/replace/" not in changed
    identity = view_id(address)
    for path in ("change", "delete"):
        assert viewer_client.get(f"{VIEWS}{identity}/{path}/").status_code == 403
    for path in ("change", "delete", "replace"):
        assert viewer_client.post(f"{VIEWS}{identity}/{path}/", {"name": "x"}).status_code == 403
        assert viewer_client.post(f"{VIEWS}{view_id(own)}/{path}/").status_code == 404
    assert "Rename" not in fetch(viewer_client, "views/")
    # Everybody can open it first, and keep a copy under the same name.
    assert viewer_client.post(VIEWS, {"start": identity}).status_code == 302
    assert viewer_client.get(LISTING).headers["Location"] == LISTING + address
    save(viewer_client, "Logins", query_to_save(changed))

    assert owner.post(f"{VIEWS}{identity}/replace/", {"query": "type=view"}).status_code == 302
    assert owner.post(f"{VIEWS}{identity}/change/", {"name": "Views"}).status_code == 302
    assert owner.post(f"{VIEWS}{identity}/delete/").status_code == 302
    assert viewer_client.get(LISTING).status_code == 200
    logs = audit.logs("saved-view")
    assert [(log.sub_type, log.object_id, log.summary) for log in logs] == [
        ("shared", identity, "Shared the saved view Logins"),
        ("changed", identity, "Changed the saved view Logins"),
        ("renamed", identity, "Renamed the saved view Views"),
        ("deleted", identity, "Deleted the saved view Views"),
    ]


def test_two_writers_lose_no_view(viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = owner_of(viewer)

    def add(name: str) -> None:
        view = saved_views.new_view(name, "")
        saved_views.change(owner, lambda views: views.add(view))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(add, "abcd"))
    write = view_items.write
    rivals = iter("ef")

    def write_after_a_rival(item: ViewsItem) -> bool:
        if rival := next(rivals, ""):
            with monkeypatch.context() as patch:
                patch.setattr(view_items, "write", write)
                add(rival)
        return write(item)

    monkeypatch.setattr(view_items, "write", write_after_a_rival)
    add("g")
    own, _ = saved_views.read(owner)
    assert sorted(view.name for view in own.views) == list("abcdefg")
    [first, *_] = own.views
    # A change that was written although its response was lost is not repeated.
    saved_views.change(owner, lambda views: views.add(first))
    saved_views.change(owner, lambda views: views.delete(first.id))
    with pytest.raises(ViewRejected, match="deleted meanwhile"):
        saved_views.change(owner, lambda views: views.rename(first.id, "z"))
    monkeypatch.setattr(view_items, "write", lambda item: False)
    with pytest.raises(StoreUnavailable, match="5 attempts"):
        add("h")


def test_listing_with_views_makes_two_requests(viewer: User, viewer_client: Client) -> None:
    names = [f"A view with a name of usual length {n}" for n in range(10)]
    query = urlencode({"account_id": 7, "type": "login", "range": "-24h", "limit": 50, "density": "compact"})
    views = ViewList(tuple(SavedView(f"{n:010}", name, query) for n, name in enumerate(names)))
    for owner in (owner_of(viewer), SHARED):
        saved_views.change(owner, lambda _: views)
    units: list[float] = []
    events, event = dynamodb.shared_connection().client.meta.events, "after-call.dynamodb.BatchGetItem"
    count = lambda parsed, **_: units.append(dynamodb.capacity_units(parsed))  # noqa: E731  removed below
    events.register(event, count)
    with recorded_calls() as calls:
        page = fetch(viewer_client, "?all=1")
    events.unregister(event, count)
    assert [name for name, _ in calls] == ["BatchGetItem", "Query"]
    # Session, user, own and shared views: one unit each.
    assert units == [4]
    assert len(tabs(page)) == 21
    with recorded_calls() as calls:
        viewer_client.get("/admin/password_change/")
    assert [name for name, _ in calls] == ["BatchGetItem"]
    # A forged name in the cookie shows nobody else's views.
    _, _, hint = viewer_client.cookies["sessionid"].value.partition(".")
    other = client_of(make_user("other", is_staff=True, permissions={"logs.view_log"}))
    other_key = other.cookies["sessionid"].value.partition(".")[0]
    other.cookies["sessionid"] = f"{other_key}.{hint}"
    assert len(tabs(fetch(other, "?all=1"))) == 11


def test_site_works_without_the_table(
    viewer: User, viewer_client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = ViewsItem(owner_of(viewer), views='["a view of another version"]')
    broken.save()
    assert "logs-views" not in fetch(viewer_client)
    assert viewer_client.get(VIEWS).status_code == 503
    broken.delete()
    monkeypatch.setattr(view_items._Pause, "end", 0.0)
    monkeypatch.setattr(ViewsItem.Meta, "table_name", "NoSuchTable")
    for requests in (["BatchGetItem", "BatchGetItem", "Query"], ["BatchGetItem", "Query"]):
        with recorded_calls() as calls:
            page = fetch(viewer_client)
        assert [name for name, _ in calls] == requests
        assert "logs-views" not in page
    assert caplog.text.count("Saved views are not used") == 1
    assert viewer_client.get(VIEWS).status_code == 503
