"""Changing one's password in the admin."""

import pytest
from django.core.management import call_command
from django.test import Client

from logsite.accounts.models import User
from tests.conftest import PASSWORD, signed_in

CHANGE = "/admin/password_change/"
NEW = "another quiet sentence"


def change(client: Client, old: str, new: str) -> str:
    """Fill in the form; return the address it leads to, empty where it was refused."""
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    return str(client.post(CHANGE, form).headers.get("Location", ""))


def test_it_changes_the_password(viewer: User, viewer_client: Client) -> None:
    assert change(viewer_client, PASSWORD, NEW) == "/admin/password_change/done/"

    assert viewer_client.get("/admin/password_change/done/").status_code == 200
    assert Client().login(username=viewer.username, password=NEW)
    assert not Client().login(username=viewer.username, password=PASSWORD)


def test_it_keeps_this_session_and_ends_the_others(viewer: User, viewer_client: Client) -> None:
    elsewhere = signed_in(viewer)

    change(viewer_client, PASSWORD, NEW)

    assert viewer_client.get("/admin/").status_code == 200
    assert elsewhere.get("/admin/").status_code == 302


def test_it_ends_nobody_elses_session(viewer_client: Client, staff_client: Client) -> None:
    change(viewer_client, PASSWORD, NEW)

    assert staff_client.get("/admin/").status_code == 200


@pytest.mark.parametrize("weak", ["short", "password", "73914652208", "viewer@example.com"])
def test_a_weak_password_is_refused(weak: str, viewer: User, viewer_client: Client) -> None:
    assert change(viewer_client, PASSWORD, weak) == ""

    assert User.objects.get(username=viewer.username).check_password(PASSWORD)


def test_the_old_password_must_be_right(viewer: User, viewer_client: Client) -> None:
    assert change(viewer_client, "something else", NEW) == ""

    assert User.objects.get(username=viewer.username).check_password(PASSWORD)


def test_changepassword_ends_every_session(
    viewer: User, viewer_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt="": NEW)

    call_command("changepassword", viewer.username)

    assert viewer_client.get("/admin/").status_code == 302
    assert Client().login(username=viewer.username, password=NEW)
