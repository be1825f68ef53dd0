"""The commands that ask: each is run as an operator runs it, in a terminal, under the site's own settings."""

import os
import pty
import select
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from logsite.accounts.models import User
from logsite.accounts.store import UserItem
from tests.conftest import PASSWORD

MANAGE = Path(__file__).parent.parent / "manage.py"
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "logsite.settings",
    "DJANGO_COLORS": "nocolor",
    # Whatever a developer's .env says.
    "USERS_TABLE": UserItem.Meta.table_name,
}


def manage(*arguments: str, answers: list[tuple[str, str]]) -> tuple[int, str]:
    """Run `manage.py` in a terminal of its own; at each prompt type the answer beside it.

    Return the exit status and what the terminal showed.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(MANAGE), *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, **SETTINGS},
        start_new_session=True,
    )
    os.close(theirs)
    shown = ""
    seen = 0
    waiting = list(answers)
    while text := _read(ours):
        shown += text
        if waiting and waiting[0][0] in shown[seen:]:
            seen = len(shown)
            os.write(ours, f"{waiting.pop(0)[1]}\n".encode())
    os.close(ours)
    assert waiting == [], shown
    return process.wait(60), shown


def _read(terminal: int) -> str:
    """Return what came next, nothing at the end (which Linux reports as an error)."""
    assert select.select([terminal], [], [], 30)[0], "the command says nothing and does not end"
    try:
        return os.read(terminal, 4096).decode()
    except OSError:
        return ""


@pytest.fixture(autouse=True)
def the_sites_own_hashers(settings: Settings) -> None:
    """Read here what the commands write: Argon2, not the fast hasher of the other tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]


@pytest.fixture
def username() -> str:
    return f"asked-{uuid4().hex[:12]}"


def test_createsuperuser_asks_for_everything(username: str) -> None:
    status, shown = manage(
        "createsuperuser",
        answers=[
            ("Username:", username),
            ("Email:", "root@EXAMPLE.com"),
            ("Password:", PASSWORD),
            ("Password (again):", PASSWORD),
        ],
    )

    assert status == 0, shown
    assert "Superuser created successfully." in shown
    assert PASSWORD not in shown
    user = User.objects.get(username=username)
    assert (user.is_superuser, user.is_staff, user.email) == (True, True, "root@example.com")
    assert user.password.startswith("argon2")
    assert Client().login(username=username, password=PASSWORD)


def test_createsuperuser_asks_again_for_a_name_that_is_taken(viewer: User, username: str) -> None:
    status, shown = manage(
        "createsuperuser",
        "--email=",
        answers=[
            ("Username:", viewer.username),
            ("Username:", username),
            ("Password:", PASSWORD),
            ("Password (again):", PASSWORD),
        ],
    )

    assert status == 0, shown
    assert "That username is already taken." in shown


def test_changepassword_changes_it(viewer: User) -> None:
    status, shown = manage(
        "changepassword",
        viewer.username,
        answers=[
            ("Password:", "123"),
            ("Password (again):", "123"),
            ("Password:", "another quiet sentence"),
            ("Password (again):", "another quiet sentence"),
        ],
    )

    assert status == 0, shown
    assert "This password is too short" in shown
    assert Client().login(username=viewer.username, password="another quiet sentence")
    assert not Client().login(username=viewer.username, password=PASSWORD)


def test_create_user_asks_for_the_password_twice(username: str) -> None:
    status, shown = manage(
        "create_user",
        username,
        answers=[("Password:", PASSWORD), ("Password (again):", PASSWORD)],
    )

    assert status == 0, shown
    assert PASSWORD not in shown
    assert Client().login(username=username, password=PASSWORD)


def test_create_user_refuses_two_that_differ(username: str) -> None:
    status, shown = manage(
        "create_user",
        username,
        answers=[("Password:", PASSWORD), ("Password (again):", "something else")],
    )

    assert status == 1
    assert shown.strip().endswith("CommandError: The two passwords differ, so no user was made.")
    with pytest.raises(User.DoesNotExist):
        User.objects.get(username=username)


def test_create_user_takes_no_answer_for_no(username: str) -> None:
    end_of_input = "\x04"
    status, shown = manage("create_user", username, answers=[("Password:", end_of_input)])

    assert status == 1
    assert shown.strip().endswith("CommandError: No password was given, so no user was made.")
