"""The prompts of account commands, in a terminal and with the site's own settings."""

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
    # A developer's .env may name another table.
    "USERS_TABLE": UserItem.Meta.table_name,
}


def manage(*arguments: str, inputs: list[tuple[str, str]]) -> tuple[int, str]:
    """Run `manage.py` in a pseudo-terminal; return the exit status and the terminal's text.

    `inputs` are pairs of a prompt and the line to type at it.
    """
    terminal, child_terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(MANAGE), *arguments],
        stdin=child_terminal,
        stdout=child_terminal,
        stderr=child_terminal,
        env={**os.environ, **SETTINGS},
        start_new_session=True,
    )
    os.close(child_terminal)
    output = ""
    seen = 0
    waiting = list(inputs)
    while text := _read(terminal):
        output += text
        if waiting and waiting[0][0] in output[seen:]:
            seen = len(output)
            os.write(terminal, f"{waiting.pop(0)[1]}\n".encode())
    os.close(terminal)
    assert waiting == [], output
    return process.wait(60), output


def _read(terminal: int) -> str:
    """Return the next output, empty at the end, which Linux reports as an OSError."""
    assert select.select([terminal], [], [], 30)[0], "the command neither prints nor exits"
    try:
        return os.read(terminal, 4096).decode()
    except OSError:
        return ""


@pytest.fixture(autouse=True)
def argon2_hasher(settings: Settings) -> None:
    """Check passwords with Argon2, as the commands hash them."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]


@pytest.fixture
def username() -> str:
    return f"prompted-{uuid4().hex[:12]}"


def test_createsuperuser_prompts_for_every_field(username: str) -> None:
    status, output = manage(
        "createsuperuser",
        inputs=[
            ("Username:", username),
            ("Email:", "root@EXAMPLE.com"),
            ("Password:", PASSWORD),
            ("Password (again):", PASSWORD),
        ],
    )

    assert status == 0, output
    assert "Superuser created successfully." in output
    assert PASSWORD not in output
    user = User.objects.get(username=username)
    assert (user.is_superuser, user.is_staff, user.email) == (True, True, "root@example.com")
    assert user.password.startswith("argon2")
    assert Client().login(username=username, password=PASSWORD)


def test_createsuperuser_prompts_again_for_existing_name(viewer: User, username: str) -> None:
    status, output = manage(
        "createsuperuser",
        "--email=",
        inputs=[
            ("Username:", viewer.username),
            ("Username:", username),
            ("Password:", PASSWORD),
            ("Password (again):", PASSWORD),
        ],
    )

    assert status == 0, output
    assert "That username is already taken." in output


def test_changepassword_prompts_until_valid(viewer: User) -> None:
    status, output = manage(
        "changepassword",
        viewer.username,
        inputs=[
            ("Password:", "123"),
            ("Password (again):", "123"),
            ("Password:", "another quiet sentence"),
            ("Password (again):", "another quiet sentence"),
        ],
    )

    assert status == 0, output
    assert "This password is too short" in output
    assert Client().login(username=viewer.username, password="another quiet sentence")
    assert not Client().login(username=viewer.username, password=PASSWORD)


def test_create_user_prompts_for_the_password_twice(username: str) -> None:
    status, output = manage(
        "create_user",
        username,
        inputs=[("Password:", PASSWORD), ("Password (again):", PASSWORD)],
    )

    assert status == 0, output
    assert PASSWORD not in output
    assert Client().login(username=username, password=PASSWORD)


def test_create_user_refuses_differing_passwords(username: str) -> None:
    status, output = manage(
        "create_user",
        username,
        inputs=[("Password:", PASSWORD), ("Password (again):", "something else")],
    )

    assert status == 1
    assert output.strip().endswith("CommandError: The two passwords differ. The user was not created.")
    with pytest.raises(User.DoesNotExist):
        User.objects.get(username=username)


def test_create_user_stops_at_end_of_input(username: str) -> None:
    end_of_input = "\x04"
    status, output = manage("create_user", username, inputs=[("Password:", end_of_input)])

    assert status == 1
    assert output.strip().endswith("CommandError: No password was entered. The user was not created.")
