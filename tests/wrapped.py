"""A log in the wrapper of each AWS service, and in each encoding, that the writer reads."""

import base64
import json
import zlib
from typing import Any

from ingest.messages import DEFLATE


def encoded(text: str) -> str:
    """Return a text in base64."""
    return base64.b64encode(text.encode()).decode()


def sns(message: str) -> dict[str, Any]:
    """Return an SNS notification, as SQS gets it without raw message delivery."""
    return {
        "Type": "Notification",
        "MessageId": "63a3f6b6-d533-4a47-aef9-fcf5cf758c76",
        "TopicArn": "arn:aws:sns:us-west-2:123456789012:MyTopic",
        "Subject": "A log",
        "Message": message,
        "Timestamp": "2012-03-29T05:12:16.901Z",
        "SignatureVersion": "1",
        "Signature": "EXAMPLE",
        "UnsubscribeURL": "https://sns.us-west-2.amazonaws.com/?Action=Unsubscribe",
        "MessageAttributes": {"type": {"Type": "String", "Value": "login"}},
    }


def event(detail: Any) -> dict[str, Any]:
    """Return an event of EventBridge."""
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": "log",
        "source": "shop",
        "account": "111122223333",
        "time": "2017-12-22T18:43:48Z",
        "region": "us-west-1",
        "resources": [],
        "detail": detail,
    }


def record(source: str, **fields: Any) -> dict[str, Any]:
    """Return a record of a pipe or of a Lambda event."""
    return {"messageId": "19dd0b57-b21e-4ac1-bd88-01bbb068cb78", "awsRegion": "eu-west-1", **fields,
            "eventSource": source}  # fmt: skip


def destination(request: Any, response: Any = None) -> dict[str, Any]:
    """Return a message of a Lambda function's destination."""
    return {
        "version": "1.0",
        "timestamp": "2019-11-14T18:16:05.568Z",
        "requestContext": {"requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e", "condition": "Success"},
        "requestPayload": request,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": response,
    }


def log_events(*messages: str) -> dict[str, Any]:
    """Return a batch of a subscription of CloudWatch Logs."""
    events = [{"id": "1", "timestamp": 1, "message": message} for message in messages]
    return {"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "shop", "logEvents": events}


def firehose(*records: str) -> dict[str, Any]:
    """Return an event of Lambda for Firehose."""
    return {"invocationId": "1", "deliveryStreamArn": "arn",
            "records": [{"recordId": "1", "data": encoded(record)} for record in records]}  # fmt: skip


def wrap(log: dict[str, Any]) -> dict[str, Any]:
    """Return messages that hold a log, by the name of their wrapper."""
    text = json.dumps(log)
    deflated = {DEFLATE: base64.b64encode(zlib.compress(text.encode())).decode()}
    compressed = json.dumps(deflated)
    sns_record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "Sns": {"Message": text, "Type": "Notification"},
    }
    api_gateway = {"httpMethod": "POST", "headers": {}, "body": text, "isBase64Encoded": False}
    return {
        "lambda_event_of_kafka": {"eventSource": "aws:kafka", "records": {"t-0": [{"value": encoded(text)}]}},
        "lambda_event_of_own_kafka": {
            "eventSource": "SelfManagedKafka",
            "records": {"t-0": [], "t-1": [{"value": encoded(text)}]},
        },
        "lambda_event_of_activemq": {"eventSource": "aws:mq", "messages": [{"data": encoded(text)}]},
        "lambda_event_of_rabbitmq": {
            "eventSource": "aws:rmq",
            "rmqMessagesByQueue": {"q::/": [{"basicProperties": {}, "data": encoded(text)}]},
        },
        "firehose": firehose(text),
        "firehose_request": {"requestId": "1", "timestamp": 1, "records": [{"data": encoded(text)}]},
        "cloudwatch_logs_event": log_events(text),
        "received_messages": {"Messages": [{"MessageId": "1", "ReceiptHandle": "x", "Body": text}]},
        "list_of_sns": [sns(text)],
        "list_of_sqs": [record("aws:sqs", body=text)],
        "list_of_eventbridge": [event(log)],
        "list_of_text": [text],
        "list_of_base64": [encoded(text)],
        "list_of_list": [[log]],
        "list_of_compressed": [deflated],
        "list_in_sns": sns(json.dumps([log])),
        "list_in_eventbridge": event([log]),
        "list_in_a_destination": destination([log]),
        "wrapped_list_in_a_destination": destination([event(log)]),
        "text_of_base64": json.dumps(encoded(text)),
        "eventbridge_compressed": event(deflated),
        "destination_compressed": destination(deflated),
        "compressed_base64": encoded(compressed),
        "compressed_base64_lines": "\n".join(
            encoded(compressed)[n : n + 7] for n in range(0, 2000, 7)
        ).strip(),
        "compressed_base64_twice": record("aws:kinesis", data=encoded(encoded(compressed))),
        "compressed_kinesis": {"Records": [record("aws:kinesis", kinesis={"data": encoded(compressed)})]},
        "compressed_sns_in_kafka": record("aws:kafka", value=encoded(json.dumps(sns(compressed)))),
        "compressed_firehose": firehose(compressed),
        "sns": sns(text),
        "sns_of_an_emulator": {"Type": "Notification", "MessageId": "1", "Message": text},
        "sns_compressed": sns(compressed),
        "sns_with_byte_order_mark": sns("\ufeff" + text),
        "eventbridge": event(log),
        "eventbridge_text": event(text),
        "eventbridge_through_sns": sns(json.dumps(event(log))),
        "sns_through_a_pipe": record("aws:sqs", body=json.dumps(sns(text)), receiptHandle="x"),
        "pipe_from_sqs": record("aws:sqs", body=text, receiptHandle="x", attributes={}),
        "pipe_from_kinesis": record("aws:kinesis", data=encoded(text), partitionKey="1"),
        "pipe_from_kafka": record("aws:kafka", value=encoded(text), topic="logs"),
        "pipe_from_activemq": record("aws:amq", data=encoded(text)),
        "lambda_event_of_sqs": {"Records": [record("aws:sqs", body=text)]},
        "lambda_event_of_sns": {"Records": [sns_record]},
        "lambda_event_of_kinesis": {"Records": [record("aws:kinesis", kinesis={"data": encoded(text)})]},
        "destination_request": destination(log, "ok"),
        "destination_response": destination({"order": 7}, log),
        "destination_of_sns": destination({"Records": [sns_record]}),
        "received_message": {"MessageId": "1", "ReceiptHandle": "x", "MD5OfBody": "y", "Body": text},
        "send_message_request": {"QueueUrl": "https://sqs/1/logs", "MessageBody": log},
        "api_gateway": api_gateway,
        "api_gateway_base64": {**api_gateway, "body": encoded(text), "isBase64Encoded": True},
        "iot_base64": encoded(text),
        "base64_of_boto": base64.encodebytes(text.encode()).decode(),
        "text_in_text": json.dumps(text),
        "text_in_text_in_text": json.dumps(json.dumps(text)),
        "list_of_one": [log],
        "compressed_wrapper": {
            DEFLATE: base64.b64encode(zlib.compress(json.dumps(sns(text)).encode())).decode()
        },
    }


def body_of(message: Any) -> str:
    """Return a message as the body of an SQS message."""
    return message if isinstance(message, str) else json.dumps(message)
