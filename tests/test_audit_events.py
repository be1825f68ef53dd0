"""Each action on the site is a log of the account `_logsite`, found in the listing of a superuser."""

from collections.abc import Callable
from io import StringIO
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from logs.models import LogItem
from logsite.accounts import tokens
from logsite.accounts.models import User
from tests.api import LOGS, fetch, program
from tests.audit import Trail
from tests.conftest import PASSWORD, client_of, make_user
from tests.exports import empty_exports_table
from tests.items import make_item, store
from tests.pages import LISTING
from tests.proxy import proxied
from tests.test_accounts_sign_in import LOGIN, sign_in
from tests.waiting import wait_until

pytest_plugins = ["tests.sqs_server", "tests.audit_fixtures"]

LOG = make_item(1).id
NEW_PASSWORD = "another quiet sentence"


def events(items: list[LogItem]) -> list[tuple[str, str, str]]:
    """Return type, subtype and user of each log."""
    return [(item.type, item.sub_type, item.user_id) for item in items]


def manage(name: str, *arguments: str) -> None:
    call_command(name, *arguments, verbosity=0, stdout=StringIO())


def test_sign_in_and_sign_out_are_logs(audit: Trail, viewer: User) -> None:
    client, status = sign_in(viewer.username, PASSWORD)
    assert status == 302
    client.post("/admin/logout/")

    logs = audit.logs("login", "logout")
    assert events(logs) == [("login", "success", viewer.username), ("logout", "", viewer.username)]
    assert {item.user_name for item in logs} == {viewer.username}


@pytest.mark.parametrize("name", ["nobody", "n" * 600, "\U00010330" * 150, "x\u202ey", " ", ""])
def test_failed_sign_in_is_a_log_with_the_typed_name(audit: Trail, name: str) -> None:
    Client().post(LOGIN, {"username": name, "password": "a wrong password"})
    if not name.strip():
        assert audit.logs("login") == []  # an empty form is no attempt
        return
    log = audit.log("login")
    assert (log.sub_type, log.user_id) == ("failed", "0")
    assert log.user_name
    assert len(log.user_name) <= 200
    assert log.user_name[:40] == name[:40]


def test_sign_in_of_a_user_who_is_not_staff_failed(audit: Trail, stranger: User) -> None:
    sign_in(stranger.username, PASSWORD)
    log = audit.log("login")
    assert (log.sub_type, log.user_id, log.user_name) == ("failed", "0", stranger.username)


def test_throttled_sign_in_is_a_log(audit: Trail, settings: Settings) -> None:
    settings.LOGSITE_SIGN_IN_FAILURES = 1
    name = f"nobody-{uuid4().hex}"
    assert [sign_in(name, "wrong")[1] for _ in range(2)] == [200, 429]
    assert [log.sub_type for log in audit.logs("login")] == ["failed", "throttled"]


def test_filtered_page_is_a_log(audit: Trail, viewer: User) -> None:
    client = client_of(viewer)
    client.get(LISTING)
    client.get(f"{LISTING}?order=oldest&limit=25")
    client.get(f"{LISTING}?account_id=7&sub_type=password&limit=25")

    log = audit.log("search")
    assert (log.sub_type, log.user_id) == ("page", viewer.username)
    assert log.url == f"{LISTING}?account_id=7&sub_type=password"
    assert (log.summary or "").startswith("Logs of account 7")


def test_page_around_a_log_is_a_log(audit: Trail, viewer: User) -> None:
    store([make_item(1)])
    client_of(viewer).get(f"{LISTING}?around={LOG}")
    assert audit.log("search").url == f"{LISTING}?around={LOG}"


def test_invalid_filter_is_no_search(audit: Trail, viewer: User) -> None:
    assert client_of(viewer).get(f"{LISTING}?from=never").status_code == 400
    assert audit.logs("search") == []


def test_page_that_cannot_be_read_is_no_search(audit: Trail, viewer: User) -> None:
    client = client_of(viewer)
    with proxied(lambda operation: "AccessDeniedException" if operation == "Query" else None):
        assert client.get(f"{LISTING}?account_id=7").status_code == 503
    assert audit.logs("search") == []


def test_api_list_names_the_token(audit: Trail) -> None:
    fetch(program(tokens.create("reports")))
    tokens.revoke("reports")
    log = audit.log("search")
    assert (log.sub_type, log.user_id, log.user_name) == ("api", "token:reports", "API token reports")
    assert log.url == LOGS


def test_api_page_of_whole_logs_is_marked(audit: Trail) -> None:
    fetch(program(tokens.create("whole")), f"{LOGS}?include=payload&type=login")
    tokens.revoke("whole")
    assert audit.log("search").url == f"{LOGS}?include=payload&type=login"


def test_api_counts_are_a_log(audit: Trail) -> None:
    fetch(program(tokens.create("counts")), f"{LOGS}/counts?type=login")
    tokens.revoke("counts")
    log = audit.log("search")
    assert (log.sub_type, log.url) == ("api", f"{LOGS}/counts?type=login")


def test_api_list_of_a_session_names_the_user(audit: Trail, viewer: User) -> None:
    fetch(client_of(viewer), f"{LOGS}?type=login")
    log = audit.log("search")
    assert (log.sub_type, log.user_id, log.url) == ("api", viewer.username, f"{LOGS}?type=login")


@pytest.mark.parametrize(
    ("address", "sub_type"),
    [
        (f"{LISTING}{LOG}/change/?_changelist_filters=q%3Dprivate", "page"),
        (f"{LISTING}{LOG}/timelines/", "timelines"),
        (f"{LISTING}{LOG}/json/", "file"),
        (f"{LOGS}/{LOG}", "api"),
        (f"{LOGS}?q={LOG}", "api"),
    ],
)
def test_opened_log_is_a_log_about_it(audit: Trail, viewer: User, address: str, sub_type: str) -> None:
    store([make_item(1)])
    assert client_of(viewer).get(address).status_code == 200
    log = audit.log("view")
    assert (log.sub_type, log.user_id, log.object_type, log.object_id) == (
        *(sub_type, viewer.username),
        *("log", LOG),
    )
    assert log.url == address.partition("?")[0]


def test_missing_log_was_not_opened(audit: Trail, viewer: User) -> None:
    assert client_of(viewer).get(f"{LISTING}{LOG}/change/").status_code == 404
    assert audit.logs("view") == []


def test_export_is_a_log(audit: Trail, viewer: User) -> None:
    client_of(viewer).get(f"{LISTING}export/?format=csv&type=login")
    log = audit.log("export")
    assert (log.sub_type, log.user_id, log.url) == (
        *("csv", viewer.username),
        f"{LISTING}export/?type=login",
    )


def test_download_of_an_export_is_a_log(
    audit: Trail, viewer: User, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGS_EXPORTS_FOLDER", str(tmp_path))
    settings.LOGS_EXPORT_ROWS = 1
    store(make_item(number) for number in range(2))
    client = client_of(viewer)
    page = client.post(f"{LISTING}export/", {"format": "json", "columns": "all"}).headers["Location"]
    wait_until(lambda: b"Done" in client.get(page).content, "the export is done")
    client.get(f"{page}file/").close()
    begun, downloaded = audit.logs("export")
    assert events([begun, downloaded]) == [
        ("export", "json", viewer.username),
        ("export", "downloaded", viewer.username),
    ]
    assert (downloaded.object_type, downloaded.object_id) == ("export", page.split("/")[-2])
    assert downloaded.summary == "Downloaded the export logs.json.gz"
    empty_exports_table()


def test_deleted_log_is_a_log(audit: Trail) -> None:
    store([make_item(1)])
    manage("delete_log", LOG, "--noinput")
    log = audit.log("log")
    assert (log.sub_type, log.user_id, log.object_type, log.object_id) == ("deleted", "0", "log", LOG)
    assert (log.user_name or "").endswith("command line)")
    assert log.request_id is None


def test_created_and_revoked_tokens_are_logs(audit: Trail) -> None:
    manage("create_api_token", "reports")
    manage("revoke_api_token", "reports")
    logs = audit.logs("token")
    assert [(log.sub_type, log.object_id) for log in logs] == [("created", "reports"), ("revoked", "reports")]


def test_refused_token_commands_are_no_logs(audit: Trail) -> None:
    assert not tokens.revoke("missing")
    with pytest.raises(tokens.InvalidTokenName):
        tokens.create("NO")
    assert audit.logs("token") == []


def test_changes_of_a_user_are_logs(audit: Trail) -> None:
    user = make_user("changed", is_staff=True)
    manage("deactivate_user", user.username)
    user = User.objects.get(username=user.username)
    user.email = "new@example.com"
    user.set_password(NEW_PASSWORD)
    user.save()
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    user.delete()

    logs = audit.logs("user")
    assert [log.sub_type for log in logs] == ["created", "changed", "changed", "password", "deleted"]
    assert {(log.object_type, log.object_id) for log in logs} == {("user", user.username)}
    assert [log.summary for log in logs[1:3]] == [
        f"Changed is_active of the user {user.username}",
        f"Changed email, password of the user {user.username}",
    ]


def test_password_page_is_a_log_of_the_user(audit: Trail, viewer: User) -> None:
    passwords = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    response = client_of(viewer).post("/admin/password_change/", {"old_password": PASSWORD, **passwords})
    assert response.status_code == 302
    log = audit.logs("user")[-1]
    assert (log.sub_type, log.user_id, log.object_id) == ("password", viewer.username, viewer.username)


def test_upgraded_hash_is_no_changed_password(audit: Trail, viewer: User, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    sign_in(viewer.username, PASSWORD)
    assert User.objects.get(username=viewer.username).password.startswith("pbkdf2")
    assert [log.sub_type for log in audit.logs("user")] == ["created"]


def test_logs_of_a_request_share_address_browser_and_id(audit: Trail) -> None:
    context = {"requestId": "c6af9ac6-7b61", "identity": {"sourceIp": "203.0.113.7"}}
    environ: Any = {"lambda.event": {"requestContext": context}, "lambda.context": SimpleNamespace()}
    form = {"username": "nobody", "password": "wrong"}
    Client(headers={"user-agent": "x" * 900}).post(LOGIN, form, **environ)

    log = audit.log("login")
    assert (log.submitter_ip, log.request_id) == ("203.0.113.7", "c6af9ac6-7b61")
    assert log.submitter_agent == f"{'x' * 199}…"


@pytest.mark.parametrize("text", ["x" * 999, "\x00", "\x01\x1b[2J\x7f\x9b", "\u202e\u200b", " ", "\ufffe"])
def test_hostile_request_becomes_no_dead_letter(audit: Trail, text: str) -> None:
    context = {"requestId": text, "identity": {"sourceIp": text}}
    environ: Any = {"lambda.event": {"requestContext": context}, "lambda.context": SimpleNamespace()}
    form = {"username": f"a{text.replace(chr(0), '')}b", "password": "wrong"}
    Client(headers={"user-agent": text}).post(LOGIN, form, **environ)
    log = audit.log("login")
    assert log.submitter_ip is None
    assert len(log.request_id or "") == 32 or log.request_id == text


def test_request_without_gateway_has_an_id(audit: Trail, viewer: User) -> None:
    client = client_of(viewer)
    client.get(f"{LISTING}?account_id=1", headers={"x-request-id": "forged"})
    client.get(f"{LISTING}?account_id=2")
    ids = [log.request_id or "" for log in audit.logs("search")]
    assert [len(each) for each in ids] == [32, 32]
    assert len(set(ids)) == 2
    assert {ip_address(log.submitter_ip or "") for log in audit.logs("search")} == {ip_address("127.0.0.1")}


ACTIONS: dict[str, Callable[[Client, str], object]] = {
    "login": lambda client, name: sign_in(name, PASSWORD),
    "logout": lambda client, name: client.post("/admin/logout/"),
    "search": lambda client, name: client.get(f"{LISTING}?account_id=7"),
    "view": lambda client, name: client.get(f"{LISTING}{LOG}/change/"),
    "export": lambda client, name: client.get(f"{LISTING}export/?format=ndjson"),
    "token": lambda client, name: tokens.create(f"test-{uuid4().hex}"),
    "user": lambda client, name: manage("deactivate_user", name),
    "log": lambda client, name: manage("delete_log", LOG, "--noinput"),
}


@pytest.mark.parametrize("kind", ACTIONS)
def test_superuser_reads_each_event_and_a_viewer_none(audit: Trail, settings: Settings, kind: str) -> None:
    settings.LOGSITE_AUDIT = False
    store([make_item(1)])
    clients = [client_of(make_user("superuser", is_staff=True, is_superuser=True))]
    clients += [client_of(make_user("viewer", is_staff=True, permissions={"logs.view_log"}))]
    user = make_user("actor", is_staff=True, permissions={"logs.view_log"})
    actor = client_of(user)
    settings.LOGSITE_AUDIT = True
    ACTIONS[kind](actor, user.username)
    settings.LOGSITE_AUDIT = False

    log_id = audit.log(kind).id
    addresses = ["", f"?type={kind}", f"?around={log_id}", "export/?format=csv"]
    addresses += [f"{log_id}/{page}/" for page in ("change", "timelines", "json")]
    superuser, viewer = (["_logsite" in text(client, address) for address in addresses] for client in clients)
    assert superuser == [True] * len(addresses)
    assert viewer == [False] * len(addresses)
    assert [client.get(f"{LOGS}/{log_id}").status_code for client in (*clients, program())] == [200, 404, 404]


def text(client: Client, address: str) -> str:
    """Return the response to an address below the listing, empty if it is an error."""
    response = client.get(LISTING + address)
    return response.getvalue().decode() if response.status_code == 200 else ""
