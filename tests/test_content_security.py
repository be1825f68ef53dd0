"""Pages have no inline script or style: they work under `default-src 'self'; img-src 'self' data:`."""

from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client

from logs.models import LogItem
from logs.reading.grouping import FIELDS
from tests.conftest import PASSWORD
from tests.items import make_item, store
from tests.pages import LISTING

ATTACK = "\"'><script>alert(1)</script><img src=x onerror=alert(1)><a href=javascript:alert(1) style=x>"
DATA_TYPES = {"application/json"}
# Attributes whose address the browser loads or follows.
ADDRESSES = {"href", "src", "action", "formaction", "data", "poster", "srcset"}
LOADED = {"script", "link", "img", "iframe", "source", "form"}


class Violations(HTMLParser):
    """The parts of a page that the policy blocks."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.violations: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        is_code = tag == "script" and values.get("type") not in DATA_TYPES
        is_inline = tag in ("style", "base") or (is_code and "src" not in values)
        text = str(self.get_starttag_text())
        if is_inline or "style" in values or any(name.startswith("on") for name in values):
            self.violations.append(text)
        for name in ADDRESSES & values.keys():
            address = (values[name] or "").strip().lower()
            is_local = address.startswith("/") and not address.startswith("//")
            is_image = tag == "img" and address.startswith("data:")
            if address.startswith(("javascript:", "vbscript:")) or (
                tag in LOADED and address and not (is_local or is_image)
            ):
                self.violations.append(text)


def violations(response: object) -> list[str]:
    """Return the parts of a response that the policy blocks."""
    return Violations(response.content.decode()).violations  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _hostile_logs(logs_table: None) -> None:
    names = ["account_id", "user_id", "type", "sub_type", "submitter_city", "submitter_agent"]
    hostile = dict.fromkeys(names, ATTACK)
    items = [make_item(n, **hostile, url=f"javascript:{ATTACK}", payload=ATTACK) for n in range(60)]
    store([*items, make_item(99, url="https://example.com/")])


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/admin/logs/", 200),
        ("/admin/password_change/", 200),
        ("/admin/password_change/done/", 200),
        (LISTING, 200),
        (f"{LISTING}?limit=25&order=oldest", 200),
        (f"{LISTING}?type=no&sub_type=no", 200),
        (f"{LISTING}?account_id={ATTACK}&q={ATTACK}", 200),
        (f"{LISTING}?q=nothing", 200),
        (f"{LISTING}?from={ATTACK}&{ATTACK}=1", 400),
        (f"{LISTING}export/?format={ATTACK}", 400),
        (f"{LISTING}numbers/?type={ATTACK}", 200),
        *((f"{LISTING}groups/?field={field}", 200) for field in FIELDS),
        (f"{LISTING}groups/?field={ATTACK}", 400),
        (f"{LISTING}freshness/", 200),
        (f"{LISTING}{make_item(1).id}/change/", 200),
        (f"{LISTING}{make_item(1).id}/timelines/", 200),
        (f"{LISTING}{make_item(99).id}/change/?_changelist_filters={ATTACK}", 200),
        (f"{LISTING}{ATTACK}/change/", 404),
        ("/admin/nothing/", 404),
    ],
)
def test_page_has_nothing_inline(superuser_client: Client, address: str, status: int) -> None:
    response = superuser_client.get(address)
    assert response.status_code == status
    assert violations(response) == []
    assert violations(superuser_client.get(address, follow=True)) == []


def test_incomplete_page_has_nothing_inline(viewer_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "LOGS_MAX_EXAMINED", 20, raising=False)
    response = viewer_client.get(f"{LISTING}?sub_type=nobody")
    assert b"Keep searching" in response.content
    assert violations(response) == []


def test_sign_in_has_nothing_inline() -> None:
    client = Client()
    assert violations(client.get(f"/admin/login/?next={ATTACK}")) == []
    response = client.post("/admin/login/", {"username": ATTACK, "password": PASSWORD})
    assert response.status_code == 200
    assert violations(response) == []


def test_errors_have_nothing_inline(
    staff_client: Client, viewer_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert violations(staff_client.get(LISTING)) == []
    assert violations(viewer_client.post("/admin/logout/")) == []
    assert Violations(render_to_string("503.html")).violations == []


def test_unavailable_page_has_nothing_inline(viewer_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LogItem.Meta, "table_name", "NoSuchTable")
    response = viewer_client.get(LISTING)
    assert response.status_code == 503
    assert violations(response) == []


@pytest.mark.parametrize(
    "page",
    [
        "<script>1</script>",
        "<style></style>",
        '<p style="x">',
        "<p onclick=x>",
        "<a href=' JavaScript:x'>",
        "<script src='https://example.com/x.js'></script>",
        "<link href='//example.com/x.css'>",
        "<img src='https://example.com/x.png'>",
        "<form action='https://example.com/'>",
        "<base href='/'>",
    ],
)
def test_checker_finds_violations(page: str) -> None:
    assert len(Violations(page).violations) == 1


@pytest.mark.parametrize(
    "page",
    [
        "<script src='/x.js'></script>",
        "<script type='application/json'>{}</script>",
        "<img src='data:image/png;base64,x'>",
        "<a href='https://example.com/'>",
        "<a href='?a=1'>",
        "<p>style=x onclick=y</p>",
    ],
)
def test_checker_accepts_local_files(page: str) -> None:
    assert Violations(page).violations == []
