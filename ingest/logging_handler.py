"""For those who prefer Python's logging: a handler that enqueues each record as a log."""

import logging
import threading
from datetime import UTC, datetime
from typing import Any

from ingest.client import LogClient
from ingest.messages import LogMessage
from ingest.sending.sender import THREAD_NAME

# What the client itself and those beneath it log would come back to it.
OWN = ("ingest", "boto3", "botocore", "urllib3")
# What every record has, whatever was passed in `extra`.
USUAL = {*vars(logging.makeLogRecord({})), "message", "asctime"}


class LogHandler(logging.Handler):
    """Enqueues records; `extra` may set any field of a log, and `defaults` those that a record does not set.

    Without either, account and user are 0 (no one), the type is `log`, the sub type is the level's name and
    the url is empty. The payload holds level, logger, message, the exception's text, and what else there is
    in `extra`.
    """

    def __init__(self, client: LogClient, level: int | str = logging.NOTSET, **defaults: Any) -> None:
        super().__init__(level)
        self._client = client
        self._defaults = {"account_id": 0, "user_id": 0, "type": "log", "url": "", **defaults}

    def filter(self, record: logging.LogRecord) -> Any:
        """Leave out what the client's own sending logs, before the handler's lock is taken."""
        is_own = record.name.partition(".")[0] in OWN or threading.current_thread().name == THREAD_NAME
        return False if is_own else super().filter(record)

    def emit(self, record: logging.LogRecord) -> None:
        """Enqueue a record. Never raises; `logging.raiseExceptions` decides whether a failure is printed."""
        try:
            self._client.enqueue(**self._fields(record))
        except Exception:  # noqa: BLE001  as every handler of the standard library
            self.handleError(record)

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        extra = {name: value for name, value in vars(record).items() if name not in USUAL}
        named = {name: extra.pop(name) for name in LogMessage.model_fields if name in extra}
        payload: dict[str, Any] = {
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            payload["exception"] = logging.Formatter().formatException(record.exc_info)
        return {
            "created_at": datetime.fromtimestamp(record.created, UTC),
            "sub_type": record.levelname.lower(),
            "payload": {**payload, **extra},
            **self._defaults,
            **named,
        }
