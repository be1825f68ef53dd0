"""docs/message.schema.json matches the code, and accepts the same messages as the writer."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ingest import messages
from ingest.cli import schema as schema_command
from tests.factories import make_fields

PATH = Path(__file__).resolve().parent.parent / "docs" / "message.schema.json"
HEX = "0123456789abcdef0123456789abcdef"

GOOD: list[dict[str, Any]] = [
    {},
    {"account_id": 0},
    {"account_id": " 7 "},
    {"account_id": "ü" * 250},
    {"user_id": "x"},
    {"type": "a b"},
    {"sub_type": "", "url": ""},
    {"id": HEX},
    {"id": "01234567-89AB-cdef-0123-456789abcdef"},
    {"id": None, "created_at": None, "payload": None, "submitter_city": None},
    {"created_at": "2026-11-23"},
    {"created_at": "2026-11-23T22:44:00.5+02:00"},
    {"payload": [1, {"a": None}]},
    {"submitter_id": 7},
    {"submitter_ip": "203.0.113.7", "request_id": "r" * 200, "trace_id": "a" * 32},
    {"object_type": "invoice", "object_id": 4711, "object_name": "x" * 1000, "summary": "s" * 160},
    {"user_id": "x" * 500, "user_name": "", "account_name": None, "object_id": ""},
    {"status": "mine", "anything": {"else": 1}},
]
BAD: list[dict[str, Any]] = [
    {"account_id": ...},
    {"url": ...},
    {"account_id": -1},
    {"account_id": True},
    {"account_id": 7.5},
    {"account_id": ""},
    {"account_id": "   "},
    {"account_id": "7#login"},
    {"account_id": "a\u0000b"},
    {"account_id": "x" * 501},
    {"user_id": ""},
    {"user_id": "x" * 501},
    {"trace_id": "abc"},
    {"object_type": "a:b"},
    {"object_id": -1},
    {"request_id": "x" * 201},
    {"summary": "x" * 161},
    {"user_name": 7},
    {"user_id": None},
    {"type": ""},
    {"type": 7},
    {"type": "x" * 501},
    {"sub_type": None},
    {"url": 7},
    {"id": "7"},
    {"id": HEX + "0"},
    {"created_at": "soon"},
    {"created_at": 1_700_000_000},
    {"submitter_id": ""},
    {"submitter_city": 7},
]


def is_valid(fields: dict[str, Any]) -> bool:
    validator = jsonschema.Draft202012Validator(json.loads(PATH.read_text()))
    return bool(validator.is_valid(fields))


def is_accepted(fields: dict[str, Any]) -> bool:
    try:
        messages.validate(fields)
    except messages.InvalidMessage:
        return False
    return True


def test_schema_file_matches_the_code() -> None:
    assert PATH.read_text() == schema_command.text(), (
        "run: python -m ingest schema > docs/message.schema.json"
    )
    jsonschema.Draft202012Validator.check_schema(json.loads(PATH.read_text()))


@pytest.mark.parametrize("changes", GOOD, ids=str)
def test_schema_accepts_messages_that_the_writer_accepts(changes: dict[str, Any]) -> None:
    fields = make_fields(**changes)
    assert is_accepted(fields)
    assert is_valid(fields)


@pytest.mark.parametrize("changes", BAD, ids=lambda changes: str(changes)[:40])
def test_schema_rejects_messages_that_the_writer_rejects(changes: dict[str, Any]) -> None:
    fields = make_fields(**changes)
    assert not is_accepted(fields)
    assert not is_valid(fields)
