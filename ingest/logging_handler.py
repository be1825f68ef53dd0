"""A handler for Python's logging that enqueues each record as a log."""

import logging
import threading
from datetime import UTC, datetime
from typing import Any

from ingest.client import LogClient
from ingest.messages import LogMessage
from ingest.sending.sender import THREAD_NAME

# Records of these loggers, and of loggers below them, come from sending itself and would be sent forever. An
# application's loggers below `ingest` are not among them.
IGNORED_LOGGERS = ("ingest.client", "ingest.django", "ingest.cli.relay", "boto3", "botocore", "urllib3")

# The attributes of every record. All others come from `extra`.
RECORD_ATTRIBUTES = {*vars(logging.makeLogRecord({})), "message", "asctime"}


class LogHandler(logging.Handler):
    """Enqueues records. `extra` can set any field of a log, and `defaults` apply to the other fields.

    The built-in defaults are 0 (no one) for account and user, type `log`, the level's name as sub type, and
    an empty url. The payload holds level, logger, message, the exception's text, and the rest of `extra`.
    """

    def __init__(self, client: LogClient, level: int | str = logging.NOTSET, **defaults: Any) -> None:
        super().__init__(level)
        self._client = client
        self._defaults = {"account_id": 0, "user_id": 0, "type": "log", "url": "", **defaults}

    def filter(self, record: logging.LogRecord) -> Any:
        """Reject records that come from sending itself, before the handler's lock is acquired."""
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
        return {
            "created_at": datetime.fromtimestamp(record.created, UTC),
            "sub_type": record.levelname.lower(),
            "payload": {**payload, **extra},
            **self._defaults,
            **fields,
        }


def _comes_from_sending(record: logging.LogRecord) -> bool:
    if threading.current_thread().name == THREAD_NAME:
        return True
    return any(record.name == name or record.name.startswith(f"{name}.") for name in IGNORED_LOGGERS)
