"""`manage.py change_permissions`."""

import pytest
from django.core.management import CommandError, call_command

from logsite.accounts.models import User


def test_permissions_are_given_and_withdrawn(viewer: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("change_permissions", viewer.username, "--add", "logs.replay_dead_letters")
    assert User.objects.get(username=viewer.username).has_perm("logs.replay_dead_letters")
    call_command("change_permissions", viewer.username, "--remove", "logs.replay_dead_letters")
    call_command("change_permissions", viewer.username, "--remove", "logs.view_log")

    assert not User.objects.get(username=viewer.username).permissions
    prefix = f"Permissions of the user {viewer.username}: "
    assert capsys.readouterr().out == (
        f"{prefix}logs.replay_dead_letters, logs.view_log.\n{prefix}logs.view_log.\n{prefix}none.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody-of-that-name"], "There is no user nobody-of-that-name"),
        (["x", "--add", "logs.change_log"], "invalid choice: 'logs.change_log'"),
        (
            ["x", "--add", "logs.view_log", "--remove", "logs.view_log"],
            "name the same permission: logs.view_log",
        ),
    ],
)
def test_wrong_arguments_are_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("change_permissions", *arguments)
