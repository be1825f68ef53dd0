"""django-auditlog in a host project: its changes are logs. tests/test_capture.py runs these tests."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from auditlog.context import set_actor
from auditlog.models import LogEntry
from auditlog.signals import accessed
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.test import AsyncClient, Client, override_settings

import ingest.django
from ingest.capture import changes
from ingest.capture.auth import receivers
from tests.host.capture import PASSWORD, Log, logs, make_user, of_type, subset, user_id
from tests.host.shop.models import ApiToken, Invoice, ProxyInvoice

__all__ = ["logs"]  # a fixture
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])


def test_saved_model_is_a_log_with_its_context(logs: list[Log]) -> None:
    key = make_user(logs).get("/create").content.decode()

    created, updated = logs
    expected = {
        "account_id": 0,
        "user_id": user_id(),
        "user_name": "ann",
        "submitter_id": user_id(),
        "submitter_ip": "203.0.113.7",
        "request_id": "of-ann",
        "url": "/create",
        "sub_type": "shop.invoice",
        "object_type": "shop.invoice",
        "object_id": key,
        "object_name": "Invoice 4711",
    }
    assert expected.items() <= created.items()
    assert expected.items() <= updated.items()
    assert (created["type"], updated["type"]) == ("create", "update")
    assert created["payload"] == {
        "changes": {
            "id": [None, key],
            "number": [None, "4711"],
            "total": [None, "10"],
            "account": [None, "0"],
        }
    }
    assert updated["payload"] == {"changes": {"total": ["10", "12"]}}
    assert LogEntry.objects.count() > 2


def test_deleted_model_is_a_log(logs: list[Log]) -> None:
    invoice = Invoice.objects.create(number="4711", note="x")
    key = str(invoice.pk)
    logs.clear()
    invoice.delete()
    [log] = logs
    assert subset(log, "type", "object_id", "object_name", "user_id", "submitter_ip") == {
        "type": "delete",
        "object_id": key,
        "object_name": "Invoice 4711",
        "user_id": 0,
        "submitter_ip": None,
    }
    assert log["payload"]["changes"]["note"] == ["x", None]


def test_missing_value_is_none_and_not_a_text(logs: list[Log]) -> None:
    invoice = Invoice.objects.create(number="None")
    logs.clear()
    invoice.note = "x"
    invoice.number = "1"
    invoice.save()
    assert logs[0]["payload"]["changes"] == {"number": ["None", "1"], "note": [None, "x"]}


def test_relation_is_a_log(logs: list[Log]) -> None:
    client = make_user(logs)
    invoice = Invoice.objects.create(number="4711")
    client.get("/tag")
    relations = [log for log in logs if "tags" in log["payload"]["changes"]]
    assert [log["payload"]["changes"]["tags"] for log in relations][:2] == [
        [[], ["red", "blue"]],
        [["red"], []],
    ]
    assert {(log["type"], log["object_id"], log["user_name"]) for log in relations} == {
        ("update", str(invoice.pk), "ann")
    }


def test_access_is_a_log(logs: list[Log]) -> None:
    invoice = Invoice.objects.create(number="4711")
    logs.clear()
    accessed.send(Invoice, instance=invoice)
    assert subset(logs[0], "type", "object_id", "payload") == {
        "type": "access",
        "object_id": str(invoice.pk),
        "payload": None,
    }


def test_rolled_back_change_is_no_log(logs: list[Log]) -> None:
    make_user(logs).get("/fail")
    assert logs == []


def test_log_waits_for_the_commit(logs: list[Log]) -> None:
    with transaction.atomic():
        Invoice.objects.create(number="1")
        with transaction.atomic():
            Invoice.objects.create(number="2")
            transaction.set_rollback(True)
        assert logs == []
    assert [log["object_name"] for log in logs] == ["Invoice 1"]
    Invoice.objects.create(number="3")
    assert len(logs) == 2


def test_log_waits_for_its_own_database(logs: list[Log]) -> None:
    with transaction.atomic(using="other"):
        Invoice.objects.using("other").create(number="1")
        with transaction.atomic():
            Invoice.objects.create(number="2")
        assert [log["object_name"] for log in logs] == ["Invoice 2"]
    assert [log["object_name"] for log in logs] == ["Invoice 2", "Invoice 1"]


def test_hidden_fields_stay_in_the_process(logs: list[Log]) -> None:
    user = User.objects.create_user("ann", password=PASSWORD)
    invoice = Invoice.objects.create(number="1", api_token="a-secret-token")
    assert "api_token" not in logs[-1]["payload"]["changes"]
    logs.clear()

    user.set_password("another sentence")
    user.save()
    invoice.api_token = "a-secret-token-2"
    invoice.save()

    assert [subset(log, "type", "payload", "summary") for log in logs] == [
        {"type": "update", "payload": {"changes": {}}, "summary": "Only hidden fields were changed."}
    ] * 2


def test_secret_key_and_name_are_replaced(logs: list[Log]) -> None:
    ApiToken.objects.create(token="a-secret-token")
    Invoice.objects.create(number="a-secret-token", api_token="a-secret-token")
    token, invoice = logs
    assert (len(token["object_id"]), token.get("object_name")) == (64, None)
    assert invoice.get("object_name") is None
    del invoice["payload"]  # an application that copies a secret into another field


@override_settings(LOGS_CAPTURE_HIDE=["number"])
def test_setting_names_other_hidden_fields(logs: list[Log]) -> None:
    Invoice.objects.create(number="4711", api_token="visible")
    assert logs[0]["payload"]["changes"].keys() == {"id", "total", "api_token", "account"}


@pytest.mark.parametrize("value", ["password", [1], None])
def test_invalid_list_of_hidden_fields_is_refused(value: Any) -> None:
    with (
        override_settings(LOGS_CAPTURE_HIDE=value),
        pytest.raises(ImproperlyConfigured, match="LOGS_CAPTURE_HIDE"),
    ):
        changes.hidden_fields()


def test_long_or_unprintable_key_becomes_a_digest() -> None:
    keys = ["x" * 201, "a\nb", " a", "é" * 101]
    ids = [changes.object_fields(Invoice, key, "", {})["object_id"] for key in keys]
    assert {len(each) for each in ids} == {64}
    assert len(set(ids)) == 4
    assert changes.object_fields(Invoice, "x" * 200, "", {})["object_id"] == "x" * 200


@pytest.mark.parametrize(
    ("name", "is_hidden"),
    [
        ("password", True),
        ("API_Token", True),
        ("token_hash", True),
        ("tokens", True),
        ("last_login", True),
        ("last_login_ip", True),
        ("last", False),
        ("tokenizer", False),
        ("secretary", False),
    ],
)
def test_hidden_name_is_a_whole_word(name: str, is_hidden: bool) -> None:
    assert changes.is_hidden(name) is is_hidden


def test_proxy_model_is_its_concrete_model(logs: list[Log]) -> None:
    ProxyInvoice.objects.create(number="1")
    assert logs[0]["object_type"] == "shop.invoice"


def test_login_is_one_log(logs: list[Log]) -> None:
    make_user(logs)
    client = Client(REMOTE_ADDR="203.0.113.7")
    assert client.post("/sign-in", {"username": "ann", "password": PASSWORD}).status_code == 200
    client.get("/sign-out")
    client.get("/sign-out")
    login, logout = logs
    expected = {"user_id": user_id(), "user_name": "ann", "submitter_ip": "203.0.113.7"}
    assert {"type": "login", "sub_type": "success", "url": "/sign-in", **expected}.items() <= login.items()
    assert {"type": "logout", "sub_type": "", "url": "/sign-out", **expected}.items() <= logout.items()


def test_failed_login_is_a_log_of_no_one(logs: list[Log]) -> None:
    response = Client().post("/sign-in", {"username": "root" * 100, "password": PASSWORD})
    assert response.status_code == 403
    [log] = logs
    assert subset(log, "type", "sub_type", "user_id", "user_name", "submitter_ip", "url") == {
        "type": "login",
        "sub_type": "failed",
        "user_id": 0,
        "user_name": ("root" * 100)[:200],
        "submitter_ip": "127.0.0.1",
        "url": "/sign-in",
    }


def test_failed_login_is_sent_despite_a_rollback(logs: list[Log]) -> None:
    with transaction.atomic():
        receivers.send_failure(None, {"username": "root"})
        receivers.send_login(None, None, SimpleNamespace(pk=7))
        transaction.set_rollback(True)
    assert [log["sub_type"] for log in logs] == ["failed"]


def test_actor_without_a_request_is_the_user(logs: list[Log]) -> None:
    user = User.objects.create_user("ann")
    logs.clear()
    with set_actor(user):
        Invoice.objects.create(number="1")
    assert subset(logs[0], "user_id", "user_name") == {"user_id": user.pk, "user_name": "ann"}


def account_of(obj: object) -> Any:
    """Return the account of a changed object."""
    if isinstance(obj, Invoice) and obj.account == 13:
        raise ValueError("no such account")
    return obj.account if isinstance(obj, Invoice) else None


@override_settings(LOGS_CAPTURE_ACCOUNT=f"{__name__}.account_of")
def test_function_decides_the_account(logs: list[Log], caplog: pytest.LogCaptureFixture) -> None:
    Invoice.objects.create(number="1", account=7)
    make_user([])
    Invoice.objects.create(number="2", account=13)
    first, *_, last = logs
    assert (first["account_id"], last["account_id"]) == (7, 0)
    assert "LOGS_CAPTURE_ACCOUNT failed: ValueError: no such account" in caplog.text


def test_async_view_has_the_context(logs: list[Log]) -> None:
    client = make_user(logs)

    async def get() -> None:
        other = AsyncClient()
        other.cookies = client.cookies
        await other.get("/acreate", headers={"X-Request-ID": "r1"})

    asyncio.run(get())
    [log] = logs
    assert subset(log, "request_id", "url", "user_name") == {
        "request_id": "r1",
        "url": "/acreate",
        "user_name": "ann",
    }


def test_failing_client_breaks_no_request(
    logs: list[Log], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_user(logs)

    def fail() -> None:
        raise ValueError("LogClient needs a queue")

    monkeypatch.setattr(ingest.django, "client", fail)
    assert client.get("/create").status_code == 200
    assert client.get("/tag").status_code == 200
    assert client.post("/sign-in", {"username": "ann", "password": "wrong"}).status_code == 403
    assert Invoice.objects.count() == 1
    assert "an event was not captured: ValueError: LogClient needs a queue" in caplog.text


def test_sessions_and_own_rows_are_no_logs(logs: list[Log]) -> None:
    make_user([])
    assert not [log for log in logs if log.get("object_type", "").startswith(("sessions", "auditlog"))]
    assert of_type(logs, "create")


def test_check_names_a_missing_middleware() -> None:
    def is_reported() -> bool:
        return "logsite.W001" in [message.id for message in run_checks()]

    assert not is_reported()
    with override_settings(MIDDLEWARE=[]):
        assert is_reported()
