"""The wire format: every field, rule and default."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest import messages
from ingest.messages import InvalidMessage, LogMessage, parse, validate
from tests.factories import make_body, make_fields

HEX = "0123456789abcdef0123456789abcdef"


def rejection_of(body: str) -> InvalidMessage:
    with pytest.raises(InvalidMessage) as caught:
        parse(body)
    return caught.value


def test_minimal_message_has_five_fields() -> None:
    message = parse('{"account_id": 7, "user_id": 0, "type": "login", "sub_type": "", "url": ""}')

    assert message.model_dump(exclude_none=True) == {
        "account_id": "7",
        "user_id": "0",
        "type": "login",
        "sub_type": "",
        "url": "",
    }


@pytest.mark.parametrize("name", ["account_id", "user_id", "type", "sub_type", "url"])
def test_missing_required_field_is_named(name: str) -> None:
    error = rejection_of(make_body(**{name: ...}))

    assert error.code == "invalid_fields"
    assert error.fields == {name: ["is required"]}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *itertools.product(("account_id", "user_id"), (True, 7.0, -1, "", None, [7], {"a": 7})),
        *itertools.product(("submitter_id",), (False, 1.5, -3, "")),
        ("account_id", "7#8"),
        ("account_id", "a" * 501),
        ("account_id", "é" * 251),
        ("account_id", int("9" * 501)),
        ("type", ""),
        ("type", "t" * 501),
        ("type", 5),
        ("type", None),
        ("sub_type", None),
        ("sub_type", 1),
        ("url", None),
        ("url", ["/"]),
        ("submitter_country", 49),
        ("submitter_agent", {}),
        ("id", "nonsense"),
        ("id", ""),
        ("id", 5),
        ("id", HEX[:-1]),
        ("id", "_" + HEX[1:]),
        ("id", "\uff11" * 32),
        ("created_at", 1795491393),
        ("created_at", 1795491393.5),
        ("created_at", True),
        ("created_at", "yesterday"),
        ("created_at", ""),
        ("created_at", "2026-13-01T00:00:00"),
        ("created_at", "0001-01-01T00:00+14:00"),
    ],
)
def test_invalid_value_is_rejected_at_its_field(name: str, value: Any) -> None:
    error = rejection_of(make_body(**{name: value}))

    assert error.code == "invalid_fields"
    assert list(error.fields) == [name]


def test_all_invalid_fields_are_reported_together() -> None:
    error = rejection_of(make_body(account_id=..., type="", created_at=5))

    assert set(error.fields) == {"account_id", "type", "created_at"}


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (7, "7"), (2**70, str(2**70)), ("x y", "x y"), ("0", "0")]
)
def test_names_become_texts(value: Any, text: str) -> None:
    message = parse(make_body(account_id=value, user_id=value, submitter_id=value))

    assert (message.account_id, message.user_id, message.submitter_id) == (text, text, text)


def test_keys_have_at_most_500_bytes() -> None:
    message = parse(make_body(account_id="é" * 250, type="t" * 500))

    assert len(message.account_id.encode()) == len(message.type) == 500


@pytest.mark.parametrize(
    "text",
    [
        HEX,
        HEX.upper(),
        "01234567-89ab-cdef-0123-456789abcdef",
        "{01234567-89AB-CDEF-0123-456789ABCDEF}",
        "urn:uuid:01234567-89ab-cdef-0123-456789abcdef",
    ],
)
def test_uuid_formats_become_32_hex_digits(text: str) -> None:
    assert parse(make_body(id=text)).id == HEX


@pytest.mark.parametrize(
    "text",
    ["2026-11-23T22:44:00Z", "2026-11-23T23:44:00+01:00", "2026-11-23 22:44", "20261123T224400.000+0000"],
)
def test_created_at_is_converted_to_utc(text: str) -> None:
    assert parse(make_body(created_at=text)).created_at == datetime(2026, 11, 23, 22, 44, tzinfo=UTC)


@pytest.mark.parametrize(
    "payload", ["a text", "", "NULL \x00", {}, [], 0, False, 1.5, {"a": [1, {"b": None}]}, "😀"]
)
def test_payload_is_any_json_value(payload: Any) -> None:
    assert parse(make_body(payload=payload)).payload == payload


def test_null_is_the_same_as_missing() -> None:
    optional = [name for name, field in LogMessage.model_fields.items() if not field.is_required()]

    message = parse(make_body(**dict.fromkeys(optional)))

    assert {getattr(message, name) for name in optional} == {None}


def test_unknown_fields_are_stored_and_override_nothing() -> None:
    extra = {
        "status": "EVIL",
        "expires_at": 1,
        "account_id#type": "x#y",
        "model_extra": "x",
        "__class__": "y",
        "extra": {"extra": 1},
        "": 0,
    }

    message = parse(make_body(**extra))

    assert message.model_extra == extra
    assert message.account_id == "7"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not json",
        "{",
        '{"a": 1} x',
        "{'a': 1}",
        '{"payload": NaN}',
        '{"payload": -Infinity}',
        '{"payload": 1e400}',
        '{"payload": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"payload": ' + "9" * 5_000 + "}",
    ],
)
def test_invalid_json_is_rejected(body: str) -> None:
    assert rejection_of(body).code == "not_json"


@pytest.mark.parametrize("body", ["null", "[]", '"text"', "5", "true", '[{"account_id": 7}]'])
def test_json_other_than_an_object_is_rejected(body: str) -> None:
    assert rejection_of(body).code == "not_an_object"


@pytest.mark.parametrize(
    "body",
    [
        make_body(payload="SECRET", account_id="SECRET#"),
        make_body(payload={"SECRET": "SECRET"}, created_at="SECRET", id="SECRET", type=["SECRET"]),
        '{"payload": "SECRET", SECRET',
        '["SECRET"]',
    ],
)
def test_error_contains_no_value_of_the_message(body: str) -> None:
    error = rejection_of(body)

    assert "SECRET" not in f"{error!r} {error} {error.fields} {error.__cause__!r}"
    assert error.__suppress_context__ or error.__context__ is None


def test_error_has_the_id_of_the_message() -> None:
    assert rejection_of(make_body(id=HEX.upper(), type="")).log_id == HEX
    assert rejection_of(make_body(id="nonsense")).log_id is None


def test_validate_raises_value_error_with_the_field() -> None:
    with pytest.raises(ValueError, match=r"^type: must be a non-empty text$"):
        validate(make_fields(type=""))


@pytest.mark.parametrize("name", ["account_id", "type"])
def test_keys_are_stripped_and_contain_no_control_characters(name: str) -> None:
    assert getattr(messages.parse(make_body(**{name: "  a b\t"})), name) == "a b"
    for value in ("   ", "a\0b", "a\nb"):
        with pytest.raises(messages.InvalidMessage) as caught:
            messages.parse(make_body(**{name: value}))
        assert list(caught.value.fields) == [name]
