"""The wrappers in which AWS services deliver a message to SQS.

A wrapper is JSON of a service around the message of a sender. A log is never a wrapper, whatever unknown
fields it has: see `has_log_fields`.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from ingest.wire.compression import DEFLATE

REQUIRED = ("account_id", "user_id", "type", "sub_type", "url")
# An AWS service wraps a message once or twice, for example an EventBridge event that SNS delivers.
MAX_WRAPPERS = 4
# No wrapper and no foreign format has a field of these names. `type` and `url` are common.
LOG_FIELDS = {"account_id", "user_id", "sub_type"}

# By event source: the field with the message, and whether it is in base64. The names of a pipe and of an
# event of Lambda differ only for brokers.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-source.html
# https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html
SOURCES = {
    "aws:sqs": ("body", False),
    "aws:kinesis": ("data", True),
    "aws:kafka": ("value", True),
    "SelfManagedKafka": ("value", True),
    "aws:amq": ("data", True),
    "aws:mq": ("data", True),
    "aws:rmq": ("data", True),
}
# The fields in which a service delivers a list of records, or several lists by topic or by queue.
RECORDS = ("Records", "records", "messages", "Messages", "rmqMessagesByQueue", "logEvents")
_JSON_START = re.compile(r'[\s\ufeff]*[\[{"]')
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{8,}+={0,2}\s*", re.ASCII)


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


def find(data: Mapping[str, Any], levels: int = MAX_WRAPPERS) -> Wrapper | None:
    """Return the wrapper that a JSON object is, or None. At most `levels` wrappers in it are examined."""
    if has_log_fields(data) or not levels:
        return None
    if "Message" in data and data.get("Type") == "Notification":
        # https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html
        return _wrapper("the `Message` of an SNS notification", data["Message"])
    if "detail" in data and "detail-type" in data:
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events.html
        # Only services of AWS can use its prefix. Their events are no logs.
        if is_aws_event(data) and not _may_hold_log(data["detail"], levels - 1):
            return None
        return _wrapper("the `detail` of an EventBridge event", data["detail"])
    if "requestPayload" in data and "requestContext" in data:
        return _destination(data, levels - 1)
    _, values = find_records(data)
    return _record({**data, **values[0]}) if len(values) == 1 else _record(data)


def is_aws_event(data: Mapping[str, Any]) -> bool:
    """Return whether an object is an event of EventBridge from a service of AWS."""
    source = data.get("source")
    return "detail-type" in data and isinstance(source, str) and source.startswith("aws.")


def find_records(data: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """Return the records in an event of a service, and the field with them. Both are empty without one."""
    for name in RECORDS:
        value = data.get(name)
        lists: list[Any] = list(value.values()) if isinstance(value, dict) else [value]
        if all(isinstance(each, list) for each in lists):
            values = [record for each in lists for record in each]
            if values and all(isinstance(record, dict) for record in values):
                return name, values
    return "", []


def _wrapper(name: str, content: object, *, is_base64: bool = False) -> Wrapper:
    if is_base64:
        content = decode_base64(content) or content
    content = _unwrap_lists(content)
    if isinstance(content, list):
        content = json.dumps(content)  # the error is that of a list as the body
    return Wrapper(name, content if isinstance(content, str | dict) else {})


def _unwrap_lists(value: object) -> object:
    """Return the only value of a list, also of lists in lists. Any other value is returned unchanged."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value


def _record(data: Mapping[str, Any]) -> Wrapper | None:
    """Return the wrapper that one record is, or None.

    A record of an event of Lambda has the fields of its event too.
    """
    source = data.get("eventSource")
    if isinstance(data.get("Sns"), dict):
        return _wrapper("the `Message` of an SNS notification", data["Sns"].get("Message"))
    if isinstance(data.get("kinesis"), dict):
        return _wrapper("the `data` of a Kinesis record", data["kinesis"].get("data"), is_base64=True)
    if isinstance(source, str) and source in SOURCES and SOURCES[source][0] in data:
        name, is_base64 = SOURCES[source]
        return _wrapper(f"the `{name}` of a record of {source}", data[name], is_base64=is_base64)
    if isinstance(data.get("records"), list) and "data" in data:
        # https://docs.aws.amazon.com/lambda/latest/dg/services-kinesisfirehose.html
        return _wrapper("the `data` of a Firehose record", data["data"], is_base64=True)
    if data.get("messageType") == "DATA_MESSAGE" and "logEvents" in data and "message" in data:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
        return _wrapper("the `message` of a CloudWatch Logs event", data["message"])
    if ("Body" in data or "body" in data) and ("ReceiptHandle" in data or "receiptHandle" in data):
        name = "Body" if "Body" in data else "body"
        return _wrapper(f"the `{name}` of an SQS message", data[name])
    if "MessageBody" in data:
        return _wrapper("the `MessageBody` of a SendMessage request", data["MessageBody"])
    if "body" in data and "isBase64Encoded" in data:
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
        is_base64 = data["isBase64Encoded"] is True
        return _wrapper("the `body` of an API Gateway request", data["body"], is_base64=is_base64)
    return None


def _destination(data: Mapping[str, Any], levels: int) -> Wrapper | None:
    """Return the event, or the response, of a Lambda function: the one of them that may be a log.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    names = [name for name in ("requestPayload", "responsePayload") if _may_hold_log(data.get(name), levels)]
    if len(names) == 2:
        return None
    name = names[0] if names else "requestPayload"
    return _wrapper(f"the `{name}` of a Lambda destination", data[name])


def _may_hold_log(value: object, levels: int) -> bool:
    value = _unwrap_lists(value)
    if isinstance(value, str):
        value = decode_base64(value) or value
        return any(f'"{name}' in value.replace("\\", "") for name in ("account_id", DEFLATE))
    return isinstance(value, dict) and (has_log_fields(value) or _is_encoded(value, levels))


def _is_encoded(data: Mapping[str, Any], levels: int = MAX_WRAPPERS) -> bool:
    return data.keys() == {DEFLATE} or find(data, levels) is not None


def decode(text: str, *, may_parse_list: bool) -> str | None:
    """Return the JSON text in an encoded body, or None.

    It is a JSON text within a JSON text, a list of one log or of one encoded body, or base64. IoT rules send
    base64 if `useBase64` is set: https://docs.aws.amazon.com/iot/latest/developerguide/sqs-rule-action.html
    """
    text = text.strip()
    inner: object = None
    if text.startswith('"'):
        inner = _parse(text)
        if isinstance(inner, str) and not _is_json(inner):
            inner = decode_base64(inner)
    elif text.startswith("["):
        values = _parse(text) if may_parse_list else None
        inner = text[1:-1] if values and _is_log_or_encoded(_unwrap_lists(values)) else None
    else:
        inner = decode_base64(text)
    return inner if isinstance(inner, str) and _is_json(inner) else None


def _is_log_or_encoded(value: object) -> bool:
    if isinstance(value, str):
        return _is_json(decode_base64(value) or value)
    return isinstance(value, dict) and (is_log(value) or _is_encoded(value))


def _is_json(text: str) -> bool:
    return _JSON_START.match(text) is not None


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
