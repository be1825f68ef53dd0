"""What each role may do: the requests of the code, and the requests of an attacker with the role."""

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from deploy import roles
from deploy.account import Account
from deploy.deployment import Deployment
from deploy.stage import ROOT, Stage
from ingest import handler
from logs.digests import handler as digests_handler
from logs.exports import handler as exports_handler
from logs.exports import launch
from logs.models import LogItem
from logs.pages import export as exports
from logs.storage import rejections
from logs.storage.digest_items import DigestItem
from logs.storage.export_items import ExportItem
from logs.storage.view_items import ViewsItem
from logsite.accounts.models import User
from logsite.accounts.store import SessionItem, TokenItem, UserItem
from tests.api import LOGS, fetch, program
from tests.conftest import PASSWORD
from tests.exports import OWNER, create, empty_exports_table, make_spec
from tests.factories import LOG_ID, make_body, make_event, make_record
from tests.iam import Request, allows, recorded_requests
from tests.lambda_context import LambdaContext
from tests.noise import noise

AWS = Account("123456789012", "eu-central-1", "aws", None)
SITE, WRITER, DIGESTS = "logsite-dev", "logsite-dev-writer", "logsite-dev-digests"
EXPORTS = "logsite-dev-exports"
TABLES = {
    LogItem.Meta.table_name: "logs",
    UserItem.Meta.table_name: "users",
    SessionItem.Meta.table_name: "sessions",
    TokenItem.Meta.table_name: "tokens",
    DigestItem.Meta.table_name: "digests",
    ViewsItem.Meta.table_name: "views",
    ExportItem.Meta.table_name: "exports",
}
NEW_PASSWORD = "another quiet sentence"


def statements(function: str) -> list[dict[str, Any]]:
    """Return the statements of a function's policy."""
    policies = roles.permission_policies(Deployment(Stage("dev"), AWS))
    policy_statements: list[dict[str, Any]] = policies[function]["Statement"]
    return policy_statements


def request(action: str, table: str, key: str = "", *attributes: str) -> Request:
    """Return a request for one key with these attributes."""
    return Request(f"dynamodb:{action}", table, frozenset([key] if key else []), frozenset(attributes))


def test_site_role_allows_every_request_of_the_site(
    viewer: User, logs_table: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGS_EXPORTS_FOLDER", str(tmp_path))
    monkeypatch.setattr(launch, "start", lambda owner, export_id: None)
    handler.lambda_handler(make_event(make_body(id=LOG_ID, payload=noise(900_000))), LambdaContext())
    token = program()
    client = Client()
    with recorded_requests(TABLES) as requests:
        form = {"username": viewer.username, "password": PASSWORD}
        assert client.post("/admin/login/", form).status_code == 302
        for address in ("", f"{LOG_ID}/change/", "?account_id=7", "?q=login"):
            assert client.get(f"/admin/logs/log/{address}").status_code == 200
        monkeypatch.setattr(exports, "MAX_BYTES", 1)
        export = client.post("/admin/logs/log/export/", {"format": "csv", "columns": "all"})
        assert client.get(export.headers["Location"]).status_code == 200
        assert client.post(f"{export.headers['Location']}cancel/").status_code == 302
        view = {"query": "type=login", "name": "Logins", "start": "1"}
        assert client.post("/admin/logs/log/views/add/", view).status_code == 302
        passwords = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
        change = client.post("/admin/password_change/", {"old_password": PASSWORD, **passwords})
        assert change.status_code == 302
        client.post("/admin/logout/")
        fetch(token, LOGS)
        fetch(token, f"{LOGS}/counts?fields=account_id")
    assert {each.table for each in requests} == set(TABLES.values())
    assert {each.action.split(":")[1] for each in requests} >= {"Query", "GetItem", "PutItem", "UpdateItem"}
    assert [each for each in requests if not allows(statements(SITE), each)] == []


def test_writer_role_allows_every_request_of_the_writer(logs_table: None) -> None:
    large = make_record(make_body(id=LOG_ID, payload=noise(900_000)))
    batch = [make_record(make_body(type="new", sub_type="kind")) for _ in range(3)]
    with recorded_requests(TABLES) as requests:
        for records in (batch, batch, [large], [large]):
            event = make_event(*records)
            assert handler.lambda_handler(event, LambdaContext()) == {"batchItemFailures": []}
        rejections.put(LOG_ID, "invalid_fields", ["type"])
    actions = {each.action.split(":")[1] for each in requests}
    assert actions >= {"PutItem", "UpdateItem", "BatchGetItem", "PartiQLInsert", "BatchWriteItem"}
    assert [each for each in requests if not allows(statements(WRITER), each)] == []


def test_builder_role_allows_every_request_of_the_builder(logs_table: None) -> None:
    large = make_record(make_body(id=LOG_ID, payload=noise(900_000)))
    handler.lambda_handler(make_event(large), LambdaContext())
    tables = {**TABLES, DigestItem.Meta.table_name: "digests"}
    with recorded_requests(tables) as requests:
        digests_handler.lambda_handler({}, LambdaContext())
    assert {each.table for each in requests} == {"logs", "digests"}
    assert [each for each in requests if not allows(statements(DIGESTS), each)] == []


def test_exports_role_allows_every_request_of_the_exports(
    logs_table: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler.lambda_handler(make_event(make_body(id=LOG_ID, payload=noise(900_000))), LambdaContext())
    monkeypatch.setenv("LOGS_EXPORTS_FOLDER", str(tmp_path))
    items = [create(make_spec()), create(make_spec(q="login")), create(make_spec(account_id=("7",)))]
    with recorded_requests(TABLES) as requests:
        for item in items:
            event = {"owner": OWNER, "export": item.id}
            assert exports_handler.lambda_handler(event, LambdaContext()) == {"outcome": "done"}
    assert {each.table for each in requests} == {"logs", "digests", "exports"}
    assert [each for each in requests if not allows(statements(EXPORTS), each)] == []
    empty_exports_table()


def test_runbook_names_every_permission_of_delete_log(logs_table: None) -> None:
    handler.lambda_handler(make_event(make_body(id=LOG_ID, payload=noise(900_000))), LambdaContext())
    digests_handler.lambda_handler({}, LambdaContext())
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    section = runbook.split("\n## Deleting confidential values\n")[1].split("\n## ")[0]
    permissions = {
        table: set(re.findall(r"`(dynamodb:\w+)`", cell))
        for table, cell in re.findall(r"^\| (logs|digests) \| (.+) \|$", section, re.MULTILINE)
    }
    with recorded_requests({**TABLES, DigestItem.Meta.table_name: "digests"}) as requests:
        call_command("delete_log", LOG_ID, interactive=False, stdout=StringIO())
    assert "dynamodb:DeleteItem" in {each.action for each in requests if each.table == "logs"}
    assert [each for each in requests if each.action not in permissions[each.table]] == []


@pytest.mark.parametrize(
    ("function", "attack"),
    [
        (SITE, request("UpdateItem", "users", "mallory", "username", "is_superuser")),
        (SITE, request("UpdateItem", "users", "mallory", "username", "password", "permissions")),
        (SITE, request("UpdateItem", "users", "mallory", "username", "is_active")),
        (SITE, request("PutItem", "users", "mallory", "username", "is_superuser")),
        (SITE, request("DeleteItem", "users", "root")),
        (SITE, request("Scan", "users")),
        (SITE, request("UpdateItem", "tokens", "reports", "name", "token_hash")),
        (SITE, request("UpdateItem", "tokens", "reports", "name", "expires_at")),
        (SITE, request("PutItem", "tokens", "reports", "name", "token_hash")),
        (SITE, request("DeleteItem", "tokens", "reports")),
        (SITE, request("Scan", "tokens")),
        (SITE, request("Scan", "sessions")),
        (SITE, request("PutItem", "logs", LOG_ID, "id")),
        (SITE, request("UpdateItem", "logs", LOG_ID, "id", "type")),
        (SITE, request("DeleteItem", "logs", LOG_ID)),
        (SITE, request("Scan", "logs")),
        (WRITER, request("DeleteItem", "logs", LOG_ID)),
        (WRITER, request("BatchWriteItem", "logs", LOG_ID)),
        (WRITER, request("UpdateItem", "logs", LOG_ID, "id", "type")),
        (WRITER, request("PartiQLUpdate", "logs", LOG_ID)),
        (WRITER, request("PartiQLDelete", "logs", LOG_ID)),
        (WRITER, request("PartiQLSelect", "logs", LOG_ID)),
        (WRITER, request("PartiQLInsert", "users", "root")),
        (WRITER, request("BatchWriteItem", "digests", "directory")),
        (WRITER, request("BatchWriteItem", "digests", "2026-11-25#1")),
        (WRITER, request("DeleteItem", "digests", "days")),
        (WRITER, request("GetItem", "digests", "days")),
        (WRITER, request("Query", "digests", "days")),
        (WRITER, request("Query", "logs")),
        (WRITER, request("Scan", "logs")),
        (WRITER, request("GetItem", "users", "root")),
        (WRITER, request("GetItem", "sessions", "s")),
        (WRITER, request("GetItem", "tokens", "reports")),
        (SITE, request("PutItem", "digests", "days", "partition")),
        (SITE, request("DeleteItem", "digests", "days")),
        (SITE, request("Scan", "digests")),
        (SITE, request("UpdateItem", "views", "another", "owner", "views")),
        (SITE, request("GetItem", "views", "another")),
        (SITE, request("PutItem", "views", "shared", "owner", "views")),
        (SITE, request("DeleteItem", "views", "shared")),
        (SITE, request("Query", "views", "shared")),
        (SITE, request("Scan", "views")),
        (WRITER, request("GetItem", "views", "shared")),
        (DIGESTS, request("GetItem", "views", "shared")),
        (DIGESTS, request("PutItem", "logs", LOG_ID, "id")),
        (DIGESTS, request("UpdateItem", "logs", LOG_ID, "id", "type")),
        (DIGESTS, request("DeleteItem", "logs", LOG_ID)),
        (DIGESTS, request("Scan", "logs")),
        (DIGESTS, request("Scan", "digests")),
        (DIGESTS, request("GetItem", "users", "root")),
        (DIGESTS, request("GetItem", "sessions", "s")),
        (DIGESTS, request("GetItem", "tokens", "reports")),
        (SITE, request("DeleteItem", "exports", "root")),
        (SITE, request("Scan", "exports")),
        (EXPORTS, request("PutItem", "logs", LOG_ID, "id")),
        (EXPORTS, request("Scan", "logs")),
        (EXPORTS, request("PutItem", "digests", "days", "partition")),
        (EXPORTS, request("PutItem", "exports", "root", "owner")),
        (EXPORTS, request("Query", "exports", "root")),
        (EXPORTS, request("Scan", "exports")),
        (EXPORTS, request("GetItem", "users", "root")),
        (EXPORTS, request("GetItem", "sessions", "s")),
        (EXPORTS, request("GetItem", "tokens", "reports")),
    ],
    ids=lambda value: f"{value.action.split(':')[1]}-{value.table}" if isinstance(value, Request) else value,
)
def test_role_denies(function: str, attack: Request) -> None:
    assert not allows(statements(function), attack)


def test_conditions_need_a_key_in_every_request() -> None:
    # ForAllValues allows a request without keys. Each of these actions requires a key.
    with_keys = {"GetItem", "UpdateItem", "BatchGetItem", "BatchWriteItem"}
    for function in (SITE, WRITER, DIGESTS, EXPORTS):
        for statement in statements(function):
            if "Condition" in statement:
                actions = statement["Action"]
                names = [actions] if isinstance(actions, str) else actions
                assert {name.split(":")[1] for name in names} <= with_keys, json.dumps(statement)


def test_key_is_used_through_its_services_only() -> None:
    key = "arn:aws:kms:eu-central-1:123456789012:key/1a"
    policies = roles.permission_policies(Deployment(Stage("dev"), AWS), key)
    hosts = {}
    for function, policy in policies.items():
        [statement] = [each for each in policy["Statement"] if each["Resource"] == key]
        assert all(action.startswith("kms:") and "*" not in action for action in statement["Action"])
        hosts[function] = statement["Condition"]["StringEquals"]["kms:ViaService"]
    dynamodb, sqs = "dynamodb.eu-central-1.amazonaws.com", "sqs.eu-central-1.amazonaws.com"
    s3 = "s3.eu-central-1.amazonaws.com"
    assert hosts == {
        SITE: [dynamodb, sqs, s3],
        WRITER: [dynamodb, sqs],
        DIGESTS: [dynamodb],
        EXPORTS: [dynamodb, s3],
    }
    assert "kms:" not in json.dumps([statements(each) for each in (SITE, WRITER, DIGESTS, EXPORTS)])


def test_api_gateway_is_trusted_for_this_account_only() -> None:
    for document in roles.trust_policies(Deployment(Stage("dev"), AWS)).values():
        [statement] = document["Statement"]
        assert statement["Condition"] == {"StringEqualsIfExists": {"aws:SourceAccount": "123456789012"}}


def test_only_an_emulator_has_a_permission_for_batches() -> None:
    emulator = Account("000000000000", "us-east-1", "aws", "http://127.0.0.1:4566")
    policies = {
        account: roles.permission_policies(Deployment(Stage("dev"), account)) for account in (AWS, emulator)
    }
    for action in ("sqs:SendMessageBatch", "dynamodb:BatchExecuteStatement"):
        batches = {account: action in json.dumps(policies[account]) for account in policies}
        assert batches == {AWS: False, emulator: True}
    assert "BatchExecuteStatement" not in json.dumps(policies[emulator][SITE])
