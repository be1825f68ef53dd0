"""The Lambda function that takes messages off the queue and stores them. It only wires."""

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
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from pynamodb.exceptions import PynamoDBException

# `batch` before what loads pydantic: once that is loaded, Powertools builds models of its own for it.
from ingest.writing import batch

# isort: split
from ingest import messages
from ingest.writing import dead_letters
from ingest.writing import items as writer
from ingest.writing.retry import OutOfTime, Patience
from logs import choices

# Each stage of one account counts for itself.
SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME") or "logsite-writer"

logger = Logger(service=SERVICE, utc=True)

# At DEBUG these write whole requests, payloads included.
for name in ("boto3", "botocore", "pynamodb"):
    logging.getLogger(name).setLevel(logging.INFO)

# In CloudWatch's embedded format, with one dimension: the service.
metrics = Metrics(namespace="Logsite", service=SERVICE)

registry = choices.Registry()

DEAD_LETTERED = "dead_lettered"


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Store the logs of an SQS event; answer `{"batchItemFailures": [{"itemIdentifier": …}]}`.

    A message that can never be stored goes to the dead-letter queue and counts as done. Every other failure
    is answered, and SQS delivers that message again: the mapping must have ReportBatchItemFailures.
    """
    processor = batch.SideBySide()
    with processor(event["Records"], partial(record_handler, patience=Patience(context))):
        results = processor.process()
    for record, (_, error, _) in zip(processor.fail_messages, processor.exceptions, strict=True):
        _log_failure(record, error)
    counts = Counter(result for status, result, _ in results if status == "success")
    told: dict[str, Any] = {
        "messages": len(results),
        "written": counts[writer.Outcome.WRITTEN],
        "duplicate": counts[writer.Outcome.DUPLICATE],
        "dead_lettered": counts[DEAD_LETTERED],
        "failed": len(processor.fail_messages),
    }
    logger.info("batch", **told, request_id=getattr(context, "aws_request_id", None))
    for name, number in told.items():
        metrics.add_metric(name, MetricUnit.Count, number)
    if ages := [age for record in event["Records"] if (age := _age(record)) is not None]:
        metrics.add_metric("oldest_age", MetricUnit.Seconds, max(ages))
    metrics.flush_metrics()
    return dict(processor.response())


# Powertools passes the record by this very name; under any other, every record would fail.
def record_handler(record: SQSRecord, patience: Patience) -> str:
    """Store one message, or send it to the dead-letter queue; return what became of it.

    Raises where only trying again can help.
    """
    raw = record.raw_event
    known = messages.envelope(raw)
    try:
        item = writer.to_item(messages.parse(record.body), known)
        outcome = patience.keep_trying(partial(writer.put, item))
        registry.note(item.type, item.sub_type)
        return outcome
    except messages.Rejected as refusal:
        dead_letters.send(raw, known, refusal)
        logger.warning(
            "dead letter",
            message_id=known.message_id,
            log_id=refusal.log_id or known.log_id,
            code=refusal.code,
            fields=list(refusal.fields),
        )
        return DEAD_LETTERED


def _age(record: dict[str, Any]) -> float | None:
    """Return how many seconds ago SQS received a message, or None where the record is none of SQS's."""
    try:
        return max(0.0, time.time() - int(record["attributes"]["SentTimestamp"]) / 1000)
    except (KeyError, ValueError):
        return None


def _log_failure(record: Any, error: BaseException | None) -> None:
    """Say why a message is to come again, never with a value of the message in it."""
    # A refused message whose dead letter could not be sent.
    refusal = error.__context__ if error else None
    logger.error(
        "failed",
        message_id=record.message_id,
        log_id=_log_id(record),
        error=type(error).__name__,
        reason=_reason(error),
        code=refusal.code if isinstance(refusal, messages.Rejected) else None,
    )


def _log_id(record: Any) -> str | None:
    """Return the id that the log of a failed record has, or None where the record is none of SQS's."""
    try:
        known = messages.envelope(record.raw_event)
        return messages.parse(record.body).id or known.log_id
    except messages.Rejected as refusal:
        return refusal.log_id or known.log_id
    except (KeyError, ValueError):
        return None


def _reason(error: BaseException | None) -> str:
    """Return an error's text where it is known to quote no message, else the place it was raised at."""
    plain = (
        BotoCoreError
        | ClientError
        | PynamoDBException
        | OutOfTime
        | dead_letters.NoRoom
        | dead_letters.NoDeadLetterQueue
    )
    if isinstance(error, plain) and not isinstance(error, ParamValidationError):
        return str(error)
    places = traceback.extract_tb(error.__traceback__) if error else []
    return " < ".join(f"{place.name} ({place.filename}:{place.lineno})" for place in reversed(places))
