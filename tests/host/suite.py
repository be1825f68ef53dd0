"""The tests of the host project. tests/test_host_project.py runs them with its settings."""

import os
from io import StringIO

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings

from logs.models import LogItem
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
    assert [permission.codename for permission in permissions] == ["view_log"]
    assert not [name for name in connection.introspection.table_names() if name.startswith((LABEL, "logs"))]


def test_makemigrations_finds_no_changes() -> None:
    call_command("makemigrations", "--check", "--dry-run", stdout=StringIO())


@pytest.mark.parametrize("admin", ["/office/", "/admin/"])
def test_listing_and_detail_appear_in_each_admin(admin: str) -> None:
    client = sign_in("view_log")
    index = client.get(admin).content.decode()
    assert f'href="{admin}{LABEL}/log/"' in index
    listing = client.get(f"{admin}{LABEL}/log/?account_id=7").content.decode()
    assert "2026-11-01 <b>00:00:00</b>" in listing, "UTC in any time zone of the project"
    assert f'href="{admin}"' in listing
    other = {"/office/": "/admin/", "/admin/": "/office/"}[admin]
    assert f'"{other}' not in listing
    detail = client.get(f"{admin}{LABEL}/log/{make_item().id}/change/").content.decode()
    assert "2026-11-01 00:00:00.000000" in detail
    assert f'href="{admin}{LABEL}/log/?account_id=7"' in detail


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
