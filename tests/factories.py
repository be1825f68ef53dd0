"""Messages of senders, and SQS events as Lambda passes them."""

import base64
import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

SENT_AT = datetime(2026, 11, 23, 22, 44, 0, 123000, tzinfo=UTC)
LOG_ID = "0123456789abcdef0123456789abcdef"
NO_FAILURES: dict[str, Any] = {"batchItemFailures": []}


def make_fields(**changes: Any) -> dict[str, Any]:
    """Return the fields of a valid message. A change to `...` omits the field."""
    fields = {
        "account_id": 7,
        "user_id": 12,
        "type": "login",
        "sub_type": "password",
        "url": "/login",
        "payload": {"method": "POST", "ok": True},
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not ...}


def make_body(**changes: Any) -> str:
    """Return the body of a valid message. The changes are those of `make_fields`."""
    return json.dumps(make_fields(**changes))


def make_attribute(value: str | bytes) -> dict[str, Any]:
    """Return a message attribute in the format of Lambda's SQS event."""
    typed_value = (
        {"stringValue": value, "dataType": "String"}
        if isinstance(value, str)
        else {"binaryValue": base64.b64encode(value).decode(), "dataType": "Binary"}
    )
    return {"stringListValues": [], "binaryListValues": [], **typed_value}


def make_record(
    body: str | None = None,
    *,
    message_id: str | None = None,
    sent_at: datetime = SENT_AT,
    attributes: Mapping[str, str | bytes] | None = None,
    receive_count: int = 1,
) -> dict[str, Any]:
    """Return one record of an SQS event, as in https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""
    text = make_body() if body is None else body
    sent = str(round(sent_at.timestamp() * 1000))
    return {
        "messageId": message_id or str(uuid.uuid4()),
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": text,
        "attributes": {
            "ApproximateReceiveCount": str(receive_count),
            "SentTimestamp": sent,
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": sent,
        },
        "messageAttributes": {name: make_attribute(value) for name, value in (attributes or {}).items()},
        "md5OfBody": hashlib.md5(text.encode(errors="replace"), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:logs",
        "awsRegion": "us-east-1",
    }


def make_event(*records: dict[str, Any] | str) -> dict[str, Any]:
    """Return an SQS event with these records, or with records of these bodies."""
    return {"Records": [record if isinstance(record, dict) else make_record(record) for record in records]}


def batch_item_failures(*records: dict[str, Any]) -> dict[str, Any]:
    """Return the handler's response if exactly these records failed."""
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in records]}
