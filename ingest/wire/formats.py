"""Messages in the formats of other programs, and what to do about each."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ingest.wire.wrappers import is_log

SEND_ALONE = "send the log itself as the body, with SendMessage of the AWS SDK"
OTHER_QUEUE = "this queue must get logs only; use another queue for it"
POINTERS = (
    "software.amazon.payloadoffloading.PayloadS3Pointer",
    "com.amazon.sqs.javamessaging.MessageS3Pointer",
)
# A name that an error text may quote: error texts contain no values of a message.
_NAME = re.compile(r"[A-Za-z][\w.-]{0,39}")


@dataclass(frozen=True)
class Format:
    """A foreign format: its name with an article, and the remedy.

    A message has the format if it has all `fields`, and if `matches` is true.
    """

    name: str
    remedy: str
    fields: tuple[str, ...] = ()
    matches: Callable[[Mapping[str, Any]], bool] = lambda data: True

    def __str__(self) -> str:
        return f"is {self.name}, not a log: {self.remedy}"


def _event_source(source: str) -> Callable[[Mapping[str, Any]], bool]:
    def matches(data: Mapping[str, Any]) -> bool:
        records = data.get("Records") or [data]
        first = records[0] if isinstance(records, list) else None
        return isinstance(first, dict) and first.get("eventSource") == source

    return matches


FORMATS = (
    Format(
        "the confirmation of an SNS subscription",
        "open its `SubscribeURL`, or subscribe the queue from its own account",
        ("Type", "SubscribeURL"),
        lambda data: data["Type"] == "SubscriptionConfirmation",
    ),
    Format(
        "the end of an SNS subscription",
        "subscribe the queue again if it has to get the logs of the topic",
        ("Type", "SubscribeURL"),
    ),
    Format(
        "a notification of S3",
        "remove this queue from the bucket's event notifications",
        ("Records",),
        _event_source("aws:s3"),
    ),
    Format(
        "a test event of S3",
        "remove this queue from the bucket's event notifications",
        ("Event", "Bucket"),
    ),
    Format(
        "a change of a DynamoDB item",
        "let the pipe build a log with an input template",
        ("eventSource", "dynamodb"),
    ),
    Format("a batch of CloudWatch Logs", f"{SEND_ALONE}", ("awslogs",)),
    Format("an alarm of CloudWatch", OTHER_QUEUE, ("AlarmName",)),
    Format("a notification of SES", OTHER_QUEUE, ("mail", "notificationType")),
    Format("a notification of SES", OTHER_QUEUE, ("mail", "eventType")),
    Format("a job of Laravel", f"{SEND_ALONE}, not with `dispatch`", ("job", "data")),
    Format("a job of Laravel", f"{SEND_ALONE}, not with `dispatch`", ("job", "displayName")),
    Format("a task of Celery", f"{SEND_ALONE}, not with `delay`", ("body", "properties")),
    Format("a task of Celery", f"{SEND_ALONE}, not with `delay`", ("body", "content-encoding")),
    Format("a task of Celery", f"{SEND_ALONE}, not with `delay`", ("task", "args", "kwargs")),
    Format("a message of Dramatiq", SEND_ALONE, ("actor_name", "args")),
    Format("a job of Active Job", SEND_ALONE, ("job_class", "arguments")),
    Format("a job of Sidekiq", SEND_ALONE, ("class", "args", "jid")),
    Format("a message of MassTransit", f"{SEND_ALONE}: the value of `message`", ("messageType", "message")),
    Format("a message of NServiceBus", SEND_ALONE, ("Headers", "Body")),
    Format("a message of Symfony Messenger", SEND_ALONE, ("body", "headers")),
    Format("an event of CloudEvents", f"{SEND_ALONE}: the value of `data`", ("specversion", "source")),
)  # fmt: skip


def describe(data: Mapping[str, Any]) -> str | None:
    """Return the format of an object and the remedy, or None."""
    for each in FORMATS:
        if data.keys() >= set(each.fields) and each.matches(data):
            return str(each)
    return _describe_members(data)


def _describe_members(data: Mapping[str, Any]) -> str | None:
    """Return in which field an object holds logs and the remedy, or None."""
    for name, value in data.items():
        field = f"`{name}`" if _NAME.fullmatch(name) else "a field"
        values = value if isinstance(value, list) else [value]
        if len(values) > 1 and (name == "Records" or any(map(is_log, values))):
            return f"holds {len(values)} values in {field}: send each log as a message of its own"
        if any(is_log(each) or _is_text_of_log(each) for each in values[:1]):
            return f"is no log, but holds one in {field}: {SEND_ALONE}"
    return None


def _is_text_of_log(value: object) -> bool:
    return isinstance(value, str) and value.startswith("{") and '"account_id"' in value


def describe_text(text: str) -> str | None:
    """Return the format of any other body and the remedy, or None."""
    text = text.strip()
    if text.startswith("["):
        if any(text[1:200].lstrip().startswith(f'"{name}"') for name in POINTERS):
            return (
                f"is a pointer to S3 of the Extended Client, not a log: {SEND_ALONE}, compressed if too large"
            )
        return "must be a JSON object, not a list: send each log as a message of its own"
    if re.match(r"[aO]:\d+:", text):
        return f"is serialized by PHP: {SEND_ALONE}, as JSON"
    if text.startswith("<"):
        return f"is XML: {SEND_ALONE}, as JSON"
    if re.match(r"(?i)(Action|MessageBody)=|%7B", text):
        return f"is encoded as a form: {SEND_ALONE}, as JSON"
    if text.startswith("H4sI"):
        return "is compressed by gzip: compress a log as the client does, in `_deflate`"
    if re.match(r"\{.*\}\s*\n\s*\{", text):
        return "must be one JSON object, not several: send each log as a message of its own"
    return None
