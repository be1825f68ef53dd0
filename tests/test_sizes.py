"""Whatever SQS accepts is stored whole, whichever field makes it large, and fails none of its neighbours."""

import base64
import json
import os
import random
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
from ingest.writing import items as writer
from logs import reader
from logs.filters import LogFilter
from logs.models import LogItem, PartItem
from logs.plan import make_plan
from logs.reading.budget import Budget
from logs.storage import documents
from tests.factories import make_body, make_event, make_record
from tests.items import logs
from tests.queues import Queues, attribute_texts

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")

HEX, OTHER = "0123456789abcdef0123456789abcdef", "f" * 32
NONE_FAILED: dict[str, Any] = {"batchItemFailures": []}


def noise(size: int, seed: int = 1) -> str:
    """Return that many characters that no compression makes much shorter."""
    return base64.b64encode(random.Random(seed).randbytes(size))[:size].decode()


def filled(name: str, text: Callable[[int], str]) -> str:
    """Return a message whose field makes it as large as SQS takes."""
    room = sqs.MAX_BYTES - len(make_body(id=HEX, **{name: ""}))
    body = make_body(id=HEX, **{name: text(room)})
    assert len(body) == sqs.MAX_BYTES
    return body


def whole(log_id: str = HEX) -> dict[str, Any]:
    item = reader.get(log_id)
    assert item
    assert item.damage is None
    return documents.content(item)


def part_ids() -> list[str]:
    return [item.id for item in PartItem.scan() if "#" in item.id]


def put(seed: int = 1, **changes: Any) -> LogItem:
    record = make_record(make_body(id=HEX, **{"payload": noise(900_000, seed), **changes}))
    item = writer.to_item(messages.parse(record["body"]), messages.envelope(record))
    assert writer.put(item) is writer.Outcome.WRITTEN
    return item


@pytest.mark.parametrize("name", ["payload", "url", "user_id", "sub_type", "submitter_agent", "unknown"])
@pytest.mark.parametrize("text", [noise, lambda size: " " * size], ids=["noise", "spaces"])
def test_a_mebibyte_in_any_field_is_stored_whole(
    queues: Queues, name: str, text: Callable[[int], str]
) -> None:
    body = filled(name, text)
    neighbour = make_record()

    assert lambda_handler(make_event(body, neighbour), None) == NONE_FAILED

    said = whole()
    assert (said["extra"] if name == "unknown" else said)[name] == json.loads(body)[name]
    assert queues.dead_letters() == []
    assert reader.get(messages.envelope(neighbour).log_id)


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


MANY = {f"field{n}": n for n in range(10_000)} | {"status": "EVIL", "expires_at": 1, "log_id": OTHER}
STORED: dict[str, dict[str, Any]] = {
    "a 900 KB url": {"url": "/" + noise(900_000)},
    "10,000 unknown fields": MANY,
    "a NUL": {"url": "a\0b", "payload": {"\0": "\0"}},
    "a 300-digit account": {"account_id": 10**299},
    "the year 9999": {"created_at": "9999-12-31T23:59:59.999999+00:00"},
    "the year 1": {"created_at": "0001-01-01T00:00:00+00:00"},
}


@pytest.mark.parametrize("name", STORED)
def test_what_is_strange_but_right_is_stored_whole(queues: Queues, name: str) -> None:
    body = make_body(id=HEX, **STORED[name])

    assert lambda_handler(make_event(body, make_record()), None) == NONE_FAILED

    item, said = reader.get(HEX), whole()
    assert item
    for field, value in STORED[name].items():
        if field == "created_at":
            assert (said["sent_created_at"] or item.created_at.isoformat()).startswith(value[:19])
        elif field in documents.SENDER_FIELDS:
            assert said[field] == str(value)
        else:
            assert (said if field == "payload" else said["extra"])[field] == value
    assert queues.dead_letters() == []
    assert len(logs()) == 2


REFUSED = {
    "500 levels deep": ("not_json", make_body(payload="X").replace('"X"', "[" * 500 + "]" * 500)),
    "lone surrogates": ("not_json", make_body(payload="\ud800")),
    "an account with a NUL": ("invalid_fields", make_body(account_id="7\x00")),
    "the id of nothing": ("invalid_fields", make_body(id="7")),
    "a time beyond time": ("invalid_fields", make_body(created_at="0001-01-01T00:00:00+14:00")),
    "no JSON": ("not_json", "x" * (sqs.MAX_BYTES - 4096)),
    "only spaces": ("not_json", " " * (sqs.MAX_BYTES - 4096)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_never_be_stored_is_a_dead_letter_with_its_reason(queues: Queues, name: str) -> None:
    code, body = REFUSED[name]

    assert lambda_handler(make_event(body, make_record()), None) == NONE_FAILED

    [letter] = queues.dead_letters()
    assert letter["Body"] == body
    assert attribute_texts(letter)["error-code"] == code
    assert len(logs()) == 1


def test_a_message_with_no_room_for_its_reason_is_left_to_the_redrive(queues: Queues) -> None:
    record = make_record("x" * sqs.MAX_BYTES)
    failed = {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    assert lambda_handler(make_event(record, make_record()), None) == failed
    assert queues.dead_letters() == []
    assert len(logs()) == 1


def test_parts_are_in_no_index_and_no_log() -> None:
    put()
    assert len(part_ids()) == 1
    page = reader.read_page(make_plan(LogFilter()), None, 10)
    assert [item.id for item in page.items] == [HEX]
    assert [reader.get(part_id) for part_id in part_ids()] == [None]


def test_the_parts_are_written_first(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = LogItem._get_connection().connection
    dispatch = connection.dispatch

    def broken(operation: str, arguments: dict[str, Any]) -> Any:
        if "account_id" in arguments["Item"]:
            raise ConnectionError
        return dispatch(operation, arguments)

    monkeypatch.setattr(connection, "dispatch", broken)
    with pytest.raises(ConnectionError):
        put()
    assert [part_id.partition("#")[0] for part_id in part_ids()] == [HEX]
    monkeypatch.undo()
    put()
    assert whole()["payload"] == noise(900_000)


def test_the_same_large_log_again_is_a_duplicate() -> None:
    put()
    record = make_record(make_body(id=HEX, payload=noise(900_000)))
    item = writer.to_item(messages.parse(record["body"]), messages.envelope(record))
    assert writer.put(item) is writer.Outcome.DUPLICATE


def test_another_large_log_of_the_same_id_is_a_conflict_and_harms_nothing() -> None:
    put()
    with pytest.raises(writer.IdConflict):
        put(seed=2)
    assert whole()["payload"] == noise(900_000)
    assert len(part_ids()) == 1


def test_a_missing_part_is_said_and_the_rest_is_read() -> None:
    put(url="/" * 2000)
    PartItem(part_ids()[0]).delete()

    item = reader.get(HEX)

    assert item
    assert item.damage == "part 1 of 1 is missing"
    assert documents.content(item)["user_id"] == "12"
    assert documents.content(item)["payload"] is None


def test_a_part_that_was_changed_is_said() -> None:
    put()
    part = PartItem.get(part_ids()[0])
    part.document = part.document[:-1] + b"\0"
    part.save()

    item = reader.get(HEX)

    assert item
    assert item.damage == "the 1 parts are not those that were stored"


def test_text_in_a_part_is_found() -> None:
    put(payload=noise(900_000) + "needle")
    page = reader.read_page(make_plan(LogFilter(q="needle")), None, 10, Budget())
    assert [item.id for item in page.items] == [HEX]
    assert page.cost.payload_bytes > 600_000


def test_a_log_is_deleted_with_its_parts() -> None:
    put()
    other = make_record()
    lambda_handler(make_event(other), None)
    call_command("delete_log", HEX.upper(), interactive=False, stdout=StringIO())
    assert [left.id for left in logs()] == [messages.envelope(other).log_id]


def test_only_what_exists_is_deleted_and_only_after_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    put()
    with pytest.raises(CommandError, match=f"There is no log {OTHER}; nothing was deleted"):
        call_command("delete_log", HEX, OTHER)
    monkeypatch.setattr("builtins.input", lambda question: "y")
    with pytest.raises(CommandError, match="Nothing was deleted"):
        call_command("delete_log", HEX)
    assert whole()["payload"] == noise(900_000)


def test_the_detail_says_that_a_part_is_missing(viewer_client: Client) -> None:
    put()
    PartItem(part_ids()[0]).delete()
    page = viewer_client.get(f"/admin/logs/log/{HEX}/change/")
    assert page.status_code == 200
    assert "Part of this log is lost: part 1 of 1 is missing." in page.content.decode()


def test_retention_counts_from_when_it_was_received_and_parts_outlive_the_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writer, "RETENTION", timedelta(days=30))
    item = put(created_at="2020-01-01")
    kept = LogItem.get(HEX)
    assert kept.expires_at
    assert kept.expires_at - item.received_at.replace(microsecond=0) == timedelta(days=30)
    assert PartItem.get(part_ids()[0]).expires_at == kept.expires_at + timedelta(days=7)


@pytest.mark.parametrize("name", ["LOGS_RETENTION_DAYS", "LOGS_SORTING_SHARDS"])
@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "99999999"])
def test_a_number_of_the_writers_that_is_wrong_is_named(name: str, text: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import ingest.writing.items"],
        env={**os.environ, name: text},
        capture_output=True,
        text=True,
    )
    assert f"ValueError: {name} must be a whole number from 1 to " in run.stderr
    assert f"not '{text}'" in run.stderr
