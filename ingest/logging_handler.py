"""A handler for Python's logging that enqueues each record as a log."""

import logging
import threading
from datetime import UTC, datetime
from typing import Any

from ingest import context
from ingest.client import LogClient
from ingest.messages import LogMessage
from ingest.sending.sender import THREAD_NAME

# Sending a log may log records to these loggers and to loggers below them. To send those would never end. An
# application's own loggers below `ingest` are not among them.
IGNORED_LOGGERS = ("ingest.client", "ingest.django", "ingest.cli.relay", "boto3", "botocore", "urllib3")

# The attributes of every record. All others come from `extra`.
RECORD_ATTRIBUTES = {*vars(logging.makeLogRecord({})), "message", "asctime"}


class LogHandler(logging.Handler):
    """Enqueues each record of Python's logging as a log.

    - `client`: the client that sends the logs.
    - `defaults`: values of fields that a record does not set. The built-in ones are `log` for the type, the
      level's name for the subtype, 0 (no one) for account and user, and an empty url. Inside a request with a
      LogContextMiddleware, account, user and url are those of the request.

    A record sets fields with `extra`. The payload holds level, logger, message, the exception's text, and the
    other entries of `extra`.
    """

    def __init__(self, client: LogClient, level: int | str = logging.NOTSET, **defaults: Any) -> None:
        super().__init__(level)
        self._client = client
        self._defaults = {"type": "log", **defaults}

    def filter(self, record: logging.LogRecord) -> Any:
        """Return whether to handle a record: not if sending a log caused it.

        Called before the handler's lock is acquired.
        """
        return False if _comes_from_sending(record) else super().filter(record)

    def emit(self, record: logging.LogRecord) -> None:
        """Enqueue a record. Never raise; `logging.raiseExceptions` decides whether a failure is printed."""
        try:
            self._client.enqueue(**self._fields(record))
        except Exception:  # noqa: BLE001  as in every handler of the standard library
            self.handleError(record)

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        extra = {name: value for name, value in vars(record).items() if name not in RECORD_ATTRIBUTES}
        fields = {name: extra.pop(name) for name in LogMessage.model_fields if name in extra}
        payload: dict[str, Any] = {
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            payload["exception"] = logging.Formatter().formatException(record.exc_info)
        log = {
            "created_at": datetime.fromtimestamp(record.created, UTC),
            "sub_type": record.levelname.lower(),
            "payload": {**payload, **extra},
            **self._defaults,
            **fields,
        }
        # Django logs some errors of a request after its middleware, with the request as `extra`.
        log_context = context.current() or context.context_of(extra.get("request"))
        merged = context.merge(log, log_context)
        return {**context.NO_ONE, "url": "", **merged}


def _comes_from_sending(record: logging.LogRecord) -> bool:
    """Return whether the sender thread, or a logger in IGNORED_LOGGERS, logged a record."""
    if threading.current_thread().name == THREAD_NAME:
        return True
    return any(record.name == name or record.name.startswith(f"{name}.") for name in IGNORED_LOGGERS)
