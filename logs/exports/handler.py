"""The Lambda function that works on exports. The site invokes it, and it invokes itself."""

import logging
import os
from typing import Any

from aws_lambda_powertools import Logger

from logs.exports import launch, worker
from logs.exports.files import FilesUnavailable, files
from logs.exports.worker import Outcome
from logs.storage.errors import StoreUnavailable

SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME") or "logsite-exports"

logger = Logger(service=SERVICE, utc=True)

# At DEBUG these log whole requests, payloads included.
for name in ("boto3", "botocore", "pynamodb"):
    logging.getLogger(name).setLevel(logging.INFO)


class ExportFailed(Exception):
    """A worker failed. Lambda invokes the function again, twice at most."""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Work on the export `{"owner": …, "export": …}` until the time is over. Return the outcome.

    An unfinished export invokes the function again. Lambda may deliver an event twice, or retry it: one
    worker at a time works on an export. Raise ExportFailed, without the values of any log.
    """
    owner, export_id = str(event["owner"]), str(event["export"])
    each = files()
    if each is None:
        raise ExportFailed("LOGS_EXPORTS_BUCKET is not set")

    def seconds_left() -> float:
        milliseconds: int = context.get_remaining_time_in_millis()
        return milliseconds / 1000

    invocation: dict[str, Any] = {"export": export_id, "request_id": getattr(context, "aws_request_id", None)}
    try:
        outcome = worker.run(owner, export_id, each, seconds_left)
        if outcome is Outcome.UNFINISHED:
            launch.start(owner, export_id)
    except (StoreUnavailable, FilesUnavailable, launch.NotStarted) as error:
        logger.error("failed", error=type(error).__name__, reason=str(error), **invocation)
        raise ExportFailed(type(error).__name__) from None
    except Exception as error:  # noqa: BLE001  Lambda would log its text, which may quote a log
        logger.error("failed", error=type(error).__name__, **invocation)
        raise ExportFailed(type(error).__name__) from None
    logger.info("run", outcome=outcome.value, **invocation)
    return {"outcome": outcome.value}
