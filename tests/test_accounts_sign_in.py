"""Signing in to the admin."""

import pytest
from django.test import Client
from django.urls import reverse

from logsite.accounts.models import User
from tests.conftest import PASSWORD

LOGIN = "/admin/login/"


def sign_in(username: str, password: str) -> tuple[Client, int]:
    """Submit the login form; return a new client and the response's status."""
    client = Client()
    response = client.post(LOGIN, {"username": username, "password": password})
    return client, response.status_code


@pytest.mark.parametrize("role", ["superuser", "viewer", "staff"])
def test_staff_can_sign_in(role: str, request: pytest.FixtureRequest) -> None:
    user: User = request.getfixturevalue(role)

    client, status = sign_in(user.username, PASSWORD)

    assert status == 302
    assert user.username in client.get(reverse("admin:password_change")).content.decode()


def test_signing_in_sets_last_login(viewer: User) -> None:
    assert viewer.last_login is None

    sign_in(viewer.username, PASSWORD)

    stored = User.objects.get(username=viewer.username)
    assert stored.last_login is not None
    assert stored.permissions == {"logs.view_log"}


def test_wrong_password_is_refused(viewer: User) -> None:
    client, status = sign_in(viewer.username, "something else")

    assert status == 200
    assert "sessionid" not in client.cookies
    assert client.get(reverse("admin:password_change")).status_code == 302


@pytest.mark.parametrize("username", ["nobody", "n" * 150, "\ufdfa" * 150, "x\0y"])
def test_unknown_name_gets_the_same_message(username: str, viewer: User) -> None:
    wrong_password = Client().post(LOGIN, {"username": viewer.username, "password": "something else"})
    unknown_name = Client().post(LOGIN, {"username": username, "password": PASSWORD})

    assert unknown_name.status_code == 200
    if username == "nobody":
        assert "Please enter the correct username and password" in wrong_password.content.decode()
        assert "Please enter the correct username and password" in unknown_name.content.decode()


def test_username_is_unicode_normalized(viewer: User) -> None:
    full_width = "".join(chr(ord(character) + 0xFEE0) for character in viewer.username)

    _, status = sign_in(full_width, PASSWORD)

    assert status == 302


def test_inactive_user_is_refused(viewer: User) -> None:
    viewer.is_active = False
    viewer.save(update_fields=["is_active"])

    _, status = sign_in(viewer.username, PASSWORD)

    assert status == 200


def test_user_without_staff_status_is_refused(stranger: User) -> None:
    client, status = sign_in(stranger.username, PASSWORD)

    assert status == 200
    assert "sessionid" not in client.cookies


def test_session_without_staff_status_redirects_to_login(stranger_client: Client) -> None:
    response = stranger_client.get(reverse("admin:index"))

    assert response.status_code == 302
    assert response["Location"].startswith(LOGIN)


def test_staff_without_permission_see_no_logs(staff_client: Client, viewer_client: Client) -> None:
    listing = reverse("admin:logs_log_changelist")

    assert viewer_client.get(listing).status_code == 200
    assert staff_client.get(reverse("admin:app_list", args=["logs"])).status_code == 404
    assert staff_client.get(listing).status_code == 403
