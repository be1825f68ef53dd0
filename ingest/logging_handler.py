"""A handler for Python's logging that enqueues each record as a log."""

import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from ingest import context, messages
from ingest.client import LogClient
from ingest.messages import InvalidMessage, LogMessage
from ingest.sending import surrogates
from ingest.sending.sender import THREAD_NAME
from ingest.sending.serialize import convert
from ingest.sending.structures import structure_of

# Sending a log may log records to these loggers and to loggers below them. To send those would never end. An
# application's own loggers below `ingest` are not among them.
IGNORED_LOGGERS = ("ingest.client", "ingest.django", "ingest.cli.relay", "boto3", "botocore", "urllib3")

# The attributes of every record of this Python, and those that formatters add. All others come from `extra`.
RECORD_ATTRIBUTES = {*vars(logging.makeLogRecord({})), "message", "asctime"}

# structlog adds its logger and the name of the method to `extra` if it passes an event dictionary as the
# message (`wrap_for_formatter`).
STRUCTLOG_ATTRIBUTES = {"_logger", "_name"}

# Fields of a log that `extra` cannot set. An `id` or a `created_at` there is that of an object of the
# application: two records about one order would be one log, filed at the time of the order.
RECORD_FIELDS = {"id", "created_at"}
EXTRA_FIELDS = [name for name in LogMessage.model_fields if name not in {*RECORD_FIELDS, "payload"}]

BUILT_IN_DEFAULTS: dict[str, Any] = {"account_id": 0, "user_id": 0, "type": "log", "sub_type": "", "url": ""}


class LogHandler(logging.Handler):
    """Enqueues each record of Python's logging as a log.

    - `client`: the client that sends the logs.
    - `defaults`: values of fields that a record does not set. The built-in ones are `log` for the type, the
      level's name for the subtype, 0 (no one) for account and user, and an empty url. Inside a request with a
      LogContextMiddleware, account, user and url are those of the request.

    A record sets fields with `extra`, except `id` and `created_at`. The payload holds level, logger and
    message, the texts of exception and stack, and the other entries of `extra`. So does a value that is not
    valid for its field. None counts as absent. So no entry of `extra` makes a dead letter.

    Raise ValueError if a default is not valid for its field.
    """

    def __init__(self, client: LogClient, level: int | str = logging.NOTSET, **defaults: Any) -> None:
        super().__init__(level)
        self._client = client
        self._defaults = {name: value for name, value in defaults.items() if value is not None}
        self._payload = self._defaults.pop("payload", None)
        for name in RECORD_FIELDS & self._defaults.keys():
            raise ValueError(f"LogHandler takes no default for {name}, which each record has itself")
        fields = {name: convert(value) for name, value in self._defaults.items()}
        _validate(fields)

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
        extra = _extra(record)
        fields = _valid_fields(extra)
        payload = _payload(record)
        _add(payload, {name: value for name, value in extra.items() if name not in {*fields, "payload"}})
        for members in (extra.get("payload"), self._payload):
            _add_payload(payload, members)
        defaults = {"type": "log", "sub_type": str(record.levelname).lower(), **self._defaults}
        own = {**defaults, **fields, "created_at": _created_at(record), "payload": payload}
        # Django logs some errors of a request after its middleware, with the request as `extra`.
        log_context = context.current() or context.context_of(extra.get("request"))
        return {**BUILT_IN_DEFAULTS, **context.merge(own, log_context)}


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    """Return the entries of a record's `extra`, without fields of a log that are None."""
    ignored = RECORD_ATTRIBUTES | (STRUCTLOG_ATTRIBUTES if _comes_from_structlog(record) else set())
    return {
        name: value
        for name, value in vars(record).items()
        if name not in ignored and (value is not None or name not in LogMessage.model_fields)
    }


def _comes_from_structlog(record: logging.LogRecord) -> bool:
    """Return whether structlog passed the event dictionary of a record."""
    logger, name = (vars(record).get(each) for each in ("_logger", "_name"))
    if not isinstance(record.msg, Mapping) or not isinstance(logger, logging.Logger | logging.LoggerAdapter):
        return False
    return isinstance(name, str) and callable(getattr(logger, name, None))


def _valid_fields(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries that are valid for the fields of a log with the same names."""
    fields = {name: convert(extra[name]) for name in EXTRA_FIELDS if name in extra}
    # The text of any object would be valid.
    fields = {name: value for name, value in fields.items() if _is_scalar(extra[name], value)}
    if not fields:
        return fields
    try:
        _validate(fields)
    except InvalidMessage as error:
        return {name: value for name, value in fields.items() if name not in error.fields}
    return fields


def _validate(fields: dict[str, Any]) -> None:
    """Raise InvalidMessage if a field of a log is not valid. The client replaces lone surrogates."""
    messages.validate(surrogates.replace(BUILT_IN_DEFAULTS | fields)[0])


def _is_scalar(value: object, converted: object) -> bool:
    return isinstance(value, str | UUID | Enum) or isinstance(converted, int)


def _payload(record: logging.LogRecord) -> dict[str, Any]:
    """Return the members of the payload that come from the record itself."""
    payload = {"level": record.levelname, "logger": record.name, **_message(record)}
    if exception := _exception(record):
        payload["exception"] = exception
    if record.stack_info:
        payload["stack_info"] = record.stack_info
    return payload


def _message(record: logging.LogRecord) -> dict[str, Any]:
    """Return the message, and the arguments if it cannot be formatted with them.

    A structured message stays an object, for example the event dictionary of structlog.
    """
    try:
        if isinstance(record.msg, str) or structure_of(record.msg) is None:
            return {"message": record.getMessage()}
    except Exception:  # noqa: BLE001, S110  wrong arguments, or a method of the message raises
        pass
    return {"message": record.msg, "args": record.args} if record.args else {"message": record.msg}


def _exception(record: logging.LogRecord) -> Any:
    """Return the text of a record's exception, or None."""
    error: Any = record.exc_info
    if isinstance(error, tuple):
        error = error[1] if len(error) > 1 else None
    if not isinstance(error, BaseException):
        return record.exc_text
    try:
        return logging.Formatter().formatException((type(error), error, error.__traceback__))
    except Exception:  # noqa: BLE001  a method of the exception raises
        return error


def _created_at(record: logging.LogRecord) -> datetime:
    try:
        return datetime.fromtimestamp(record.created, UTC)
    except (TypeError, ValueError, OverflowError, OSError):  # a record that `makeLogRecord` built
        return datetime.now(UTC)


def _add(payload: dict[str, Any], members: Mapping[Any, Any]) -> None:
    """Add members to a payload. A name that it has already gets the prefix `extra_`."""
    for name, value in members.items():
        while name in payload:
            name = f"extra_{name}"
        payload[name] = value


def _add_payload(payload: dict[str, Any], members: object) -> None:
    """Add the payload of the application: the members of a mapping, or another value as `payload`."""
    if isinstance(members, Mapping):
        # A form may have several values per key.
        _add(payload, members if type(members) is dict else convert(members))
    elif members is not None:
        _add(payload, {"payload": members})


def _comes_from_sending(record: logging.LogRecord) -> bool:
    """Return whether the sender thread, or a logger in IGNORED_LOGGERS, logged a record."""
    if threading.current_thread().name == THREAD_NAME:
        return True
    logger = str(record.name)  # None in a record that `makeLogRecord` built
    return any(logger == name or logger.startswith(f"{name}.") for name in IGNORED_LOGGERS)
