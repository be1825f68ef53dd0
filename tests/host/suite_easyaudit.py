"""django-easy-audit in a host project: its events are logs. tests/test_capture.py runs these tests."""

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import AsyncClient, Client, override_settings
from easyaudit.models import CRUDEvent, LoginEvent, RequestEvent

import ingest.django
from tests.host.capture import PASSWORD, Log, logs, make_user, of_type, subset, user_id
from tests.host.shop.models import ApiToken, Invoice, Tag

__all__ = ["logs"]  # a fixture
pytestmark = pytest.mark.django_db(transaction=True)


def test_saved_model_is_a_log_with_its_context(logs: list[Log]) -> None:
    key = make_user(logs).get("/create?page=2").content.decode()

    request, created, updated = logs
    expected = {
        "account_id": 0,
        "user_id": user_id(),
        "submitter_id": user_id(),
        "submitter_ip": "203.0.113.7",
        "request_id": "of-ann",
        "url": "/create?page=2",
    }
    changed = {
        "user_name": "ann",
        "sub_type": "shop.invoice",
        "object_type": "shop.invoice",
        "object_id": key,
        "object_name": "Invoice 4711",
    }
    assert expected.items() <= request.items()
    assert (request["type"], request["sub_type"]) == ("request", "GET")
    assert (expected | changed).items() <= created.items()
    assert (expected | changed).items() <= updated.items()
    assert (created["type"], updated["type"]) == ("create", "update")
    assert created["payload"]["changes"] == {
        "number": [None, "4711"],
        "total": [None, 10],
        "account": [None, 0],
    }
    assert updated["payload"]["changes"].keys() == {"total"}
    assert not CRUDEvent.objects.exists()
    assert not RequestEvent.objects.exists()


def test_new_request_id_is_shared_with_the_request_log(logs: list[Log]) -> None:
    Client().get("/create/é")
    assert [log["type"] for log in logs] == ["request", "create", "update"]
    assert {log["url"] for log in logs} == {"/create/%C3%A9"}
    assert len({log["request_id"] for log in logs}) == 1


def test_async_request_has_one_request_id(logs: list[Log]) -> None:
    async def get() -> None:
        await AsyncClient().get("/acreate?page=2")

    asyncio.run(get())
    request, created = logs
    assert (request["url"], created["type"]) == ("/acreate?page=2", "create")
    assert request["request_id"] == created["request_id"]


@override_settings(MIDDLEWARE=["easyaudit.middleware.easyaudit.EasyAuditMiddleware"], LOGS_IP="truncated")
def test_context_comes_from_its_own_middleware_too(logs: list[Log]) -> None:
    Client(REMOTE_ADDR="203.0.113.7").get("/create")
    assert {log["submitter_ip"] for log in logs} == {"203.0.113.0"}
    assert len({log["request_id"] for log in logs}) == 1


def test_deleted_model_is_a_log(logs: list[Log]) -> None:
    invoice = Invoice.objects.create(number="4711", note="x")
    key = str(invoice.pk)
    logs.clear()
    invoice.delete()
    [log] = logs
    assert subset(log, "type", "object_id", "object_name", "user_id") == {
        "type": "delete",
        "object_id": key,
        "object_name": "Invoice 4711",
        "user_id": 0,
    }
    assert log["payload"]["changes"]["note"] == ["x", None]


def test_relation_is_a_log(logs: list[Log]) -> None:
    client = make_user(logs)
    invoice = Invoice.objects.create(number="4711")
    logs.clear()
    client.get("/tag")
    red, blue = Tag.objects.order_by("pk").values_list("pk", flat=True)
    updates = of_type(logs, "update")
    assert {(log["object_id"], log["user_name"]) for log in updates} == {(str(invoice.pk), "ann")}
    assert [log["payload"]["changes"] for log in updates] == [
        {"tags": [[], [red, blue]]},
        {"tags": [[red], []]},
        {},
    ]
    assert updates[-1]["summary"] == "A relation was cleared."


def test_rolled_back_change_is_no_log(logs: list[Log]) -> None:
    make_user(logs).get("/fail")
    assert [log["type"] for log in logs] == ["request"]


@override_settings(TEST=True)
def test_event_inside_a_transaction_waits_for_the_commit(logs: list[Log]) -> None:
    """With this setting django-easy-audit does not wait itself."""
    with transaction.atomic():
        Invoice.objects.create(number="1")
        assert logs == []
        with transaction.atomic():
            Invoice.objects.create(number="2")
            transaction.set_rollback(True)
    assert [log["object_name"] for log in logs] == ["Invoice 1"]


def test_hidden_fields_stay_in_the_process(logs: list[Log]) -> None:
    user = User.objects.create_user("ann", password=PASSWORD)
    assert {"username", "is_active"} <= logs[0]["payload"]["changes"].keys()
    assert "password" not in logs[0]["payload"]["changes"]
    logs.clear()
    user.set_password("another sentence")
    user.save()
    user.save()
    assert [subset(log, "type", "payload", "summary") for log in logs] == [
        {"type": "update", "payload": {"changes": {}}, "summary": "Only hidden fields were changed."}
    ]


def test_secret_key_and_name_are_replaced(logs: list[Log]) -> None:
    ApiToken.objects.create(token="a-secret-token")
    [log] = logs
    assert (len(log["object_id"]), log.get("object_name")) == (64, None)


def test_login_is_one_log(logs: list[Log]) -> None:
    make_user(logs)
    client = Client(REMOTE_ADDR="203.0.113.7")
    assert client.post("/sign-in", {"username": "ann", "password": PASSWORD}).status_code == 200
    client.get("/sign-out")
    login, logout = [log for log in logs if log["type"] != "request"]
    expected = {"user_id": user_id(), "user_name": "ann", "submitter_ip": "203.0.113.7"}
    assert {"type": "login", "sub_type": "success", "url": "/sign-in", **expected}.items() <= login.items()
    assert {"type": "logout", "sub_type": "", "url": "/sign-out", **expected}.items() <= logout.items()
    assert not LoginEvent.objects.exists()


def test_failed_login_is_a_log_of_no_one(logs: list[Log]) -> None:
    Client().post("/sign-in", {"username": "root", "password": PASSWORD})
    [log] = of_type(logs, "login")
    assert subset(log, "sub_type", "user_id", "user_name", "submitter_ip") == {
        "sub_type": "failed",
        "user_id": 0,
        "user_name": "root",
        "submitter_ip": "127.0.0.1",
    }


def account_of(obj: object) -> Any:
    """Return the account of a changed object."""
    return obj.account if isinstance(obj, Invoice) else None


@override_settings(LOGS_CAPTURE_ACCOUNT=f"{__name__}.account_of")
def test_function_decides_the_account(logs: list[Log]) -> None:
    Invoice.objects.create(number="1", account=7)
    Tag.objects.create(name="red")
    assert [log["account_id"] for log in logs] == [7, 0]


def test_failing_client_breaks_no_request(
    logs: list[Log], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_user(logs)

    def fail() -> None:
        raise ValueError("LogClient needs a queue")

    monkeypatch.setattr(ingest.django, "client", fail)
    assert client.get("/create").status_code == 200
    assert client.post("/sign-in", {"username": "ann", "password": PASSWORD}).status_code == 200
    assert Invoice.objects.count() == 1
    assert "an event was not captured: ValueError: LogClient needs a queue" in caplog.text
