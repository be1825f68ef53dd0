"""The writer's Lambda function: stores the logs in a batch of SQS messages."""

import logging
import os
import time
import traceback
from collections import Counter
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from botocore.exceptions import ParamValidationError

# Imported before pydantic: Powertools builds models if pydantic is loaded already, which slows a cold start.
from ingest.writing import batch

# isort: split
from ingest import messages
from ingest.writing import dead_letters, deletion, groups, memory
from ingest.writing.deliveries import Delivery
from ingest.writing.result import Outcome
from ingest.writing.retry import Deadline, OutOfTime
from logs.storage import choices, rejections
from logs.storage.errors import AWS_ERRORS

# Each stage of an account has its own metrics.
SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME") or "logsite-writer"

logger = Logger(service=SERVICE, utc=True)

# At DEBUG these log whole requests, payloads included.
for name in ("boto3", "botocore", "pynamodb"):
    logging.getLogger(name).setLevel(logging.INFO)

# In CloudWatch's embedded metric format, with one dimension: the service.
metrics = Metrics(namespace="Logsite", service=SERVICE)

choices_writer = choices.ChoicesWriter()

DEAD_LETTERED = "dead_lettered"


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Store the logs of an SQS event. Return `{"batchItemFailures": [{"itemIdentifier": …}]}`.

    A message that can never be stored goes to the dead-letter queue and counts as processed. Every other
    failure is reported as a batch item failure, and SQS redelivers only that message: the event source
    mapping must have ReportBatchItemFailures. Never raise because of a single record.
    """
    deadline = Deadline(context)
    store = partial(groups.store, deadline=deadline, finish=partial(_finish, deadline=deadline))
    processor = batch.GroupedBatchProcessor(store, partial(deletion.delete, logger=logger))
    with processor(event["Records"], partial(record_handler, deadline=deadline)):
        results = processor.process()
    if deadline.has_time():
        choices_writer.write()
    for record, (_, error, _) in zip(processor.fail_messages, processor.exceptions, strict=True):
        _log_failure(record, error)
    outcomes = Counter(result for status, result, _ in results if status == "success")
    counts: dict[str, Any] = {
        "messages": len(results),
        "written": outcomes[Outcome.WRITTEN],
        "duplicate": outcomes[Outcome.DUPLICATE],
        "dead_lettered": outcomes[DEAD_LETTERED],
        "failed": len(processor.fail_messages),
    }
    logger.info("batch", **counts, request_id=getattr(context, "aws_request_id", None))
    for name, count in counts.items():
        metrics.add_metric(name, MetricUnit.Count, count)
    if ages := [age for record in event["Records"] if (age := _age(record)) is not None]:
        metrics.add_metric("oldest_age", MetricUnit.Seconds, max(ages))
    metrics.flush_metrics()
    return dict(processor.response())


# Powertools passes the record by the keyword `record`; renaming the parameter would fail every record.
def record_handler(record: SQSRecord, deadline: Deadline) -> str:
    """Store one large message, or send it to the dead-letter queue. Return its outcome.

    Raise an error if SQS has to redeliver the message: OutOfTime, one of AWS_ERRORS, or NotDeadLettered.
    """
    return groups.store_one(record.raw_event, deadline=deadline, finish=partial(_finish, deadline=deadline))


def _finish(delivery: Delivery, result: Outcome | messages.Rejected, deadline: Deadline) -> str:
    """Return the outcome of a delivery. A rejected one is sent to the dead-letter queue.

    Raise NotDeadLettered.
    """
    if isinstance(result, messages.Rejected):
        _dead_letter(delivery, result, deadline)
        return DEAD_LETTERED
    if not isinstance(delivery.content, messages.Rejected):
        choices_writer.record_log(delivery.content)
    return result


def _dead_letter(delivery: Delivery, rejection: messages.Rejected, deadline: Deadline) -> None:
    """Send a message to the dead-letter queue, and store why under its log id. Raise NotDeadLettered."""
    dead_letters.send(delivery.record, delivery.envelope, rejection)
    log_id = rejection.log_id or delivery.envelope.log_id
    fields = list(rejection.fields)
    details: dict[str, Any] = {
        "message_id": delivery.envelope.message_id,
        "log_id": log_id,
        "code": rejection.code,
    }
    logger.warning("dead letter", **details, fields=fields)
    if (sent_id := rejection.log_id or delivery.envelope.sent_id) is None:
        return
    try:
        if not deadline.has_time():
            raise OutOfTime
        rejections.put(sent_id, rejection.code, fields)
    except (OutOfTime, *AWS_ERRORS) as error:
        # The message is safe in the dead-letter queue, and its reason is there too.
        logger.warning("rejection not stored", **details, error=type(error).__name__, reason=str(error))


def _age(record: dict[str, Any]) -> float | None:
    """Return the seconds since SQS received a message, or None without its attributes."""
    try:
        return max(0.0, time.time() - int(record["attributes"]["SentTimestamp"]) / 1000)
    except (KeyError, ValueError):
        return None


def _log_failure(record: Any, error: BaseException | None) -> None:
    """Log the reason of a batch item failure, without any value of the message."""
    code = None
    if isinstance(error, dead_letters.NotDeadLettered):
        code, error = error.rejection.code, error.error
    logger.error(
        "failed",
        message_id=record.message_id,
        log_id=_log_id(record),
        error=type(error).__name__,
        reason=_reason(error),
        code=code,
    )


def _log_id(record: Any) -> str | None:
    """Return the log id of a failed record.

    It is None without SQS's attributes, and for a large message: parsing it again takes a second.
    """
    try:
        if memory.is_large(record.body):
            return None
        envelope = messages.envelope(record.raw_event)
        return messages.parse(record.body).id or envelope.log_id
    except messages.Rejected as rejection:
        return rejection.log_id or envelope.log_id
    except (KeyError, ValueError):
        return None


# The texts of these errors never quote a message. ParamValidationError, a BotoCoreError, is the exception.
_ERRORS_WITHOUT_VALUES = (
    *AWS_ERRORS,
    OutOfTime,
    dead_letters.NoRoomForAttributes,
    dead_letters.NoDeadLetterQueue,
)


def _reason(error: BaseException | None) -> str:
    """Return the text of an error, or a traceback if it may quote the message.

    The traceback holds names of functions and lines only.
    """
    if isinstance(error, _ERRORS_WITHOUT_VALUES) and not isinstance(error, ParamValidationError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__) if error else []
    return " < ".join(f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in reversed(frames))
