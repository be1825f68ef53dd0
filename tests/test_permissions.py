"""Only users with `logs.view_log` see the logs."""

import pytest
from django.test import Client

from tests.items import make_item, store
from tests.pages import LISTING

PAGES = [LISTING, *(f"{LISTING}{make_item().id}/{page}/" for page in ("change", "timelines"))]


@pytest.fixture(autouse=True)
def _one_log(logs_table: None) -> None:
    store([make_item()])


@pytest.mark.parametrize("page", PAGES)
def test_viewer_and_superuser_see_the_logs(
    viewer_client: Client, superuser_client: Client, page: str
) -> None:
    assert viewer_client.get(page).status_code == 200
    assert superuser_client.get(page).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_staff_without_permission_gets_403(staff_client: Client, page: str) -> None:
    response = staff_client.get(page)
    assert response.status_code == 403
    assert "does not have the permission" in response.content.decode()
    assert "Log out" in response.content.decode()


def test_index_names_the_missing_permission(staff_client: Client) -> None:
    response = staff_client.get("/admin/", follow=True)
    assert response.status_code == 403
    assert "does not have the permission logs.view_log" in response.content.decode()


@pytest.mark.parametrize("page", ["/admin/", *PAGES])
def test_other_users_are_redirected_to_login(stranger_client: Client, page: str) -> None:
    for client in (stranger_client, Client()):
        response = client.get(page)
        assert response.status_code == 302
        assert response.headers["Location"] == f"/admin/login/?next={page}"
