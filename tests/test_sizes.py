"""Messages of up to 1 MiB are stored whole, and fail no other message."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from ingest import messages
from ingest.handler import lambda_handler
from ingest.wire import sqs
from ingest.writing import items
from logs import reader
from logs.filters import LogFilter
from logs.models import LogItem, PartItem
from logs.plan import make_plan
from logs.reading.budget import Budget
from logs.storage import documents
from tests.factories import LOG_ID, NO_FAILURES, batch_item_failures, make_body, make_event, make_record
from tests.items import logs
from tests.noise import noise
from tests.queues import Queues, attribute_texts

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")

OTHER_ID = "f" * 32


def full_body(name: str, text: Callable[[int], str]) -> str:
    """Return a body of exactly 1 MiB, filled up in one field."""
    room = sqs.MAX_BYTES - len(make_body(id=LOG_ID, **{name: ""}))
    body = make_body(id=LOG_ID, **{name: text(room)})
    assert len(body) == sqs.MAX_BYTES
    return body


def values(content: documents.Content) -> dict[str, Any]:
    """Return every value of a log by its name in the message."""
    return {**content.fields, **content.extra, "payload": content.payload}


def whole_content(log_id: str = LOG_ID) -> documents.Content:
    item = reader.get(log_id)
    assert item
    assert item.damage is None
    return documents.content(item)


def part_ids() -> list[str]:
    return [item.id for item in PartItem.scan() if "#" in item.id]


def put(seed: int = 1, *, retention: timedelta | None = None, **changes: Any) -> LogItem:
    record = make_record(make_body(id=LOG_ID, **{"payload": noise(900_000, seed), **changes}))
    message, envelope = messages.parse(record["body"]), messages.envelope(record)
    item = items.to_item(message, envelope, retention=retention)
    assert items.put(item) is items.Outcome.WRITTEN
    return item


@pytest.mark.parametrize("name", ["payload", "url", "submitter_id", "sub_type", "submitter_agent", "unknown"])
@pytest.mark.parametrize("text", [noise, lambda size: f"a{' ' * (size - 2)}a"], ids=["noise", "spaces"])
def test_1_mib_in_any_field_is_stored_whole(queues: Queues, name: str, text: Callable[[int], str]) -> None:
    body = full_body(name, text)
    other = make_record()

    assert lambda_handler(make_event(body, other), None) == NO_FAILURES

    content = whole_content()
    assert values(content)[name] == json.loads(body)[name]
    assert queues.dead_letters() == []
    assert reader.get(messages.envelope(other).log_id)


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


MANY = {f"field{n}": n for n in range(10_000)} | {"status": "EVIL", "expires_at": 1, "log_id": OTHER_ID}
UNUSUAL: dict[str, dict[str, Any]] = {
    "a 900 KB url": {"url": "/" + noise(900_000)},
    "10,000 unknown fields": MANY,
    "a NUL": {"url": "a\0b", "payload": {"\0": "\0"}},
    "a 300-digit account": {"account_id": 10**299},
    "the year 9999": {"created_at": "9999-12-31T23:59:59.999999+00:00"},
    "the year 1": {"created_at": "0001-01-01T00:00:00+00:00"},
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_valid_messages_are_stored_whole(queues: Queues, name: str) -> None:
    body = make_body(id=LOG_ID, **UNUSUAL[name])

    assert lambda_handler(make_event(body, make_record()), None) == NO_FAILURES

    item, content = reader.get(LOG_ID), whole_content()
    assert item
    stored = values(content)
    for field, value in UNUSUAL[name].items():
        if field == "created_at":
            assert (content.sent_created_at or item.created_at.isoformat()).startswith(value[:19])
        elif field in documents.SENDER_FIELDS:
            assert content.fields[field] == str(value)
        else:
            assert stored[field] == value
    assert queues.dead_letters() == []
    assert len(logs()) == 2


INVALID = {
    "500 levels deep": ("not_json", make_body(payload="X").replace('"X"', "[" * 500 + "]" * 500)),
    "an account with a NUL": ("invalid_fields", make_body(account_id="7\x00")),
    "an invalid id": ("invalid_fields", make_body(id="7")),
    "a time before the year 1": ("invalid_fields", make_body(created_at="0001-01-01T00:00:00+14:00")),
    "not JSON": ("not_json", "x" * (sqs.MAX_BYTES - 4096)),
    "only spaces": ("not_json", " " * (sqs.MAX_BYTES - 4096)),
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid_messages_are_dead_lettered_with_code(queues: Queues, name: str) -> None:
    code, body = INVALID[name]

    assert lambda_handler(make_event(body, make_record()), None) == NO_FAILURES

    [dead_letter] = queues.dead_letters()
    assert dead_letter["Body"] == body
    assert attribute_texts(dead_letter)["error-code"] == code
    assert len(logs()) == 1


def test_full_invalid_message_is_left_to_redrive_policy(queues: Queues) -> None:
    record = make_record("x" * sqs.MAX_BYTES)
    assert lambda_handler(make_event(record, make_record()), None) == batch_item_failures(record)
    assert queues.dead_letters() == []
    assert len(logs()) == 1


def test_part_items_are_in_no_index() -> None:
    put()
    assert len(part_ids()) == 1
    page = reader.read_page(make_plan(LogFilter()), None, 10)
    assert [item.id for item in page.items] == [LOG_ID]
    assert [reader.get(part_id) for part_id in part_ids()] == [None]


def test_part_items_are_written_first(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = LogItem._get_connection().connection
    dispatch = connection.dispatch

    def dispatch_parts_only(operation: str, arguments: dict[str, Any]) -> Any:
        if "account_id" in arguments.get("Item", {}):
            raise ConnectionError
        return dispatch(operation, arguments)

    monkeypatch.setattr(connection, "dispatch", dispatch_parts_only)
    with pytest.raises(ConnectionError):
        put()
    assert [part_id.partition("#")[0] for part_id in part_ids()] == [LOG_ID]
    monkeypatch.undo()
    put()
    assert whole_content().payload == noise(900_000)


def test_large_log_sent_twice_is_a_duplicate() -> None:
    put()
    record = make_record(make_body(id=LOG_ID, payload=noise(900_000)))
    item = items.to_item(messages.parse(record["body"]), messages.envelope(record))
    assert items.put(item) is items.Outcome.DUPLICATE


def test_conflicting_large_log_writes_no_parts() -> None:
    put()
    with pytest.raises(items.IdConflict):
        put(seed=2)
    assert whole_content().payload == noise(900_000)
    assert len(part_ids()) == 1


def test_missing_part_is_reported() -> None:
    put(url="/" * 2000)
    PartItem(part_ids()[0]).delete()

    item = reader.get(LOG_ID)

    assert item
    assert item.damage == "part 1 of 1 is missing"
    assert documents.content(item).fields["user_id"] == "12"
    assert documents.content(item).payload is None


def test_changed_part_is_reported() -> None:
    put()
    part = PartItem.get(part_ids()[0])
    part.document = part.document[:-1] + b"\0"
    part.save()

    item = reader.get(LOG_ID)

    assert item
    assert item.damage == "the 1 parts are not those that were stored"


def test_search_reads_part_items() -> None:
    put(payload=noise(900_000) + "needle")
    page = reader.read_page(make_plan(LogFilter(q="needle")), None, 10, Budget())
    assert [item.id for item in page.items] == [LOG_ID]
    assert page.cost.payload_bytes > 600_000


def test_delete_log_deletes_part_items() -> None:
    put()
    other = make_record()
    lambda_handler(make_event(other), None)
    call_command("delete_log", LOG_ID.upper(), interactive=False, stdout=StringIO())
    assert [item.id for item in logs()] == [messages.envelope(other).log_id]


def test_delete_log_requires_an_existing_id_and_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    put()
    with pytest.raises(CommandError, match=f"There is no log {OTHER_ID}; nothing was deleted"):
        call_command("delete_log", LOG_ID, OTHER_ID)
    monkeypatch.setattr("builtins.input", lambda question: "y")
    with pytest.raises(CommandError, match="Nothing was deleted"):
        call_command("delete_log", LOG_ID)
    assert whole_content().payload == noise(900_000)


def test_detail_page_reports_a_missing_part(viewer_client: Client) -> None:
    put()
    PartItem(part_ids()[0]).delete()
    page = viewer_client.get(f"/admin/logs/log/{LOG_ID}/change/")
    assert page.status_code == 200
    assert "Part of this log is lost: part 1 of 1 is missing." in page.content.decode()


def test_retention_counts_from_received_at() -> None:
    item = put(created_at="2020-01-01", retention=timedelta(days=30))
    stored = LogItem.get(LOG_ID)
    assert stored.expires_at
    assert stored.expires_at - item.received_at.replace(microsecond=0) == timedelta(days=30)
    assert PartItem.get(part_ids()[0]).expires_at == stored.expires_at + timedelta(days=7)


@pytest.mark.parametrize("name", ["LOGS_RETENTION_DAYS", "LOGS_SORTING_SHARDS"])
@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "99999999"])
def test_invalid_number_in_the_environment_is_reported(name: str, text: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import ingest.writing.items"],
        env={**os.environ, name: text},
        capture_output=True,
        text=True,
    )
    assert f"ValueError: {name} must be a whole number from 1 to " in run.stderr
    assert f"not '{text}'" in run.stderr
