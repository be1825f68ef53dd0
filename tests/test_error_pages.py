"""The error pages of the site, in the admin's frame."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.dynamodb_calls import recorded_calls

LISTING = reverse("admin:logs_log_changelist")


def test_unknown_address_is_404_with_a_link_to_the_logs() -> None:
    response = Client().get("/no/such/page")
    page = response.content.decode()
    assert response.status_code == 404
    assert "<title>Not found | Logsite</title>" in page
    assert "<h1>Not found.</h1>" in page
    assert f'<a href="{LISTING}">' in page
    assert "/no/such/page" not in page


@pytest.mark.parametrize("address", ["/admin/no/such/page/", "/admin/r/1/1/"])
def test_unknown_address_of_the_admin_is_404(address: str, viewer_client: Client) -> None:
    response = viewer_client.get(address)
    assert response.status_code == 404
    assert "<h1>Not found.</h1>" in response.content.decode()


def test_404_page_reads_nothing_from_dynamodb(viewer_client: Client) -> None:
    with recorded_calls() as calls:
        assert viewer_client.get("/no/such/page").status_code == 404
    assert calls == []


def test_403_page_names_the_missing_permission(staff_client: Client) -> None:
    response = staff_client.get(LISTING)
    page = response.content.decode()
    assert response.status_code == 403
    assert "<title>Permission denied | Logsite</title>" in page
    assert "logs.view_log" in page
    assert reverse("admin:logout") in page


MANY = "a=1&" * 1001
# The address, and what the request has besides.
UNREADABLE: dict[str, tuple[str, dict[str, Any], str]] = {
    "many_parameters": (f"?{MANY}", {}, "more than 1,000 parameters (DATA_UPLOAD_MAX_NUMBER_FIELDS)"),
    "host": ("", {"HTTP_HOST": "evil.example"}, "does not serve the host name"),
    "no_host": ("", {"HTTP_HOST": "a b"}, "does not serve the host name"),
}


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("case", UNREADABLE)
@pytest.mark.parametrize("page", ["/", "/admin/", "/admin/login/", LISTING, f"{LISTING}export/", "/nothing"])
def test_unreadable_request_is_400_with_a_reason(
    viewer_client: Client, settings: Any, page: str, case: str, debug: bool
) -> None:
    settings.DEBUG = debug
    viewer_client.raise_request_exception = False
    query, environment, words = UNREADABLE[case]
    response = viewer_client.get(page + query, **environment)
    assert response.status_code == 400
    text = response.content.decode()
    assert words in text
    assert "<title>Bad request | Logsite</title>" in text
    assert f'<a href="{LISTING}">' in text


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("case", UNREADABLE)
@pytest.mark.parametrize("path", ["", "/logs", f"/logs/{'0' * 32}", "/openapi.json", "/nothing"])
def test_unreadable_request_of_the_api_is_json(
    viewer_client: Client, settings: Any, path: str, case: str, debug: bool
) -> None:
    settings.DEBUG = debug
    viewer_client.raise_request_exception = False
    query, environment, words = UNREADABLE[case]
    response = viewer_client.get(f"/api{path or '/'}{query}", **environment)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], error["fields"]) == ("bad_request", {})
    assert words in error["message"]


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (MANY, "application/x-www-form-urlencoded", "more than 1,000 parameters"),
        ("a=" + "x" * 2_700_000, "application/x-www-form-urlencoded", "DATA_UPLOAD_MAX_MEMORY_SIZE"),
        ("a=1", "application/x-www-form-urlencoded; charset=utf-16", "UTF-8"),
        ("a=1", "multipart/form-data", "multipart"),
    ],
)
def test_unreadable_form_is_400_with_a_reason(
    settings: Any, body: str, content_type: str, words: str, debug: bool
) -> None:
    settings.DEBUG = debug
    client = Client(raise_request_exception=False)
    response = client.generic("POST", "/admin/login/", body, content_type)
    assert response.status_code == 400
    assert words in response.content.decode()
    assert "<title>Bad request | Logsite</title>" in response.content.decode()
