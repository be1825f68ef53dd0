"""A log in the wrapper of an AWS service is stored, and another program's message is named."""

import base64
import json
import zlib
from typing import Any

import pytest

from ingest.cli.ndjson import parse_line
from ingest.handler import lambda_handler
from ingest.messages import DEFLATE, InvalidMessage, envelope, parse
from ingest.writing import items, memory
from logs.models import LogItem
from tests.factories import LOG_ID, NO_FAILURES, make_body, make_event, make_fields, make_record
from tests.items import logs
from tests.queues import Queues, attribute_texts
from tests.wrapped import body_of, destination, encoded, event, firehose, log_events, record, sns, wrap

pytest_plugins = ["tests.sqs_server"]

LOG = make_fields(id=LOG_ID, payload={"text": "é😀", "detail": {"Message": "x"}}, extra=1)
TEXT = json.dumps(LOG)
WRAPPED = wrap(LOG)
SNS_RECORD = WRAPPED["lambda_event_of_sns"]["Records"][0]
API_GATEWAY = WRAPPED["api_gateway"]
COMPRESSED_OBJECT = WRAPPED["eventbridge_compressed"]["detail"]
COMPRESSED = json.dumps(COMPRESSED_OBJECT)


def rejection_of(message: Any) -> InvalidMessage:
    with pytest.raises(InvalidMessage) as caught:
        parse(body_of(message))
    return caught.value


@pytest.mark.parametrize("name", WRAPPED)
def test_wrapped_log_is_the_log_itself(name: str) -> None:
    body = body_of(WRAPPED[name])

    assert parse(body) == parse(TEXT)


def test_wrapped_log_is_stored_once(logs_table: None, queues: Queues) -> None:
    wrapped = make_record(json.dumps(sns(make_body())))

    for _ in range(2):
        assert lambda_handler(make_event(wrapped, make_record(TEXT)), None) == NO_FAILURES
    assert (
        lambda_handler(make_event(*[body_of(message) for message in WRAPPED.values()]), None) == NO_FAILURES
    )

    assert len(logs()) == 2
    assert LogItem.get(LOG_ID).url == "/login"
    assert queues.dead_letters() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"Type": "Notification", "Message": make_body(account_id=8), "TopicArn": "x"},
        {"detail-type": "x", "source": "y", "detail": make_fields(account_id=8)},
        {"Records": [record("aws:sqs", body=make_body(account_id=8))]},
        {"requestPayload": make_fields(account_id=8), "requestContext": {}},
        {"job": "x", "data": {}, "specversion": "1.0", "messageType": [], "message": {}},
        {"body": make_body(account_id=8), "isBase64Encoded": False},
    ],
)
def test_log_with_the_fields_of_a_wrapper_stays_a_log(changes: dict[str, Any]) -> None:
    message = parse(make_body(**changes))
    assert (message.account_id, message.model_extra) == ("7", changes)

    assert rejection_of(make_fields(type="", **changes)).fields.keys() == {"type"}


FOREIGN: dict[str, tuple[Any, str, str]] = {
    "laravel": (
        {
            "uuid": "1",
            "displayName": "App\\Jobs\\Log",
            "job": "Illuminate\\Queue\\CallQueuedHandler@call",
            "maxTries": None,
            "data": {"commandName": "App\\Jobs\\Log", "command": 'O:12:"App\\Jobs\\Log"'},
        },
        "invalid_fields",
        "is a job of Laravel",
    ),
    "celery": (
        {
            "body": "W1tdLCB7fV0=",
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"lang": "py", "task": "shop.log"},
            "properties": {"body_encoding": "base64"},
        },
        "invalid_fields",
        "is a task of Celery",
    ),
    "celery_base64": (
        encoded(json.dumps({"body": "W10=", "headers": {}, "properties": {}})),
        "invalid_fields",
        "is a task of Celery",
    ),
    "dramatiq": (
        {"queue_name": "q", "actor_name": "log", "args": [], "kwargs": {}},
        "invalid_fields",
        "Dramatiq",
    ),
    "active_job": ({"job_class": "LogJob", "job_id": "1", "arguments": []}, "invalid_fields", "Active Job"),
    "sidekiq": ({"class": "LogJob", "args": [], "jid": "1"}, "invalid_fields", "Sidekiq"),
    "masstransit": (
        {"messageId": "1", "messageType": ["urn:message:Log"], "message": LOG},
        "invalid_fields",
        "MassTransit",
    ),
    "symfony": ({"body": "{}", "headers": {"type": "App\\Log"}}, "invalid_fields", "Symfony Messenger"),
    "cloudevents": (
        {"specversion": "1.0", "type": "log", "source": "/shop", "id": "1", "data": LOG},
        "invalid_fields",
        "an event of CloudEvents, not a log: send the log itself",
    ),
    "subscription": (
        {
            "Type": "SubscriptionConfirmation",
            "Token": "2",
            "TopicArn": "arn",
            "Message": "You have",
            "SubscribeURL": "https://sns",
        },
        "invalid_fields",
        "open its `SubscribeURL`",
    ),
    "s3": (
        {"Records": [record("aws:s3", s3={"bucket": {}}), record("aws:s3", s3={})]},
        "invalid_fields",
        "is a notification of S3",
    ),
    "s3_test": (
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"},
        "invalid_fields",
        "test event of S3",
    ),
    "s3_through_sns": (
        sns(json.dumps({"Records": [record("aws:s3", s3={})]})),
        "invalid_fields",
        "in the `Message` of an SNS notification: body: is a notification of S3",
    ),
    "dynamodb": (
        record("aws:dynamodb", dynamodb={"NewImage": {}}),
        "invalid_fields",
        "change of a DynamoDB item",
    ),
    "cloudwatch_logs": ({"awslogs": {"data": "H4sI"}}, "invalid_fields", "CloudWatch Logs"),
    "laravel_with_a_user": ({"job": "x", "data": {}, "user_id": 1}, "invalid_fields", "is a job of Laravel"),
    "celery_with_an_account": (
        {"task": "t", "args": [], "kwargs": {}, "account_id": 7, "user_id": 1},
        "invalid_fields",
        "is a task of Celery",
    ),
    "s3_through_eventbridge": (
        {**event({"bucket": {"name": "b"}}), "source": "aws.s3", "detail-type": "Object Created"},
        "invalid_fields",
        "is a notification of S3, not a log: remove this queue from the targets",
    ),
    "ec2_through_eventbridge": (
        {**event({"state": "running"}), "source": "aws.ec2"},
        "invalid_fields",
        "is an event of an AWS service, not a log: remove this queue",
    ),
    "failed_batch": (
        {
            "requestContext": {"condition": "RetryAttemptsExhausted"},
            "responseContext": {},
            "KinesisBatchInfo": {"shardId": "1"},
        },
        "invalid_fields",
        "the report of a failed batch of a stream",
    ),
    "failed_batch_of_dynamodb": (
        {"requestContext": {}, "DDBStreamBatchInfo": {}},
        "invalid_fields",
        "the report of a failed batch of a stream",
    ),
    "lifecycle_hook": (
        {"LifecycleHookName": "h", "AutoScalingGroupName": "g", "LifecycleTransition": "x"},
        "invalid_fields",
        "is a lifecycle hook of Auto Scaling",
    ),
    "auto_scaling_test": (
        {"AccountId": "1", "Event": "autoscaling:TEST_NOTIFICATION", "RequestId": "1"},
        "invalid_fields",
        "is a notification of Auto Scaling",
    ),
    "dynamodb_event": (
        {"Records": [record("aws:dynamodb", dynamodb={})]},
        "invalid_fields",
        "change of a DynamoDB item",
    ),
    "codecommit": (
        {"Records": [record("aws:codecommit", codecommit={})]},
        "invalid_fields",
        "is an event of an AWS service, not a log",
    ),
    "control_message": (
        {**log_events("CWL CONTROL MESSAGE"), "messageType": "CONTROL_MESSAGE"},
        "invalid_fields",
        "is a control message of CloudWatch Logs",
    ),
    "several_log_events": (log_events(TEXT, TEXT), "invalid_fields", "holds 2 values in `logEvents`"),
    "several_of_firehose": (firehose(TEXT, TEXT), "invalid_fields", "holds 2 values in `records`"),
    "several_of_kafka": (
        {"eventSource": "aws:kafka", "records": {"t-0": [{"value": "x"}], "t-1": [{"value": "x"}]}},
        "invalid_fields",
        "holds 2 values in `records`",
    ),
    "list_of_logs_in_eventbridge": (
        event([LOG, LOG]),
        "not_an_object",
        "in the `detail` of an EventBridge event: body: must be a JSON object, not a list",
    ),
    "text_in_cloudwatch_logs": (
        log_events("START"),
        "not_json",
        "in the `message` of a CloudWatch Logs event",
    ),
    "unknown": ({"temperature": 21, "unit": "C"}, "invalid_fields", "is not a log: it must have account_id"),
    "alarm": (
        sns(json.dumps({"AlarmName": "x", "NewStateValue": "ALARM"})),
        "invalid_fields",
        "alarm of CloudWatch",
    ),
    "extended_client": (
        ["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3Key": "k"}],
        "not_an_object",
        "pointer to S3",
    ),
    "list_of_logs": ([LOG, LOG], "not_an_object", "not a list: send each log as a message of its own"),
    "lines": (f"{TEXT}\n{TEXT}", "not_json", "send each log as a message of its own"),
    "several_records": (
        {"Records": [record("aws:sqs", body=TEXT)] * 2},
        "invalid_fields",
        "holds 2 values in `Records`",
    ),
    "list_in_a_field": ({"logs": [LOG, LOG, LOG]}, "invalid_fields", "holds 3 values in `logs`"),
    "list_of_one_in_a_field": ({"logs": [LOG]}, "invalid_fields", "holds one in `logs`"),
    "log_in_a_field": ({"log": LOG}, "invalid_fields", "holds one in `log`"),
    "log_text_in_a_field": ({"data": TEXT}, "invalid_fields", "holds one in `data`"),
    "php": ('O:36:"Symfony\\Component\\Messenger\\Envelope":1:{}', "not_json", "is serialized by PHP"),
    "xml": ("<log/>", "not_json", "is XML"),
    "form": ("Action=SendMessage&MessageBody=%7B%7D", "not_json", "is encoded as a form"),
    "gzip": ("H4sIAAAAAAAAA6tWAgBDv6ajAQAAAA==", "not_json", "is compressed by gzip"),
    "text_in_sns": (
        sns("Hello world!"),
        "not_json",
        "in the `Message` of an SNS notification: body: must be JSON",
    ),
    "scheduled": (
        event("{}"),
        "invalid_fields",
        "in the `detail` of an EventBridge event: body: is not a log",
    ),
    "destination_without": (
        destination({"a": 1}, None),
        "invalid_fields",
        "is not a log: it must have account_id, ",
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_message_of_another_program_is_named(name: str) -> None:
    message, code, text = FOREIGN[name]

    error = rejection_of(message)

    assert error.code == code
    assert text in str(error)
    assert "account_id: is required" not in str(error)
    assert len(str(error).encode()) <= 512


def test_error_of_a_wrapped_log_names_its_fields() -> None:
    error = rejection_of(sns(json.dumps(event(make_fields(id=LOG_ID, type="", url=...)))))

    assert (error.code, error.log_id) == ("invalid_fields", LOG_ID)
    assert error.fields == {"type": ["must be a non-empty text"], "url": ["is required"]}
    assert str(error).startswith("in the `detail` of an EventBridge event in the `Message` of an SNS notif")


def test_error_of_a_wrapped_message_contains_no_value() -> None:
    for message in (
        sns("SECRET"),
        {"SECRET\n": [LOG, LOG]},
        event({"SECRET": "SECRET"}),
        sns('{"type": "SECRET"'),
    ):
        error = rejection_of(message)
        assert "SECRET" not in f"{error!r} {error} {error.fields} {error.__cause__!r}"


def test_reason_is_in_the_dead_letter(logs_table: None, queues: Queues) -> None:
    body = json.dumps(FOREIGN["laravel"][0])

    assert lambda_handler(make_event(body), None) == NO_FAILURES

    [dead_letter] = queues.dead_letters()
    assert dead_letter["Body"] == body
    attributes = attribute_texts(dead_letter)
    assert (attributes["error-code"], attributes["error-fields"]) == ("invalid_fields", "body")
    assert attributes["error-message"].startswith("body: is a job of Laravel, not a log: send the log itself")


def test_wrappers_are_unwrapped_at_most_four_times() -> None:
    message: Any = TEXT
    for _ in range(4):
        message = json.dumps(sns(message))

    assert parse(message).url == "/login"
    assert rejection_of(sns(message)).code == "invalid_fields"
    assert rejection_of(json.dumps(json.dumps(json.dumps(TEXT)))).code == "not_an_object"


@pytest.mark.parametrize("names", [("requestPayload", "requestContext"), ("detail", "detail-type")])
def test_deep_wrappers_are_rejected(names: tuple[str, str]) -> None:
    message: Any = LOG
    for _ in range(190):
        message = {names[0]: message, names[1]: {}, "source": "aws.x"}

    assert rejection_of(message).code == "invalid_fields"


def test_wrapper_hides_no_compressed_log_from_the_budget() -> None:
    """The memory of a compressed log is reserved before it is parsed."""
    assert memory.is_large(json.dumps(sns(COMPRESSED)))
    hidden = json.dumps(sns("X")).replace('"X"', json.dumps(COMPRESSED).replace(DEFLATE, r"\u005fdeflate"))
    for body in (hidden, encoded(COMPRESSED), COMPRESSED.replace(DEFLATE, r"\u005fdeflate")):
        assert memory.is_large(body) or rejection_of(body).code == "not_deflated"
    again = json.dumps({DEFLATE: base64.b64encode(zlib.compress(COMPRESSED.encode())).decode()})
    assert rejection_of(again).code == "not_deflated"


def test_wrapped_half_character_is_noted() -> None:
    for message in (sns(make_body(payload="\udc00")), event(make_fields(payload="\udc00"))):
        parsed = parse(json.dumps(message))
        assert (parsed.payload, parsed.model_extra) == ("\ufffd", {"_replaced_surrogates": 1})


def test_wrapper_gives_no_right_to_the_accounts_of_logsite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGS_OWN_SENDERS", "AIDAOWN")
    log = make_body(account_id="_logsite")
    pipe = record("aws:sqs", body=log, attributes={"SenderId": "AIDAOWN"})
    for message in (sns(log), event(json.loads(log)), pipe, encoded(log)):
        sqs_record = make_record(body_of(message))
        item = items.to_item(parse(sqs_record["body"]), envelope(sqs_record))
        assert item.account_id == "_unverified"


def test_wrapped_line_of_a_file_keeps_its_id() -> None:
    line = json.dumps(sns(make_body(payload=1.5))).encode()

    first, again = (parse_line(line, 1, 2, "source") for _ in range(2))

    assert first == again
    assert json.loads(first.body) == {**make_fields(payload=1.5), "id": first.id}
