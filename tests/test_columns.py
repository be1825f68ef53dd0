"""Columns, their order, density and page size: buttons of the form, kept in a cookie."""

import re
from urllib.parse import unquote

import pytest
from django.test import Client

from logs.pages.columns import COLUMNS, column_choices, read_columns
from tests.items import make_item, store
from tests.pages import LISTING, fetch, row_ids, rows

pytestmark = pytest.mark.usefixtures("logs_table")

LABELS = {column.name: column.label for column in COLUMNS.values()}


def headings(page: str) -> list[str]:
    """Return the headings of the columns beside the time."""
    return re.findall(r"data-filters=[^>]*>\W*<div class=\"text\"><span>([^<]*)<", page)


def press(client: Client, page: str, label: str) -> str:
    """Return the page after the button with this text or label was pressed."""
    pattern = r'<button form="logs-filter" name="(\w+)" value="([^"]*)"([^>]*)>([^<]*)</button>'
    for name, value, attributes, text in re.findall(pattern, page):
        if text == label or f'aria-label="{label}"' in attributes:
            response = client.get(LISTING, {name: value})
            assert response.status_code == 302
            return fetch(client, response.headers["Location"].removeprefix(LISTING))
    raise AssertionError(f"no button {label!r}")


def test_columns_are_shown_hidden_and_moved(viewer_client: Client) -> None:
    store([make_item(user_id="12", type="login", summary="a summary")])
    page = fetch(viewer_client)
    assert headings(page) == list(LABELS.values())
    page = press(viewer_client, page, "Summary")
    page = press(viewer_client, page, "Move What forward")
    shown = ["Account", "What", "User", "Object, URL", "Client"]
    assert headings(page) == headings(fetch(viewer_client)) == shown
    assert rows(page) == ["Details00:00:00.000 7 login password 12 /login —"]
    page = press(viewer_client, page, "Summary")
    assert headings(page) == [*shown, "Summary"]
    assert headings(fetch(viewer_client, "?account_id=7")) == [*shown[1:], "Summary"]
    cookie = viewer_client.cookies["logs_view"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (LISTING, True, "Lax")


def test_density_and_page_size_are_kept_too(viewer_client: Client) -> None:
    store(make_item(number) for number in range(30))
    page = press(viewer_client, fetch(viewer_client), "compact")
    assert '<table id="result_list" class="compact"' in page
    fetch(viewer_client, "?set_limit=25", status=302)
    page = fetch(viewer_client)
    assert len(row_ids(page)) == 25
    assert 'class="compact"' in page
    assert "limit=" not in page[page.index("<tbody>") : page.index("</tbody>")]
    assert 'class="compact"' not in press(viewer_client, page, "comfortable")


def test_columns_keep_the_place(viewer_client: Client) -> None:
    store(make_item(number) for number in range(120))
    second = re.search('href="([^"]*)" rel="next"', fetch(viewer_client))
    assert second
    page = fetch(viewer_client, second[1].replace("&amp;", "&"))
    assert row_ids(press(viewer_client, page, "Client")) == row_ids(page)


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "x",
        "columns=",
        "columns=what.x",
        "columns=what.what",
        "density=x",
        "limit=0",
        "columns=%ff%00",
        "a" * 5_000,
    ],
)
def test_damaged_cookie_shows_the_defaults(viewer_client: Client, cookie: str) -> None:
    store([make_item()])
    viewer_client.cookies["logs_view"] = cookie
    page = fetch(viewer_client)
    assert headings(page) == list(LABELS.values())
    assert "compact" not in page[: page.index("<tbody>")]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("set_columns=user.x", "set_columns must be some of account, user, what"),
        ("set_columns=user.user", "not “user.user”"),
        ("set_density=tiny", "set_density must be comfortable or compact, not “tiny”."),
    ],
)
def test_wrong_choice_is_a_clear_error(viewer_client: Client, query: str, words: str) -> None:
    assert words in unquote(fetch(viewer_client, f"?{query}", status=400))


@pytest.mark.parametrize("text", ["", ".", "user.", "user.user", "User"])
def test_other_columns_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  its text is the value
        read_columns(text)


def test_last_column_cannot_be_hidden() -> None:
    first, *others = column_choices(("user",))
    assert (first.label, first.toggled, first.earlier) == ("User", None, None)
    assert [choice.is_shown for choice in others] == [False] * (len(COLUMNS) - 1)
