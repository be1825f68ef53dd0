"""Headers of every page, refused methods, and the redirect after a login."""

from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver, set_script_prefix

from logsite.accounts.models import User
from tests.api import program
from tests.conftest import PASSWORD
from tests.items import make_item, store
from tests.test_accounts_no_sql import MORE_ADDRESSES, addresses

LISTING = "/admin/logs/log/"
POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"
ADDRESSES = sorted({*addresses(get_resolver().url_patterns), *MORE_ADDRESSES, "/healthz", "/no/such/page"})


@pytest.mark.parametrize("role", ["superuser_client", "staff_client", "anonymous"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_page_has_a_policy_and_is_not_stored(address: str, role: str, request: pytest.FixtureRequest) -> None:
    client = Client() if role == "anonymous" else request.getfixturevalue(role)
    response = client.get(address)
    assert response["Content-Security-Policy"] == POLICY
    assert "no-store" in response["Cache-Control"]
    assert "unsafe" not in POLICY


def test_error_page_has_a_policy(monkeypatch: pytest.MonkeyPatch, viewer_client: Client) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("logs.views.listing", fail)
    viewer_client.raise_request_exception = False
    response = viewer_client.get(LISTING)
    assert response.status_code == 500
    assert response["Content-Security-Policy"] == POLICY
    assert response["Cache-Control"] == "no-store"


def test_file_of_a_log_is_not_stored(viewer_client: Client, logs_table: None) -> None:
    store([make_item(1)])
    response = viewer_client.get(f"{LISTING}{make_item(1).id}/json/")
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]


def test_policy_leaves_debug_pages_readable(settings: Any) -> None:
    settings.DEBUG = True
    assert "Content-Security-Policy" not in Client().get("/no/such/page")
    assert "Content-Security-Policy" in Client().get("/admin/login/")


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "X" * 99])
@pytest.mark.parametrize("address", ADDRESSES)
def test_trace_and_unknown_methods_are_405(address: str, method: str, superuser_client: Client) -> None:
    response = superuser_client.generic(method, address)
    assert response.status_code == 405
    assert response["Allow"]
    assert response["Content-Security-Policy"] == POLICY


def test_trace_of_the_api_is_405_as_json() -> None:
    response = program().generic("TRACE", "/api/logs")
    assert response.status_code == 405
    assert response.json()["error"]["code"] == "method_not_allowed"


def sign_in(viewer: User, next_address: str, *, in_form: bool) -> Any:
    """Sign in with a `next` in the form or in the query string."""
    form = {"username": viewer.username, "password": PASSWORD}
    if in_form:
        return Client().post("/admin/login/", {**form, "next": next_address})
    return Client().post("/admin/login/", form, query_params={"next": next_address})


@pytest.mark.parametrize("in_form", [True, False])
@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "http:///evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "http://[",
        "//[",
        "/admin/\r\nSet-Cookie: a=b",
        "/admin/\x00",
        "/admin/\u202e",
        "/no/such/page",
        "/admin/no/such/page/",
        "/admin/logout/",
        "/admin/" + "a" * 10_000,
        "/admin/logs/log/?q=" + "a" * 10_000,
        "admin/",
        "../admin/",
        "http://testserver/admin/",
        "\ud800",
    ],
)
def test_tampered_next_leads_to_the_listing(address: str, in_form: bool, viewer: User) -> None:
    address = address.encode(errors="replace").decode()
    response = sign_in(viewer, address, in_form=in_form)
    assert response.status_code == 302
    assert response["Location"] == LISTING


@pytest.mark.parametrize(
    "address",
    ["/admin/", LISTING, f"{LISTING}?account_id=7&type=a%20b", "/api/docs", "/admin/password_change/", "/"],
)
def test_next_leads_to_a_page_of_the_site(address: str, viewer: User) -> None:
    assert sign_in(viewer, address, in_form=True)["Location"] == address


def test_next_below_a_stage_prefix_works(viewer: User) -> None:
    set_script_prefix("/dev/")  # as the WSGI handler does for FORCE_SCRIPT_NAME
    try:
        assert sign_in(viewer, "/dev/admin/", in_form=True)["Location"] == "/dev/admin/"
        assert sign_in(viewer, "/admin/", in_form=True)["Location"] == f"/dev{LISTING}"
    finally:
        set_script_prefix("/")


def test_login_page_shows_no_tampered_next() -> None:
    page = Client().get("/admin/login/", {"next": "https://evil.example/"}).content.decode()
    assert f'name="next" value="{LISTING}"' in page
