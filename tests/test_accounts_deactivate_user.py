"""`manage.py deactivate_user`."""

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from logsite.accounts.models import User
from tests.conftest import PASSWORD


def test_deactivated_user_is_locked_out_at_once(viewer: User, viewer_client: Client) -> None:
    assert viewer_client.get("/admin/password_change/").status_code == 200

    call_command("deactivate_user", viewer.username, verbosity=0)

    assert viewer_client.get("/admin/password_change/").status_code == 302
    assert not Client().login(username=viewer.username, password=PASSWORD)


def test_undo_activates_the_user_again(viewer: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("deactivate_user", viewer.username)
    call_command("deactivate_user", viewer.username, "--undo")

    assert Client().login(username=viewer.username, password=PASSWORD)
    assert capsys.readouterr().out == (
        f"Deactivated the user {viewer.username}.\nActivated the user {viewer.username}.\n"
    )


def test_unknown_name_is_refused() -> None:
    with pytest.raises(CommandError, match="There is no user nobody-of-that-name"):
        call_command("deactivate_user", "nobody-of-that-name")
