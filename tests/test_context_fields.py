"""The fields of a log's context: address, request, object, summary."""

import json
from typing import Any

import pytest

from ingest.handler import lambda_handler
from ingest.messages import InvalidMessage, LogMessage, validate
from ingest.wire.context_fields import MAX_ID_BYTES
from logs import reader
from logs.models import CONTEXT_FIELDS
from logs.storage import documents
from tests.factories import LOG_ID, NO_FAILURES, make_body, make_event, make_fields
from tests.items import logs
from tests.queues import Queues, attribute_texts

pytest_plugins = ["tests.sqs_server"]

EVERY_FIELD = {
    "summary": "status: draft → paid",
    "user_name": "Ann Lee",
    "account_name": "Acme, Inc.",
    "submitter_ip": "203.0.113.7",
    "request_id": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "object_type": "invoice",
    "object_id": "4711",
    "object_name": "Invoice 4711",
}


@pytest.mark.parametrize(
    ("field", "value", "stored"),
    [
        ("submitter_ip", "203.0.113.7", "203.0.113.7"),
        ("submitter_ip", " 2001:DB8:0:0::1 ", "2001:db8::1"),
        ("submitter_ip", "::ffff:203.0.113.7", "203.0.113.7"),
        ("submitter_ip", "fe80::1%eth0", "fe80::1"),
        ("submitter_ip", "", None),
        ("trace_id", "4BF92F3577B34DA6A3CE929D0E0E4736", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("trace_id", " ", None),
        ("request_id", " abc ", "abc"),
        ("request_id", "é" * (MAX_ID_BYTES // 2), "é" * (MAX_ID_BYTES // 2)),
        ("object_type", "billing.invoice", "billing.invoice"),
        ("object_id", 4711, "4711"),
        ("object_id", "a:b", "a:b"),
        ("object_id", "", None),
        ("object_name", " Invoice ", "Invoice"),
        ("user_name", "x" * 1000, "x" * 1000),
        ("summary", "→" * 160, "→" * 160),
        ("summary", None, None),
        ("user_id", "u" * 500, "u" * 500),
    ],
)
def test_field_is_normalized(field: str, value: Any, stored: str | None) -> None:
    assert getattr(validate(make_fields(**{field: value})), field) == stored


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("submitter_ip", "203.0.113.7:443", "must be an IPv4 or IPv6 address, without a port"),
        ("submitter_ip", "unknown", "must be an IPv4 or IPv6 address, without a port"),
        ("submitter_ip", "203.0.113.0/24", "must be an IPv4 or IPv6 address, without a port"),
        ("submitter_ip", 7, "must be a text"),
        ("trace_id", "0" * 32, "must be a trace id: 32 hex digits, not all of them 0"),
        ("trace_id", "4bf92f35", "must be a trace id: 32 hex digits, not all of them 0"),
        ("request_id", "é" * 101, "must have at most 200 bytes in UTF-8"),
        ("object_type", "a:b", "must not contain :"),
        ("object_type", "a\nb", "must not contain control characters"),
        ("object_type", "x" * 201, "must have at most 200 bytes in UTF-8"),
        ("object_id", 10**200, "must have at most 200 bytes in UTF-8"),
        ("object_id", " ", "must be a non-negative integer or a non-empty text"),
        ("object_id", True, "must be a non-negative integer or a non-empty text"),
        ("object_name", 7, "must be a text"),
        ("summary", "x" * 161, "must have at most 160 characters"),
        ("user_id", "u" * 501, "must have at most 500 bytes in UTF-8"),
        ("user_id", " ", "must be a non-negative integer or a non-empty text"),
        ("user_id", "a\0", "must not contain control characters"),
    ],
)
def test_invalid_field_is_named(field: str, value: Any, error: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        validate(make_fields(**{field: value}))
    assert caught.value.fields == {field: [error]}


def test_context_has_every_new_field() -> None:
    assert set(CONTEXT_FIELDS) == EVERY_FIELD.keys()
    assert EVERY_FIELD.keys() <= LogMessage.model_fields.keys()


@pytest.fixture
def queues(logs_table: None, queues: Queues) -> Queues:
    return queues


def write(body: str, *, log_id: str = LOG_ID) -> Any:
    assert lambda_handler(make_event(body), None) == NO_FAILURES
    item = reader.get(log_id)
    assert item
    return item


def test_log_has_its_context_and_keys(queues: Queues) -> None:
    item = write(make_body(id=LOG_ID, **EVERY_FIELD))

    assert {name: getattr(item, name) for name in CONTEXT_FIELDS} == EVERY_FIELD
    assert (item.user_key, item.object_key) == ("12", "invoice:4711")
    assert documents.content(item).fields.items() >= EVERY_FIELD.items()


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({"user_id": 0}, (None, None)),
        ({"object_type": "invoice"}, ("12", None)),
        ({"object_id": 7}, ("12", None)),
        ({"object_type": "a", "object_id": "b:c"}, ("12", "a:b:c")),
    ],
)
def test_log_is_in_the_sparse_indexes_it_belongs_to(
    queues: Queues, changes: dict[str, Any], keys: tuple[str | None, str | None]
) -> None:
    item = write(make_body(id=LOG_ID, **changes))

    assert (item.user_key, item.object_key) == keys


def test_long_names_are_whole_in_the_document(queues: Queues) -> None:
    names = dict.fromkeys(("user_name", "account_name", "object_name"), "é" * 500)

    item = write(make_body(id=LOG_ID, **names))

    for name, value in names.items():
        assert len(getattr(item, name).encode()) <= 200
        assert getattr(item, name).endswith("é…")
        assert documents.content(item).fields[name] == value


def test_summary_is_derived_from_the_payload(queues: Queues) -> None:
    item = write(make_body(id=LOG_ID, payload={"changes": {"status": ["draft", "paid"]}}))

    assert item.summary == "status: draft → paid"


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ({"summary": "a"}, {"summary": "a"}, None),
        ({}, {}, None),
        ({"summary": "an older derived summary"}, {}, None),
        ({"summary": "a"}, {"summary": "b"}, "id_conflict"),
        ({}, {"summary": "b"}, "id_conflict"),
        ({"user_name": "a"}, {"user_name": "b"}, "id_conflict"),
        ({"user_name": "a" * 300}, {"user_name": "a" * 299 + "b"}, "id_conflict"),
    ],
)
def test_derived_summary_is_no_conflict(
    queues: Queues, first: dict[str, Any], second: dict[str, Any], code: str | None
) -> None:
    write(make_body(id=LOG_ID, created_at="2026-11-23T22:44:00Z", **first))
    write(make_body(id=LOG_ID, created_at="2026-11-23T22:44:00Z", **second))

    assert len(logs()) == 1
    codes = [attribute_texts(each)["error-code"] for each in queues.dead_letters()]
    assert codes == ([code] if code else [])


def test_schema_accepts_every_new_field() -> None:
    schema = json.loads(json.dumps(LogMessage.model_json_schema()))
    assert EVERY_FIELD.keys() <= schema["properties"].keys()
