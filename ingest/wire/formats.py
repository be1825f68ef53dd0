"""Messages in the formats of other programs, and what to do about each."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ingest.wire import wrappers
from ingest.wire.wrappers import is_log

SEND_ALONE = "send the log itself as the body, with SendMessage of the AWS SDK"
OTHER_QUEUE = "this queue must get logs only; use another queue for it"
NO_NOTIFICATIONS = "remove this queue from the bucket's event notifications"
NO_TARGET = "remove this queue from the targets of the EventBridge rule"
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


def _starts_with(name: str, start: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda data: isinstance(data[name], str) and data[name].startswith(start)


def _is_failed_batch(data: Mapping[str, Any]) -> bool:
    # Such as KinesisBatchInfo and DDBStreamBatchInfo:
    # https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
    return any(name.endswith("BatchInfo") for name in data)


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
    Format("a notification of S3", NO_NOTIFICATIONS, ("eventSource",), _starts_with("eventSource", "aws:s3")),
    Format("a notification of S3", NO_TARGET, ("detail-type", "source"), _starts_with("source", "aws.s3")),
    Format("a test event of S3", NO_NOTIFICATIONS, ("Event", "Bucket")),
    Format("an event of an AWS service", NO_TARGET, ("detail-type", "source"), wrappers.is_aws_event),
    Format(
        "a change of a DynamoDB item",
        "let the pipe build a log with an input template",
        ("eventSource", "dynamodb"),
    ),
    Format("a batch of CloudWatch Logs", f"{SEND_ALONE}", ("awslogs",)),
    Format(
        "a control message of CloudWatch Logs",
        "it tests the subscription, so discard it",
        ("messageType", "logEvents"),
        lambda data: data["messageType"] == "CONTROL_MESSAGE",
    ),
    Format(
        "the report of a failed batch of a stream",
        "it contains no records; use another failure destination for the function",
        ("requestContext",),
        _is_failed_batch,
    ),
    Format("a lifecycle hook of Auto Scaling", OTHER_QUEUE, ("LifecycleHookName",)),
    Format("a lifecycle hook of Auto Scaling", OTHER_QUEUE, ("LifecycleActionToken",)),
    Format("a notification of Auto Scaling", OTHER_QUEUE, ("Event",), _starts_with("Event", "autoscaling:")),
    Format("an alarm of CloudWatch", OTHER_QUEUE, ("AlarmName",)),
    Format("an event of RDS", OTHER_QUEUE, ("Event Source", "Event ID")),
    Format("a notification of CloudTrail", OTHER_QUEUE, ("s3Bucket", "s3ObjectKey")),
    Format("a notification of AWS Config", OTHER_QUEUE, ("messageType", "notificationCreationTime")),
    Format("a request of CloudFormation", OTHER_QUEUE, ("RequestType", "ResponseURL")),
    Format("a job of CodePipeline", OTHER_QUEUE, ("CodePipeline.job",)),
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
    Format(
        "a message of MassTransit",
        f"{SEND_ALONE}: the value of `message`",
        ("messageType", "message"),
        lambda data: isinstance(data["messageType"], list),
    ),
    Format("a message of NServiceBus", SEND_ALONE, ("Headers", "Body")),
    Format("a message of Symfony Messenger", SEND_ALONE, ("body", "headers")),
    Format("an event of CloudEvents", f"{SEND_ALONE}: the value of `data`", ("specversion", "source")),
)  # fmt: skip


def describe(data: Mapping[str, Any]) -> str | None:
    """Return the format of an object and the remedy, or None."""
    return describe_program(data) or _describe_members(data) or _describe_service(data)


def describe_program(data: Mapping[str, Any]) -> str | None:
    """Return which of FORMATS an object has and the remedy, or None."""
    for fields in (data, *wrappers.find_records(data)[1][:1]):
        for each in FORMATS:
            if fields.keys() >= set(each.fields) and each.matches(fields):
                return str(each)
    return None


def _describe_service(data: Mapping[str, Any]) -> str | None:
    """Return the remedy for an event of any other service of AWS, or None."""
    for fields in (data, *wrappers.find_records(data)[1][:1]):
        source = fields.get("eventSource")
        if isinstance(source, str) and source.startswith("aws:"):
            return f"is an event of an AWS service, not a log: {OTHER_QUEUE}"
    return None


def _describe_members(data: Mapping[str, Any]) -> str | None:
    """Return in which field an object holds logs and the remedy, or None."""
    field, records = wrappers.find_records(data)
    if len(records) > 1 and wrappers.find({**data, field: records[:1]}):
        return f"holds {len(records)} values in `{field}`: send each log as a message of its own"
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
