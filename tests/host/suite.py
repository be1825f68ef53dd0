"""The tests of the host project. tests/test_host_project.py runs them with its settings."""

import os
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils.functional import SimpleLazyObject

from ingest.sending.structures import MAX_ROWS
from ingest.testing import RecordingClient
from logs.models import LogItem
from logs.storage import view_items
from logs.storage.view_items import ViewsItem
from tests.dynamodb_calls import recorded_calls
from tests.factories import make_fields
from tests.items import make_item, store

pytestmark = pytest.mark.django_db

# `logs`, or the label that the project's settings choose.
[LABEL] = [config.label for config in apps.get_app_configs() if config.name == "logs"]


@pytest.fixture(autouse=True)
def _one_log(logs_table: None) -> None:
    store([make_item(account_id="7")])


def sign_in(*permissions: str, staff: bool = True) -> Client:
    user = User.objects.create_user("someone", password="secret", is_staff=staff)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]  # mypy uses the site's settings, not the host's
    return client


def test_table_name_comes_from_project_settings() -> None:
    assert LogItem.Meta.table_name == "HostLogs"
    assert LogItem.get(make_item().id)


def test_migrate_creates_the_permission_and_no_table() -> None:
    permissions = Permission.objects.filter(content_type__app_label=LABEL)
    assert {permission.codename for permission in permissions} == {
        "view_log",
        "replay_dead_letters",
        "share_views",
    }
    assert not [name for name in connection.introspection.table_names() if name.startswith((LABEL, "logs"))]


def test_makemigrations_finds_no_changes() -> None:
    call_command("makemigrations", "--check", "--dry-run", stdout=StringIO())


@pytest.mark.parametrize("admin", ["/office/", "/admin/"])
def test_listing_and_detail_appear_in_each_admin(admin: str) -> None:
    client = sign_in("view_log")
    index = client.get(admin).content.decode()
    assert f'href="{admin}{LABEL}/log/"' in index
    listing = client.get(f"{admin}{LABEL}/log/?account_id=7").content.decode()
    assert ">00:00:00<i>" in listing, "UTC in any time zone of the project"
    assert "Sunday, 1 November 2026" in listing
    assert f'href="{admin}"' in listing
    other = {"/office/": "/admin/", "/admin/": "/office/"}[admin]
    assert f'"{other}' not in listing
    detail = client.get(f"{admin}{LABEL}/log/{make_item().id}/change/").content.decode()
    assert "2026-11-01 00:00:00.000000" in detail
    assert f'href="{admin}{LABEL}/log/?account_id=7"' in detail
    timelines = client.get(f"{admin}{LABEL}/log/{make_item().id}/timelines/").content.decode()
    assert f'href="{admin}{LABEL}/log/{make_item().id}/change/"' in timelines


def test_labels_name_users_of_the_project() -> None:
    user = User.objects.create_user("zoe", first_name="Zoë", last_name="Müller")
    store([make_item(1, user_id=str(user.pk))])

    def labels(kind: str, ids: list[str]) -> dict[str, str]:
        users = User.objects.filter(pk__in=ids) if kind == "user" else []
        return {str(each.pk): each.get_full_name() for each in users}

    with override_settings(LOGS_LABELS=labels, LOGS_LINKS={"user_id": "https://shop.example/u/{user_id}"}):
        page = sign_in("view_log").get(f"/office/{LABEL}/log/{make_item(1).id}/change/").content.decode()
    assert f"user {user.pk} (Zoë Müller)" in page
    assert f'href="https://shop.example/u/{user.pk}"' in page


def test_saved_views_belong_to_users_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    client, listing = sign_in("view_log"), f"/office/{LABEL}/log/"
    form = {"query": "type=login&range=-2h", "name": "Logins", "start": "1"}
    saved = client.post(f"{listing}views/add/", form)
    assert saved.headers["Location"].endswith("&type=login&range=-2h")
    user = User.objects.get()
    assert {item.owner for item in ViewsItem.scan()} == {f"user#auth.User#{user.pk}"}
    with recorded_calls() as calls:
        assert client.get(listing).headers["Location"] == saved.headers["Location"]
    assert calls == [("BatchGetItem", None)]
    page = client.get(f"{listing}?all=1").content.decode()
    assert f'action="{listing}"' in page
    assert f'href="{listing}views/"' in page
    ViewsItem(f"user#auth.User#{user.pk}").delete()
    # Views are optional: without their table there are no tabs, and the table is not read again at once.
    monkeypatch.setattr(view_items._Pause, "end", 0)
    monkeypatch.setattr(ViewsItem.Meta, "table_name", "NoSuchTable")
    for requests in (["BatchGetItem", "Query"], ["Query"]):
        with recorded_calls() as calls:
            response = client.get(listing)
        assert [name for name, _ in calls] == requests
        assert response.status_code == 200
        assert "Saved views" not in response.content.decode()
    assert client.get(f"{listing}views/").status_code == 503
    monkeypatch.setattr(ViewsItem.Meta, "table_name", "")
    assert client.get(f"{listing}views/").status_code == 404


def test_listing_has_the_site_header() -> None:
    assert "Back office" in sign_in("view_log").get(f"/office/{LABEL}/log/").content.decode()


def test_listing_requires_view_permission() -> None:
    assert sign_in().get(f"/office/{LABEL}/log/").status_code == 403


def test_user_without_staff_status_is_redirected() -> None:
    assert sign_in(staff=False).get(f"/office/{LABEL}/log/").status_code == 302


@pytest.mark.parametrize("page", ["change", "json"])
@pytest.mark.parametrize("log_id", ["0" * 32, "nonsense"])
def test_missing_log_is_404_in_the_frame_of_its_admin(page: str, log_id: str) -> None:
    response = sign_in("view_log").get(f"/office/{LABEL}/log/{log_id}/{page}/")
    assert response.status_code == 404
    text = response.content.decode()
    assert "Back office" in text
    assert f'href="/office/{LABEL}/log/"' in text
    assert '"/admin/' not in text


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("page", ["", "export/", f"{'0' * 32}/change/"])
def test_too_many_parameters_are_400_in_the_frame(page: str, debug: bool) -> None:
    client = sign_in("view_log")
    client.raise_request_exception = False
    with override_settings(DEBUG=debug):
        response = client.get(f"/office/{LABEL}/log/{page}?{'a=1&' * 1001}")
        api_response = client.get(f"/logs-api/logs?{'a=1&' * 1001}")
    assert (response.status_code, api_response.status_code) == (400, 400)
    assert "Back office" in response.content.decode()
    for each in (response, api_response):
        assert "more than 1,000 parameters (DATA_UPLOAD_MAX_NUMBER_FIELDS)" in each.content.decode()


@override_settings(DEBUG=True)
def test_check_rejects_aws_in_debug_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_rejected() -> bool:
        return "logs.E001" in [message.id for message in run_checks()]

    assert not is_rejected()
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
        monkeypatch.delitem(os.environ, name, raising=False)
    assert is_rejected()
    monkeypatch.setitem(os.environ, "LOGS_ALLOW_AWS", "1")
    assert not is_rejected()


def test_api_uses_the_project_urls_and_users() -> None:
    [log] = sign_in("view_log").get("/logs-api/logs?account_id=7").json()["items"]
    assert log["created_at"] == "2026-11-01T00:00:00.000000+00:00"
    assert Client().get("/logs-api/logs").status_code == 401


def test_api_requires_view_permission() -> None:
    assert sign_in().get("/logs-api/logs").json()["error"]["code"] == "forbidden"


def sent(payload: object) -> Any:
    """Return a payload as the client would send it."""
    with RecordingClient() as client:
        client.enqueue(**make_fields(payload=payload))
    return client.logs[0]["payload"]


def test_query_set_is_sent_with_all_its_rows() -> None:
    Group.objects.bulk_create(Group(name=f"group {number}") for number in range(30))
    rows = sent(Group.objects.order_by("pk"))
    assert [row["text"] for row in rows] == [f"group {number}" for number in range(30)]
    names = [{"name": f"group {number}"} for number in range(30)]
    assert sent({"groups": Group.objects.order_by("pk").values("name")}) == {"groups": names}
    assert sent(Group.objects.order_by("pk").values_list("name", named=True)) == names
    assert sent(Group.objects.order_by("pk").values_list("name", flat=True)[:2]) == ["group 0", "group 1"]


def test_large_query_set_is_read_in_part() -> None:
    Group.objects.bulk_create(Group(name=f"group {number}") for number in range(MAX_ROWS + 5))
    rows = Group.objects.order_by("pk").values_list("name", flat=True)
    with CaptureQueriesContext(connection) as queries:
        assert sent(rows)[MAX_ROWS - 1 :] == [f"group {MAX_ROWS - 1}", "(more rows are left out)"]
    assert [f"LIMIT {MAX_ROWS + 1}" in query["sql"] for query in queries] == [True]
    assert len(rows) == MAX_ROWS + 5
    with CaptureQueriesContext(connection) as queries:
        assert sent(rows)[MAX_ROWS:] == ["(5 more rows are left out)"]
    assert len(queries) == 0


def test_managers_and_raw_queries_are_sent_with_their_rows() -> None:
    groups: Any = Group.objects  # mypy uses the site's settings, where a group has no users
    group = groups.create(name="a")
    users = [User.objects.create_user(name) for name in ("anna", "ben")]
    group.user_set.set(users)
    anna, ben = ({"model": "auth.user", "pk": user.pk, "text": user.username} for user in users)
    prefetched = groups.prefetch_related("user_set").get()
    evaluated = User.objects.raw("SELECT * FROM auth_user ORDER BY id")
    assert len(evaluated) == 2
    for rows, number in (
        (group.user_set, 1),
        (User.objects, 1),
        (groups.get(user=users[0]).user_set, 1),
        (User.objects.raw("\n select * from auth_user WHERE id > %s ORDER BY id", [0]), 1),
        (prefetched.user_set, 0),
        (evaluated, 0),
    ):
        with CaptureQueriesContext(connection) as queries:
            assert sent({"rows": [rows]}) == {"rows": [[anna, ben]]}
        assert len(queries) == number


def test_large_raw_query_is_read_in_part() -> None:
    Group.objects.bulk_create(Group(name=f"group {number}") for number in range(MAX_ROWS + 5))
    rows = Group.objects.raw("SELECT * FROM auth_group ORDER BY id")
    assert sent(rows)[MAX_ROWS:] == sent(Group.objects)[MAX_ROWS:] == ["(more rows are left out)"]
    assert len(rows) == MAX_ROWS + 5
    assert sent(rows)[MAX_ROWS:] == ["(5 more rows are left out)"]


def test_raw_query_that_may_change_data_is_not_executed() -> None:
    group = Group.objects.create(name="a")
    sql = "UPDATE auth_group SET name = name || 'x' RETURNING *"
    with CaptureQueriesContext(connection) as queries:
        assert sent([Group.objects.raw(sql)]) == [f"<RawQuerySet: {sql}>"]
    assert len(queries) == 0
    group.refresh_from_db()
    assert group.name == "a"


def test_model_is_sent_without_its_fields() -> None:
    user = User.objects.create_user("someone", password="secret", email="someone@example.com")
    expected = {"model": "auth.user", "pk": user.pk, "text": "someone"}
    assert sent({"user": user, "lazy": SimpleLazyObject(lambda: user)}) == {
        "user": expected,
        "lazy": expected,
    }
    assert sent([User(username="new")]) == [{"model": "auth.user", "pk": None, "text": "new"}]
    assert user.password not in str(sent(User.objects.all()))


def test_query_set_that_cannot_be_read_is_harmless() -> None:
    rows = Group.objects.extra(where=["nonsense = 1"])
    with transaction.atomic():
        assert sent({"rows": rows, "rest": 1}) == {"rows": "(QuerySet, which has no text)", "rest": 1}
