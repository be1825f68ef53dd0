"""Changing one's password in the admin."""

import pytest
from django.core.management import call_command
from django.test import Client

from logsite.accounts.models import User
from tests.conftest import PASSWORD, client_of

CHANGE = "/admin/password_change/"
NEW = "another quiet sentence"


def change(client: Client, old: str, new: str) -> str:
    """Submit the form; return its redirect's address. Empty if the form has errors."""
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    return str(client.post(CHANGE, form).headers.get("Location", ""))


def test_password_change_takes_effect(viewer: User, viewer_client: Client) -> None:
    assert change(viewer_client, PASSWORD, NEW) == "/admin/password_change/done/"

    assert viewer_client.get("/admin/password_change/done/").status_code == 200
    assert Client().login(username=viewer.username, password=NEW)
    assert not Client().login(username=viewer.username, password=PASSWORD)


def test_password_change_ends_the_users_other_sessions(viewer: User, viewer_client: Client) -> None:
    elsewhere = client_of(viewer)

    change(viewer_client, PASSWORD, NEW)

    assert viewer_client.get("/admin/password_change/").status_code == 200
    assert elsewhere.get("/admin/password_change/").status_code == 302


def test_password_change_keeps_sessions_of_others(viewer_client: Client, staff_client: Client) -> None:
    change(viewer_client, PASSWORD, NEW)

    assert staff_client.get("/admin/password_change/").status_code == 200


@pytest.mark.parametrize("weak", ["short", "password", "73914652208", "viewer@example.com"])
def test_weak_password_is_refused(weak: str, viewer: User, viewer_client: Client) -> None:
    assert change(viewer_client, PASSWORD, weak) == ""

    assert User.objects.get(username=viewer.username).check_password(PASSWORD)


def test_wrong_old_password_is_refused(viewer: User, viewer_client: Client) -> None:
    assert change(viewer_client, "something else", NEW) == ""

    assert User.objects.get(username=viewer.username).check_password(PASSWORD)


def test_changepassword_ends_every_session(
    viewer: User, viewer_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt="": NEW)

    call_command("changepassword", viewer.username)

    assert viewer_client.get("/admin/password_change/").status_code == 302
    assert Client().login(username=viewer.username, password=NEW)
