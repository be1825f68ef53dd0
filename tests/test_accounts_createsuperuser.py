"""Django's own `createsuperuser --noinput`. test_accounts_prompts covers its prompts."""

from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from logsite.accounts.models import User
from tests.conftest import PASSWORD


@pytest.fixture
def username(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a new name. Set it, an email address and a password in the environment."""
    name = f"root-{uuid4().hex[:12]}"
    monkeypatch.setenv("DJANGO_SUPERUSER_USERNAME", name)
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "root@example.com")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    return name


def test_createsuperuser_reads_the_environment(username: str, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("createsuperuser", interactive=False)

    user = User.objects.get(username=username)
    assert (user.email, user.is_staff, user.is_superuser, user.is_active) == (
        "root@example.com",
        True,
        True,
        True,
    )
    assert Client().login(username=username, password=PASSWORD)
    assert "Superuser created successfully." in capsys.readouterr().out


def test_existing_name_is_refused(username: str) -> None:
    call_command("createsuperuser", interactive=False, verbosity=0)

    with pytest.raises(CommandError, match="already taken"):
        call_command("createsuperuser", interactive=False)


def test_empty_name_is_refused() -> None:
    with pytest.raises(CommandError, match="cannot be blank"):
        call_command("createsuperuser", interactive=False, username="", email="root@example.com")


def test_superuser_without_password_cannot_sign_in(username: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJANGO_SUPERUSER_PASSWORD")

    call_command("createsuperuser", interactive=False, verbosity=0)

    assert not User.objects.get(username=username).has_usable_password()
