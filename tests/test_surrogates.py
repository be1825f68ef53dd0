"""Half a character costs no log, and neither does a byte order mark."""

import base64
import enum
import json
import logging
import zlib
from collections import UserString
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pydantic
import pytest
from django.http import QueryDict
from django.test import Client
from werkzeug.datastructures import MultiDict

from ingest.handler import lambda_handler
from ingest.logging_handler import LogHandler
from ingest.messages import DEFLATE, decompress, envelope, parse
from ingest.sending.outgoing import prepare
from ingest.sending.serialize import MAX_VALUES
from ingest.testing import RecordingClient
from ingest.wire.characters import replace_surrogates
from ingest.writing import items
from logs.models import LogItem
from logs.storage import documents
from tests.api import LOGS, fetch
from tests.bombs import make_bomb
from tests.factories import LOG_ID, NO_FAILURES, make_body, make_event, make_fields, make_record
from tests.pages import LISTING

NOTE = "_replaced_surrogates"


def compressed(text: bytes) -> str:
    """Return a compressed body."""
    return json.dumps({DEFLATE: base64.b64encode(zlib.compress(text)).decode()})


@pytest.mark.parametrize(
    ("text", "whole", "count"),
    [
        (r'"\udc00"', r'"\ufffd"', 1),
        (r'"\uD800x\udFfF"', r'"\ufffdx\ufffd"', 2),
        (r'"\ud83d\ude00"', r'"\ud83d\ude00"', 0),
        (r'"\ude00\ud83d"', r'"\ufffd\ufffd"', 2),
        (r'"\ud83d\ud83d\ude00\ude00"', r'"\ufffd\ud83d\ude00\ufffd"', 2),
        (r'"\\udc00"', r'"\\udc00"', 0),
        (r'"\\\udc00\\"', r'"\\\ufffd\\"', 1),
        ('"\ud83d\ude00"', '"😀"', 0),
        ('"é\udc00"', '"é\ufffd"', 1),
        ('"\ud83d\\ude00"', '"\ufffd\\ufffd"', 2),
        (r'"\ud8', r'"\ud8', 0),
    ],
)
def test_lone_surrogate_becomes_the_replacement(text: str, whole: str, count: int) -> None:
    assert replace_surrogates(text) == (whole, count)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("payload", "\udc00", "\ufffd"),
        ("payload", {"a\ud800": ["\ude00", "\ud83d\ude00"]}, {"a\ufffd": ["\ufffd", "😀"]}),
        ("account_id", "7\ud83d", "7\ufffd"),
        ("type", "\udc00login", "\ufffdlogin"),
        ("url", "/\udfff", "/\ufffd"),
        ("submitter_city", "K\udc00ln", "K\ufffdln"),
        ("unknown", "\udbff", "\ufffd"),
    ],
)
def test_log_with_half_a_character_is_stored(logs_table: None, name: str, value: Any, expected: Any) -> None:
    assert lambda_handler(make_event(make_body(id=LOG_ID, **{name: value})), None) == NO_FAILURES

    content = documents.content(LogItem.get(LOG_ID))
    values = {**content.fields, **content.extra, "payload": content.payload}
    assert values[name] == expected
    assert content.extra[NOTE] == str(expected).count("\ufffd")


def test_value_with_a_replaced_character_is_found(logs_table: None, viewer_client: Client) -> None:
    names = ("account_id", "user_id", "type", "sub_type", "submitter_country")
    body = make_body(id=LOG_ID, url="/\udc00", **dict.fromkeys(names, "a\udc00"))
    assert lambda_handler(make_event(body), None) == NO_FAILURES

    for name in (*names, "url", "q"):
        query = urlencode({name: "\ufffd" if name in ("url", "q") else "a\ufffd"})
        assert [item["id"] for item in fetch(viewer_client, f"{LOGS}?{query}")["items"]] == [LOG_ID]
        assert f"{LOG_ID}/change/" in viewer_client.get(f"{LISTING}?{query}").content.decode()
    assert viewer_client.get(f"{LISTING}?type=a%FF").status_code == 400


def test_name_of_a_field_with_half_a_character_is_whole() -> None:
    assert parse(make_body(**{"a\udc00": 1})).model_extra == {"a\ufffd": 1, NOTE: 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r'{"\ud800": 1, "\ud801": 2}', {"U": 1, "U (2)": 2}),
        (r'{"\ud800": 1, "\ufffd": 2}', {"U (2)": 1, "U": 2}),
        (r'{"a\ud800\udfff": 1, "a\udfff": 2, "a\ude00": 3}', {"a\U000103ff": 1, "aU": 2, "aU (2)": 3}),
        (
            r'{"\ufffd (2)": 0, "\udc01": 1, "\udc02": 2, "\udc03": 3}',
            {"U (2)": 0, "U": 1, "U (3)": 2, "U (4)": 3},
        ),
        (r'[{"\ud800": 1, "\udbff": 2}, {"\udbff": 3}]', [{"U": 1, "U (2)": 2}, {"U (2)": 3}]),
        (
            r'{"\\ud800": 1, "\ud800": ":", "\"\ud800\": ": "\ud801"}',
            {r"\ud800": 1, "U": ":", '"U": ': "U"},
        ),
    ],
)
@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_names_that_differ_in_half_a_character_stay_apart(
    text: str, expected: Any, ensure_ascii: bool
) -> None:
    expected = json.loads(json.dumps(expected).replace("U", "\ufffd"))
    payload = json.loads(text)
    fields = {"account_id": 7, "user_id": 1, "type": "a", "sub_type": "", "url": "", "payload": payload}
    if isinstance(payload, dict):
        fields |= payload

    message = parse(json.dumps(fields, ensure_ascii=ensure_ascii))

    assert message.payload == expected
    extra = dict(message.model_extra or {})
    assert extra.pop(NOTE) > 0
    assert extra == (expected if isinstance(payload, dict) else {})


@pytest.mark.parametrize(
    "text",
    ['{"\\ud800": 1', '{"\\x\\ud800": 1}', '{"\\ud800":1,"\\ud801', '"\\ud800":"\\ud801":', '\\ud800"'],
    ids=ascii,
)
def test_invalid_json_with_half_a_character_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="JSON"):
        parse(text)


def test_whole_characters_are_not_noted() -> None:
    assert parse(make_body(payload="😀 \ufffd", url="\\udc00")).model_extra == {}


def test_note_replaces_no_field_of_the_sender() -> None:
    assert parse(make_body(payload="\udc00", **{NOTE: "mine"})).model_extra == {NOTE: "mine", f"_{NOTE}": 1}


@pytest.mark.parametrize(
    "text",
    [
        make_body(payload="a\udc00").encode(),
        make_body(payload="").replace('"payload": ""', '"payload": "a\udc00"').encode(errors="surrogatepass"),
    ],
    ids=["escape", "three_bytes"],
)
def test_compressed_log_with_half_a_character_is_read(text: bytes) -> None:
    message = parse(compressed(text))

    assert (message.payload, message.model_extra) == ("a\ufffd", {NOTE: 1})
    decompress(compressed(text)).encode()  # can be printed


def test_surrogates_of_a_compressed_pair_are_joined() -> None:
    text = make_body(payload="").replace('"payload": ""', '"payload": "\ud83d\ude00"')

    assert parse(compressed(text.encode(errors="surrogatepass"))).payload == "😀"


def test_message_of_many_values_and_half_a_character_is_read() -> None:
    body = make_bomb("lists", is_compressed=False, url="/\udc00")

    assert parse(body).url == "/\ufffd"


def test_redelivered_log_with_half_a_character_is_a_duplicate(logs_table: None) -> None:
    record = make_record(make_body(payload="\udc00"))

    for outcome in (items.Outcome.WRITTEN, items.Outcome.DUPLICATE):
        item = items.to_item(parse(record["body"]), envelope(record))
        assert items.put(item) is outcome


@pytest.mark.parametrize("value", ["\udc00", {"\udfff": ["\ud800"]}, ["\ud83d\ude00", "\ud83d"]])
def test_client_notes_what_it_replaced(value: Any) -> None:
    log = prepare({"account_id": 7, "user_id": 1, "type": "a", "sub_type": "", "url": "", "payload": value},
                  strict=True)  # fmt: skip

    body = log.body.encode()
    assert b"\\ufffd" in body
    assert log.fields[NOTE] == body.count(b"\\ufffd")
    assert parse(log.body).model_extra == {NOTE: log.fields[NOTE]}


# Two keys that differ only in half a character.
HALVES = {chr(0xD800): 1, chr(0xD801): [2]}


class Half(enum.Enum):
    UPPER = "\ud800"
    LOWER = "\udc00"


class Address(pydantic.BaseModel):
    city: Any


@pytest.mark.parametrize(
    ("value", "expected", "count"),
    [
        (QueryDict(mutable=True) | {"a": "\ud800"}, {"a": "\ufffd"}, 1),
        (MultiDict([("\udc00", "\udc01"), ("\udc00", "😀")]), {"\ufffd": ["\ufffd", "😀"]}, 2),
        (SimpleNamespace(a="\udc00", b=[{"\udc00"}]), {"a": "\ufffd", "b": [["\ufffd"]]}, 2),
        (
            {"e": ValueError("\udc00")},
            {"e": {"class": "ValueError", "message": "\ufffd", "traceback": None}},
            1,
        ),
        (PurePosixPath("/\udcff"), "/\ufffd", 1),
        (Half.UPPER, "\ufffd", 1),
        ({Half.LOWER: UserString("\udc00")}, {"\ufffd": "\ufffd"}, 2),
        (Address(city=["\ud800", "\ud83d\ude00"]), {"city": ["\ufffd", "😀"]}, 1),
        ({"\udc00", 1} - {1}, ["\ufffd"], 1),
        ({"a": float("nan"), "b": "\udc00"}, {"a": "nan", "b": "\ufffd"}, 1),
        ({1: "\udc00", "1": "\udc00"}, {"1": ["\ufffd", "\ufffd"]}, 2),
        (HALVES | {"\ufffd": 3}, {"\ufffd": [1, [2], 3]}, 2),
        (SimpleNamespace(a=HALVES), {"a": {"\ufffd": [1, [2]]}}, 2),
    ],
)
def test_client_notes_halves_in_values_of_any_type(value: Any, expected: Any, count: int) -> None:
    for fields in ({"payload": value}, {"unknown": value}):
        log = prepare(make_fields(**fields), strict=True)
        [name] = fields
        assert log.fields[name] == expected
        assert log.fields[NOTE] == parse(log.body).model_extra[NOTE] == count  # type: ignore[index]


@pytest.mark.parametrize(
    "value", [SimpleNamespace(a="\ud83d\ude00"), PurePosixPath("\ufffd"), b"\xed\xa0\x80"]
)
def test_client_notes_no_whole_characters_of_objects(value: Any) -> None:
    assert NOTE not in prepare(make_fields(payload=[value]), strict=True).fields


def test_fields_whose_names_become_equal_keep_their_values() -> None:
    fields = prepare(make_fields(**HALVES), strict=True).fields
    assert (fields["\ufffd"], fields[NOTE]) == ([1, [2]], 2)


def test_many_values_with_half_a_character_are_sent_as_text() -> None:
    payload = [SimpleNamespace(a="\ud800"), *range(MAX_VALUES)]
    fields = prepare(make_fields(payload=payload, url="/\udc00"), strict=True).fields
    assert json.loads(fields["payload"])[0] == {"a": "\ud800"}
    assert (fields["url"], fields[NOTE]) == ("/\ufffd", 1)


@pytest.mark.parametrize(
    ("extra", "expected", "count"),
    [
        ({"url": "/caf\udce9"}, {"url": "/caf\ufffd"}, 1),
        ({"type": "\ud800", "url": "\udc00", "foo": "\ud800"}, {"type": "\ufffd", "url": "\ufffd"}, 3),
        ({"sub_type": Half.UPPER, "payload": {"a": Half.UPPER}}, {"sub_type": "\ufffd"}, 2),
        ({"account_id": "\ud800#", "url": "/\ud83d\ude00"}, {"account_id": 0, "url": "/😀"}, 1),
    ],
)
def test_handler_notes_what_it_replaced(extra: dict[str, Any], expected: dict[str, Any], count: int) -> None:
    client = RecordingClient()
    logger = logging.Logger("shop")
    logger.addHandler(LogHandler(client))
    logger.error("gone", extra=extra)
    [log] = client.logs
    assert {name: log[name] for name in expected} == expected
    assert log[NOTE] == count


def test_handler_notes_half_a_character_in_a_default() -> None:
    client = RecordingClient()
    logger = logging.Logger("shop")
    logger.addHandler(LogHandler(client, type="\ud800"))
    logger.error("\udc00")
    assert (client.logs[0]["type"], client.logs[0]["payload"]["message"]) == ("\ufffd", "\ufffd")
    assert client.logs[0][NOTE] == 2


@pytest.mark.parametrize("mark", ["\ufeff", "\ufeff\r\n", " \ufeff", "\ufeff\ufeff"], ids=ascii)
def test_byte_order_mark_is_skipped(mark: str) -> None:
    assert parse(mark + make_body(payload="\ufeffa")).payload == "\ufeffa"
    assert parse(mark + compressed((mark + make_body()).encode())).url == "/login"
    assert "account_id" in decompress(mark + compressed(make_body().encode()))
