"""A log is masked in the wrapper of each AWS service, in base64 and compressed, valid or not."""

import base64
import json
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from ingest.handler import lambda_handler
from ingest.masking.encodings import Inflater, deflate
from ingest.messages import DEFLATE, MAX_INFLATED_BYTES, InvalidMessage, parse
from ingest.writing.body_masking import mask_body
from logs.storage import documents
from tests.factories import LOG_ID, NO_FAILURES, make_body, make_event, make_fields
from tests.items import logs
from tests.queues import Queues
from tests.wrapped import body_of, encoded, event, firehose, record, sns, wrap

pytest_plugins = ["tests.sqs_server"]

SECRET = "hunter2"
CONFIDENTIAL = {"payload": {"password": SECRET}, "url": f"/x?token={SECRET}", "secret": SECRET}
LOG = make_fields(id=LOG_ID, **CONFIDENTIAL)
HARMLESS = wrap(make_fields(id=LOG_ID, extra=1))
VALID = wrap(LOG)
INVALID = wrap(LOG | {"type": ""})


def texts(value: Any) -> Iterator[str]:
    """Yield each text in a value, decoded from JSON, base64 and zlib in any order."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)
    if not isinstance(value, str) or not value:
        return
    yield value
    with suppress(ValueError):
        yield from texts(json.loads(value))
    with suppress(ValueError):
        data = base64.b64decode(value)
        with suppress(zlib.error):
            data = zlib.decompress(data)
        yield from texts(data.decode())


def has_secret(value: Any) -> bool:
    return any(SECRET in text for text in texts(value))


@pytest.mark.parametrize("name", VALID)
def test_wrapped_log_is_masked(name: str) -> None:
    body = body_of(VALID[name])

    masked = mask_body(body)

    assert has_secret(body)
    assert not has_secret(masked)
    assert parse(masked) == parse(mask_body(json.dumps(LOG)))
    assert mask_body(masked) == masked


@pytest.mark.parametrize("name", INVALID)
def test_invalid_wrapped_log_is_masked(name: str) -> None:
    masked = mask_body(body_of(INVALID[name]))

    assert not has_secret(masked)
    with pytest.raises(InvalidMessage) as caught:
        parse(masked)
    assert caught.value.fields.keys() == {"type"}
    assert caught.value.log_id == LOG_ID


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_wrapped_log_stays(name: str) -> None:
    body = body_of(HARMLESS[name])

    assert mask_body(body) is body


def test_writer_stores_no_secret_of_a_wrapper(logs_table: None, queues: Queues) -> None:
    valid = wrap({name: value for name, value in LOG.items() if name != "id"})
    bodies = [body_of(message) for message in (*valid.values(), *INVALID.values())]

    assert lambda_handler(make_event(*bodies), None) == NO_FAILURES

    contents = [documents.content(item) for item in logs()]
    dead_letters = queues.dead_letters()
    assert (len(contents), len(dead_letters)) == (len(valid), len(INVALID))
    assert not [each for each in contents if has_secret([each.fields, each.payload, each.extra])]
    assert not [each for each in dead_letters if has_secret(each["Body"])]


LONG = json.dumps({"text": "é" * 40, "password": SECRET})


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(firehose(make_body(**CONFIDENTIAL), make_body(**CONFIDENTIAL))),
        json.dumps([{DEFLATE: deflate(make_body(**CONFIDENTIAL))}] * 2),
        json.dumps({"body": encoded(LONG), "headers": {"task": "x"}, "properties": {}}),
        json.dumps(record("aws:kinesis", data=encoded(LONG))).replace("/", r"\/"),
        json.dumps(sns(json.dumps({"data": encoded(LONG)}))).replace("+", r"\u002B"),
        "\ufeff" + json.dumps(record("aws:kinesis", data=encoded(LONG))),
        encoded(f"user=anna&password={SECRET}"),
        make_body(type="", payload={"log": encoded(LONG)}),
        make_body(type="", payload=event({DEFLATE: deflate(LONG)})),
    ],
    ids=[
        *("several_logs", "several_compressed_logs", "celery", "slashes_of_php", "plus_of_dotnet"),
        *("byte_order_mark", "form", "base64_in_a_payload", "compressed_in_a_payload"),
    ],
)
def test_encoded_text_of_a_dead_letter_is_masked(body: str) -> None:
    masked = mask_body(body)

    assert has_secret(body.removeprefix("\ufeff"))
    assert not has_secret(masked.removeprefix("\ufeff"))
    with pytest.raises(InvalidMessage):
        parse(masked)


@pytest.mark.parametrize(
    "value",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbiI6InNlY3JldC1oZXJlIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        base64.b64encode(bytes(range(256))).decode(),
        encoded('{"page": 2, "order": "desc", "name": "anna"}'),
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "/static/vendor/bootstrap/javascripts/components/password",
        encoded(encoded("nothing confidential in here, twice")),
    ],
    ids=["signed_token", "binary", "harmless_json", "hash", "path", "twice"],
)
def test_other_value_like_base64_stays(value: str) -> None:
    body = make_body(payload={"value": value})

    assert mask_body(body) == body


@pytest.mark.parametrize(
    "text", ["password\u2028", "pass word is secret", "aHVudGVyMg", "eyJwYXNzd29yZCI6I==="]
)
def test_other_text_is_no_base64(text: str) -> None:
    assert mask_body(text) == text
    with pytest.raises(InvalidMessage) as caught:
        parse(text)
    assert caught.value.code == "not_json"


def test_decompression_is_limited() -> None:
    bomb = deflate(" " * MAX_INFLATED_BYTES)
    body = json.dumps([{DEFLATE: bomb}] * 3)
    inflater = Inflater(body)

    assert [inflater.inflate(bomb) is None for _ in range(3)] == [False, True, True]
    assert Inflater("without compressed logs").inflate(bomb) is None
