"""The Lambda function that builds digests. A schedule invokes it every five minutes."""

import logging
import os
import traceback
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import ParamValidationError

from logs.digests import builder
from logs.digests.builder import Progress, Result
from logs.storage import digest_items
from logs.storage.errors import AWS_ERRORS, StoreUnavailable

# Each stage of an account has its own metrics.
SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME") or "logsite-digests"

logger = Logger(service=SERVICE, utc=True)

# At DEBUG these log whole requests, payloads included.
for name in ("boto3", "botocore", "pynamodb"):
    logging.getLogger(name).setLevel(logging.INFO)

# In CloudWatch's embedded metric format, with one dimension: the service.
metrics = Metrics(namespace="Logsite", service=SERVICE)


class RunFailed(Exception):
    """A run of the builder failed. Its log line has the reason."""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Build the digests of new logs until the time is over. Return the counts of the run.

    The content of the event does not matter. Without a `context` the time is not limited. Without a table of
    digests it builds nothing. A run that is not finished is a success: the next one continues. It counts as a
    run if it made progress. Raise RunFailed, without the values of any log.
    """
    if not digest_items.is_on():
        logger.info("digests are off")
        return {}
    segments: list[Progress] = []

    def seconds_left() -> float:
        milliseconds: int = context.get_remaining_time_in_millis()
        return milliseconds / 1000

    try:
        result = builder.build(
            deadline=seconds_left if context else None, report=segments.append, is_scheduled=True
        )
    except Exception as error:  # noqa: BLE001  Lambda would log its text, which may quote a log
        # What was built before the error stays.
        _add_metrics(logs=sum(each.logs for each in segments), segments=len(segments))
        metrics.flush_metrics()
        logger.error("failed", error=type(error).__name__, reason=_reason(error), **_invocation(context))
        # Lambda logs the text of an error, and of its cause.
        raise RunFailed(type(error).__name__) from None
    counts: dict[str, Any] = {
        "logs": result.logs,
        "segments": result.segments,
        "is_finished": result.is_finished,
    }
    logger.info("run", **counts, seconds_behind=_seconds_behind(result), **_invocation(context))
    _add_metrics(logs=result.logs, segments=result.segments)
    if result.has_progress:
        # DigestsStoppedAlarm counts them.
        metrics.add_metric("runs", MetricUnit.Count, 1)
    if (seconds := _seconds_behind(result)) is not None:
        metrics.add_metric("seconds_behind", MetricUnit.Seconds, seconds)
    metrics.flush_metrics()
    return counts


def _add_metrics(*, logs: int, segments: int) -> None:
    metrics.add_metric("built_logs", MetricUnit.Count, logs)
    metrics.add_metric("built_segments", MetricUnit.Count, segments)


def _seconds_behind(result: Result) -> float | None:
    """Return the age of the newest log with digests, or None if nothing was built."""
    if result.reached is None:
        return None
    return max(0.0, (datetime.now(UTC) - result.reached).total_seconds())


def _invocation(context: Any) -> dict[str, Any]:
    return {"request_id": getattr(context, "aws_request_id", None)}


def _reason(error: Exception) -> str:
    """Return the text of an error, or a traceback if it may quote a log.

    The traceback holds names of functions and lines only.
    """
    if isinstance(error, (*AWS_ERRORS, StoreUnavailable)) and not isinstance(error, ParamValidationError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in reversed(frames))
