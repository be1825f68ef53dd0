"""From a message to an item and back, and the idempotent put."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest import messages
from ingest.writing import items
from logs import times
from logs.models import LogItem
from logs.storage import documents
from tests.factories import LOG_ID, SENT_AT, make_body, make_record
from tests.items import logs


def item_of(record: dict[str, Any] | None = None, **changes: Any) -> LogItem:
    record = record or make_record(make_body(**changes))
    return items.to_item(messages.parse(record["body"]), messages.envelope(record))


def put_and_get(item: LogItem) -> LogItem:
    """Put an item, and read it from the table."""
    assert items.put(item) is items.Outcome.WRITTEN
    return LogItem.get(item.id)


def test_every_field_is_stored(logs_table: None) -> None:
    fields: dict[str, Any] = {
        "account_id": "7",
        "user_id": "12",
        "type": "login",
        "sub_type": "password",
        "url": "/login?next=/",
        "submitter_id": "3",
        "submitter_country": "DE",
        "submitter_city": "Köln",
        "submitter_platform": "Linux",
        "submitter_browser": "Firefox",
        "submitter_agent": "Mozilla/5.0",
    }

    item = put_and_get(item_of(id=LOG_ID, created_at="2026-11-23T22:00:00+02:00", payload=None, **fields))

    assert {name: getattr(item, name) for name in fields} == fields
    assert item.id == LOG_ID
    assert item.created_at == datetime(2026, 11, 23, 20, tzinfo=UTC)
    assert item.received_at == SENT_AT
    assert item.account_type == "7#login"
    assert item.status == "OK"
    assert item.sender == "AIDAIENQZJOLO23YVJ4VO"
    assert {item.payload, item.payload_type, item.payload_size, item.document} == {None}


@pytest.mark.parametrize(
    "payload",
    ["", "a text", "[1]", "\x00 \ufffe", "é" * 50_000, {}, [], 0, False, 1e300, 10**300, {"a": ["ü" * 2000]}],
)
def test_payload_is_read_unchanged(logs_table: None, payload: Any) -> None:
    item = put_and_get(item_of(payload=payload))

    content = documents.content(item)
    assert content.payload == payload
    assert type(content.payload) is type(payload)
    assert item.payload_size == len((content.payload_text or "").encode())


def test_payload_over_the_threshold_is_compressed() -> None:
    short, long = item_of(payload="x" * 512), item_of(payload="x" * 513)

    assert short.payload == "x" * 512
    assert short.document is None
    assert long.payload is None
    assert len(long.document) < 100


@pytest.mark.parametrize("name", ["submitter_id", "sub_type", "url", "submitter_city", "submitter_agent"])
@pytest.mark.parametrize("text", ["/" * 1025, "é" * 200_000, "a" + "😀" * 300])
def test_long_text_is_truncated_and_whole_in_document(logs_table: None, name: str, text: str) -> None:
    changes: dict[str, Any] = {name: text}
    item = put_and_get(item_of(**changes))

    truncated = getattr(item, name)
    assert truncated.endswith("…")
    assert text.startswith(truncated[:-1])
    assert 1020 < len(truncated.encode()) <= 1024
    assert documents.content(item).fields[name] == text


def test_text_of_1024_bytes_is_not_truncated() -> None:
    assert item_of(url="/" * 1024).url == "/" * 1024


def test_unknown_fields_become_extra(logs_table: None) -> None:
    item = put_and_get(item_of(status="EVIL", expires_at=1, sender="me", document="x", deep={"a": [1.5]}))

    assert (item.status, item.sender) == ("OK", "AIDAIENQZJOLO23YVJ4VO")
    assert item.expires_at is None
    assert documents.content(item).extra == {
        "status": "EVIL",
        "expires_at": 1,
        "sender": "me",
        "document": "x",
        "deep": {"a": [1.5]},
    }


def test_missing_identity_comes_from_sqs() -> None:
    record = make_record()

    item = item_of(record)

    assert item.id == messages.envelope(record).log_id
    assert item.created_at == item.received_at == SENT_AT


def test_identity_of_the_body_takes_precedence() -> None:
    record = make_record(
        make_body(id=LOG_ID, created_at="2026-01-01"),
        attributes={"log-id": "f" * 32, "log-sent-at": "2026-02-02T00:00:00+00:00"},
    )

    item = item_of(record)

    assert item.id == LOG_ID
    assert item.created_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert item.received_at == SENT_AT


@pytest.mark.parametrize("sent_at", ["1970-01-01T00:00:00+00:00", "2026-11-10T00:00:00+00:00"])
def test_first_time_never_expires_a_log(sent_at: str) -> None:
    record = make_record(attributes={"log-sent-at": sent_at})

    item = items.to_item(
        messages.parse(record["body"]), messages.envelope(record), retention=timedelta(days=1)
    )

    assert item.received_at == SENT_AT
    assert item.expires_at == SENT_AT.replace(microsecond=0) + timedelta(days=1)


def test_redriven_copy_of_a_stored_log_is_a_duplicate(logs_table: None) -> None:
    first = make_record()
    items.put(item_of(first))
    attributes = {"log-id": messages.envelope(first).log_id, "log-sent-at": SENT_AT.isoformat()}

    redriven = make_record(first["body"], attributes=attributes, sent_at=SENT_AT + timedelta(days=13))

    assert item_of(redriven).created_at == SENT_AT
    assert items.put(item_of(redriven)) is items.Outcome.DUPLICATE


def test_time_far_ahead_is_replaced_by_the_time_of_sqs(logs_table: None) -> None:
    ahead = SENT_AT + timedelta(minutes=15, microseconds=1)

    item = put_and_get(item_of(created_at=ahead.isoformat()))

    assert item.created_at == SENT_AT
    assert documents.content(item).sent_created_at == times.to_text(ahead)


@pytest.mark.parametrize("ahead", [timedelta(minutes=15), timedelta(days=-9000)])
def test_time_slightly_ahead_or_far_behind_is_accepted(ahead: timedelta) -> None:
    item = item_of(created_at=(SENT_AT + ahead).isoformat())

    assert item.created_at == SENT_AT + ahead
    assert item.document is None


def test_redelivered_message_is_a_duplicate(logs_table: None) -> None:
    record = make_record(make_body(payload={"a": 1}, extra="x", url="/" * 3000))

    first = items.put(item_of(record))
    again = items.put(item_of(record))

    assert (first, again) == (items.Outcome.WRITTEN, items.Outcome.DUPLICATE)
    assert len(logs()) == 1


@pytest.mark.parametrize("created_at", [..., "2026-11-23T20:00:00+00:00", "2026-12-24T22:44:00+00:00"])
def test_log_sent_twice_is_a_duplicate(logs_table: None, created_at: Any) -> None:
    """Two SQS messages with different times, senders and orders of their JSON keys."""
    one = make_body(id=LOG_ID, created_at=created_at, payload={"a": 1, "b": 2})
    two = make_body(payload={"b": 2, "a": 1}, created_at=created_at, id=LOG_ID.upper())
    items.put(item_of(make_record(one)))

    later = make_record(two, sent_at=SENT_AT + timedelta(days=30))
    later["attributes"]["SenderId"] = "another"

    assert items.put(item_of(later)) is items.Outcome.DUPLICATE


@pytest.mark.parametrize(
    "change",
    [
        {"payload": {"a": 1.0}},
        {"payload": {"a": True}},
        {"payload": '{"a":1}'},
        {"payload": None},
        {"url": "/other"},
        {"account_id": 8},
        {"created_at": "2026-11-23T20:00:00.000001+00:00"},
        {"created_at": ...},
        {"submitter_agent": "x"},
        {"more": 1},
    ],
)
def test_other_content_with_the_same_id_is_a_conflict(logs_table: None, change: dict[str, Any]) -> None:
    same: dict[str, Any] = {"id": LOG_ID, "payload": {"a": 1}, "created_at": "2026-11-23T20:00:00+00:00"}
    first = put_and_get(item_of(**same))

    with pytest.raises(items.IdConflict) as caught:
        items.put(item_of(**{**same, **change}))

    assert (caught.value.code, caught.value.log_id) == ("id_conflict", LOG_ID)
    assert documents.content(LogItem.get(LOG_ID)) == documents.content(first)


def test_conflict_at_the_end_of_a_long_text_is_detected(logs_table: None) -> None:
    items.put(item_of(id=LOG_ID, url="/" * 3000 + "a"))

    with pytest.raises(items.IdConflict):
        items.put(item_of(id=LOG_ID, url="/" * 3000 + "b"))
