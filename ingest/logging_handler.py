"""A handler for Python's logging that enqueues each record as a log."""

import logging
import threading
from datetime import UTC, datetime
from typing import Any

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
    - `defaults`: values of fields that a record does not set. The built-in ones are 0 (no one) for account
      and user, `log` for the type, the level's name for the subtype, and an empty url.

    A record sets fields with `extra`. The payload holds level, logger, message, the exception's text, and the
    other entries of `extra`.
    """

    def __init__(self, client: LogClient, level: int | str = logging.NOTSET, **defaults: Any) -> None:
        super().__init__(level)
        self._client = client
        self._defaults = {"account_id": 0, "user_id": 0, "type": "log", "url": "", **defaults}

    def filter(self, record: logging.LogRecord) -> Any:
        """Return whether to handle a record: not if sending a log caused it."""
        return False if _comes_from_sending(record) else super().filter(record)

    def handle(self, record: logging.LogRecord) -> Any:
        """Emit a record if it passes the filters, without the handler's lock.

        The client is thread-safe. A forked child may inherit the lock in its locked state.
        """
        result = self.filter(record)
        if result:
            self.emit(result if isinstance(result, logging.LogRecord) else record)
        return result

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
        return {
            "created_at": datetime.fromtimestamp(record.created, UTC),
            "sub_type": record.levelname.lower(),
            "payload": {**payload, **extra},
            **self._defaults,
            **fields,
        }


def _comes_from_sending(record: logging.LogRecord) -> bool:
    """Return whether the sender thread, or a logger in IGNORED_LOGGERS, logged a record."""
    if threading.current_thread().name == THREAD_NAME:
        return True
    return any(record.name == name or record.name.startswith(f"{name}.") for name in IGNORED_LOGGERS)
