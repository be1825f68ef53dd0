"""The error pages of the site, in the admin's frame."""

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
