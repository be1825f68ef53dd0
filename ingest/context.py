"""The context of a request: fields that every log inside the request carries.

Contextvars hold it. It therefore follows `await`, `asgiref.sync` and `contextvars.copy_context().run`, and
two concurrent requests never share it.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

# LogHandler ignores this logger. Otherwise a warning would become a log, which causes the next warning.
logger = logging.getLogger("ingest.client")

Fields = Mapping[str, Any]

# The fields of a log of no one, outside of any account.
NO_ONE: Fields = {"account_id": 0, "user_id": 0}
# name → the id that it belongs to
NAMES = {"user_name": "user_id", "account_name": "account_id"}
USER_FIELDS = {"account_id", "user_id", "user_name", "submitter_id"}


class UserNotLoaded(Exception):
    """An async view has not loaded its user. A log cannot wait for the database."""


class LogContext:
    """The fields of one request, which are read when the first log needs them.

    - `request_fields`: called once, for the fields that stay the same during the request.
    - `user_fields`: called for each log, because a request can sign in or out. It may read the database.
    """

    def __init__(self, request_fields: Callable[[], Fields], user_fields: Callable[[], Fields]) -> None:
        self._request_fields = request_fields
        self._user_fields = user_fields
        self._values: Fields | None = None
        self._has_warned = False

    def merge(self, fields: Fields) -> dict[str, Any]:
        """Return the fields of a log, completed by those of the request. Never raise."""
        defaults = dict(self._read_request())
        if not fields.keys() >= USER_FIELDS:
            defaults |= matching_names(self._read_user(fields), fields)
        return {**defaults, **fields}

    def _read_request(self) -> Fields:
        if self._values is None:
            try:
                self._values = dict(self._request_fields())
            except Exception as error:  # noqa: BLE001  a log is never a reason to fail a request
                self._warn("the request", error)
                self._values = {}
        return self._values

    def _read_user(self, fields: Fields) -> Fields:
        # Reading the user may log SQL statements, and LogHandler may send these. Their logs must not read the
        # user again: that would never end.
        if _is_reading_user.get():
            return NO_ONE
        token = _is_reading_user.set(True)
        try:
            return self._user_fields()
        except UserNotLoaded as error:
            if "user_id" not in fields:
                self._warn("the user", error)
            return NO_ONE
        except Exception as error:  # noqa: BLE001  as above
            self._warn("the user", error)
            return NO_ONE
        finally:
            _is_reading_user.reset(token)

    def _warn(self, subject: str, error: Exception) -> None:
        if not self._has_warned:
            self._has_warned = True
            logger.warning("logs of a request lack %s: %s: %s", subject, type(error).__name__, error)


_current: ContextVar[LogContext | None] = ContextVar("logsite_context", default=None)
_is_reading_user: ContextVar[bool] = ContextVar("logsite_is_reading_user", default=False)


def current() -> LogContext | None:
    """Return the context that is bound here, or None."""
    return _current.get()


@contextlib.contextmanager
def bind(context: LogContext | None) -> Iterator[None]:
    """Bind a context inside the `with` block. None means that logs carry no context."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)


def merge(fields: Fields, log_context: LogContext | None) -> dict[str, Any]:
    """Return the fields of a log, completed by those of the context.

    A log with an `id` and a `created_at` of its own is returned unchanged. It may be sent again, and only an
    identical log counts as a duplicate.
    """
    if log_context is None or (fields.get("id") is not None and fields.get("created_at") is not None):
        return dict(fields)
    return log_context.merge(fields)


def matching_names(defaults: Fields, fields: Fields) -> dict[str, Any]:
    """Return the defaults, without the names of another user or account than the log's."""
    return {
        name: value
        for name, value in defaults.items()
        if (key := NAMES.get(name)) is None or key not in fields or str(fields[key]) == str(defaults.get(key))
    }


def context_of(request: object) -> LogContext | None:
    """Return the context that LogContextMiddleware stored on a request, or None.

    Any object is accepted: the `extra` of a log record may hold one under the name `request`.
    """
    with contextlib.suppress(Exception):  # a proxy object outside of its request may raise anything
        context = getattr(request, "log_context", None)
        return context if isinstance(context, LogContext) else None
    return None
