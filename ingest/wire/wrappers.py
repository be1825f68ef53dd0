"""The wrappers in which AWS services deliver a message to SQS.

A wrapper is JSON of a service around the message of a sender. A log is never a wrapper, whatever unknown
fields it has: see `has_log_fields`.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

REQUIRED = ("account_id", "user_id", "type", "sub_type", "url")
# No wrapper and no foreign format has a field of these names. `type` and `url` are common.
LOG_FIELDS = {"account_id", "user_id", "sub_type"}

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-source.html
# By event source: the field with the message, and whether it is in base64.
RECORDS = {
    "aws:sqs": ("body", False),
    "aws:kinesis": ("data", True),
    "aws:kafka": ("value", True),
    "SelfManagedKafka": ("value", True),
    "aws:amq": ("data", True),
    "aws:rmq": ("data", True),
}
_JSON_START = re.compile(r'[\s\ufeff]*[\[{"]')
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{8,}+={0,2}\s*")


@dataclass(frozen=True)
class Wrapper:
    """The JSON of a service around a message.

    `name` is for error texts. `content` is the message, as JSON text or as an object.
    """

    name: str
    content: str | dict[str, Any]


def has_log_fields(data: Mapping[str, Any]) -> bool:
    """Return whether an object is meant to be a log, valid or not."""
    return not LOG_FIELDS.isdisjoint(data)


def is_log(value: object) -> bool:
    """Return whether a value is an object with the required fields of a log."""
    return isinstance(value, dict) and value.keys() >= set(REQUIRED)


def find(data: Mapping[str, Any]) -> Wrapper | None:
    """Return the wrapper that a JSON object is, or None."""
    if has_log_fields(data):
        return None
    if "Message" in data and data.get("Type") == "Notification":
        # https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html
        return _wrapper("the `Message` of an SNS notification", data["Message"])
    if "detail" in data and "detail-type" in data:
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events.html
        return _wrapper("the `detail` of an EventBridge event", data["detail"])
    if "requestPayload" in data and "requestContext" in data:
        return _destination(data)
    records = data.get("Records")
    if isinstance(records, list) and len(records) == 1 and isinstance(records[0], dict):
        return _record(records[0])
    return _record(data)


def _wrapper(name: str, content: object, *, is_base64: bool = False) -> Wrapper:
    if is_base64:
        content = decode_base64(content)
    return Wrapper(name, content if isinstance(content, str | dict) else {})


def _record(data: Mapping[str, Any]) -> Wrapper | None:
    """Return the wrapper that one record of a pipe or of a Lambda event is, or None."""
    source = data.get("eventSource")
    if isinstance(data.get("Sns"), dict):
        return _wrapper("the `Message` of an SNS notification", data["Sns"].get("Message"))
    if isinstance(data.get("kinesis"), dict):
        return _wrapper("the `data` of a Kinesis record", data["kinesis"].get("data"), is_base64=True)
    if isinstance(source, str) and source in RECORDS and RECORDS[source][0] in data:
        name, is_base64 = RECORDS[source]
        return _wrapper(f"the `{name}` of a record of {source}", data[name], is_base64=is_base64)
    if "Body" in data and "ReceiptHandle" in data:
        return _wrapper("the `Body` of an SQS message", data["Body"])
    if "MessageBody" in data:
        return _wrapper("the `MessageBody` of a SendMessage request", data["MessageBody"])
    if "body" in data and "isBase64Encoded" in data:
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
        is_base64 = data["isBase64Encoded"] is True
        return _wrapper("the `body` of an API Gateway request", data["body"], is_base64=is_base64)
    return None


def _destination(data: Mapping[str, Any]) -> Wrapper | None:
    """Return the event, or the response, of a Lambda function: the one of them that may be a log.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    names = [name for name in ("requestPayload", "responsePayload") if _may_hold_log(data.get(name))]
    if len(names) == 2:
        return None
    name = names[0] if names else "requestPayload"
    return _wrapper(f"the `{name}` of a Lambda destination", data[name])


def _may_hold_log(value: object) -> bool:
    if isinstance(value, str):
        return '"account_id' in value.replace("\\", "")
    return isinstance(value, dict) and (has_log_fields(value) or find(value) is not None)


def decode(text: str, *, may_parse_list: bool) -> str | None:
    """Return the JSON text in an encoded body, or None.

    It is a JSON text within a JSON text, a list of one log, or base64. IoT rules send base64 if `useBase64`
    is set: https://docs.aws.amazon.com/iot/latest/developerguide/sqs-rule-action.html
    """
    text = text.strip()
    inner: object = None
    if text.startswith('"'):
        inner = _parse(text)
    elif text.startswith("["):
        values = _parse(text) if may_parse_list else None
        inner = text[1:-1] if isinstance(values, list) and len(values) == 1 and is_log(values[0]) else None
    else:
        inner = decode_base64(text)
    return (
        inner
        if isinstance(inner, str) and inner.lstrip("\ufeff \t\r\n").startswith(("{", "[", '"'))
        else None
    )


def _parse(text: str) -> Any:
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError:
        return None


def decode_base64(value: object) -> str | None:
    """Return the text in base64, or None for any other value."""
    if not isinstance(value, str) or not _BASE64.fullmatch(value):
        return None
    try:
        return base64.b64decode(value).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
