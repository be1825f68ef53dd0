"""`manage.py create_user --noinput`. test_accounts_prompts covers its prompts."""

from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from logs.storage import dynamodb
from logsite.accounts.models import User
from logsite.accounts.store import UserItem
from logsite.local.ports import free_port
from tests.conftest import PASSWORD, client_of


@pytest.fixture
def username(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a new name, and set a password in the environment."""
    monkeypatch.setenv("DJANGO_USER_PASSWORD", PASSWORD)
    return f"new-{uuid4().hex[:12]}"


def create(username: str, *options: str) -> None:
    """Run the command without a prompt."""
    call_command("create_user", username, "--noinput", *options)


def test_new_user_may_read_logs(username: str, capsys: pytest.CaptureFixture[str]) -> None:
    create(username, "--email", "new@EXAMPLE.com")

    user = User.objects.get(username=username)
    assert user.check_password(PASSWORD)
    assert user.email == "new@example.com"
    assert (user.is_staff, user.is_superuser) == (True, False)
    assert user.has_perm("logs.view_log")
    assert client_of(user).get("/admin/password_change/").status_code == 200
    assert capsys.readouterr().out == f"Created the user {username}.\n"


def test_no_view_logs_option_removes_the_permission(username: str) -> None:
    create(username, "--no-view-logs")

    user = User.objects.get(username=username)
    assert user.is_staff
    assert not user.has_perm("logs.view_log")


def test_replay_dead_letters_option_gives_the_permission(username: str) -> None:
    create(username, "--replay-dead-letters", "--share-views")

    assert User.objects.get(username=username).permissions == {
        "logs.view_log",
        "logs.replay_dead_letters",
        "logs.share_views",
    }


def test_existing_name_is_refused(username: str, viewer: User) -> None:
    with pytest.raises(CommandError, match=f"The username {viewer.username} is taken."):
        create(viewer.username, "--no-view-logs")

    assert User.objects.get(username=viewer.username).has_perm("logs.view_log")


def test_weak_password_is_refused(username: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_USER_PASSWORD", username)

    with pytest.raises(CommandError, match="too similar to the username"):
        create(username)

    with pytest.raises(User.DoesNotExist):
        User.objects.get(username=username)


def test_missing_password_is_refused(username: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJANGO_USER_PASSWORD")

    with pytest.raises(CommandError, match="set DJANGO_USER_PASSWORD"):
        create(username)


@pytest.mark.parametrize("name", ["two words", "", "n" * 151])
def test_invalid_name_is_refused(name: str, username: str) -> None:
    with pytest.raises(CommandError):
        create(name)


def test_invalid_email_is_refused(username: str) -> None:
    with pytest.raises(CommandError, match="Enter a valid email address"):
        create(username, "--email", "nowhere")


def test_missing_table_names_the_next_step(username: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UserItem.Meta, "table_name", "NoSuchTable")

    with pytest.raises(CommandError, match=r"Run: manage\.py create_tables"):
        create(username)


def test_unreachable_dynamodb_is_a_command_error(username: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr(dynamodb.shared_connection(), "_client", None)

    with pytest.raises(CommandError, match=r"^DynamoDB: "):
        create(username)
