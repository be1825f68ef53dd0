"""Send a captured log when its transaction is committed."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.utils.module_loading import import_string

import ingest.django
from ingest import context, times

# LogHandler ignores this logger. A captured log that fails must not become the next log.
logger = logging.getLogger("ingest.django")


def send(fields: Mapping[str, Any], *, subject: object = None, using: str | None = None) -> None:
    """Send a log when the transaction on a database is committed. Never raise.

    - `fields`: fields of the log. Those of the request in which this is called are added.
    - `subject`: the object that LOGS_CAPTURE_ACCOUNT gets.
    - `using`: the alias of the database. Without a transaction on it, the log is sent at once. None sends it
      at once in any case.

    If the transaction is rolled back, there is no log. A failure is a warning in Python's logging.
    """
    try:
        log = {"created_at": times.to_text(datetime.now(UTC)), **fields, **_account(subject)}
        log = {**context.NO_ONE, "url": "", **context.merge(log, context.current())}
        if using is not None and connections[using].in_atomic_block:
            connections[using].on_commit(partial(_enqueue, log))
        else:
            _enqueue(log)
    except Exception as error:  # noqa: BLE001  capture is never a reason to fail a request
        warn(error)


def warn(error: Exception) -> None:
    """Log that an event was not captured, with the error."""
    logger.warning("an event was not captured: %s: %s", type(error).__name__, error)


def database_of(instance: object) -> str:
    """Return the alias of the database in which a model instance is stored."""
    state = getattr(instance, "_state", None)
    return getattr(state, "db", None) or DEFAULT_DB_ALIAS


def _enqueue(log: Mapping[str, Any]) -> None:
    try:
        # The context was added before. At the commit there may be another one.
        with context.bind(None):
            ingest.django.client().enqueue(**log)
    except Exception as error:  # noqa: BLE001  as above
        warn(error)


def _account(subject: object) -> dict[str, Any]:
    """Return `account_id` as LOGS_CAPTURE_ACCOUNT decides it, or nothing.

    If the setting's function fails, the log has the account of the request, and a warning is logged.
    """
    path = getattr(settings, "LOGS_CAPTURE_ACCOUNT", None)
    if not path:
        return {}
    try:
        account = (path if callable(path) else import_string(path))(subject)
    except Exception as error:  # noqa: BLE001  as above
        logger.warning("LOGS_CAPTURE_ACCOUNT failed: %s: %s", type(error).__name__, error)
        return {}
    return {} if account is None else {"account_id": account}
