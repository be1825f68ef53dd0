"""The audit trail: logs of the account `_logsite`, sent through the queue of logs.

A log of the trail never fails a request. It has no payload, and no text of a request beyond its limit.
"""

import getpass
import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest

from ingest import address, trace
from logsite import log_lines
from logsite.actor import Actor, actor_of
from logsite.audit import metrics
from logsite.client_address import client_address

if TYPE_CHECKING:
    from logsite.audit.client import AuditClient

ACCOUNT = "_logsite"
NO_ONE = "0"
# In characters: a text that somebody typed, a URL with several of them, and a summary (`ingest.wire`).
MAX_TEXT, MAX_URL, MAX_SUMMARY = 200, 2_000, 160
LIMITS = {"user_name": MAX_TEXT, "submitter_agent": MAX_TEXT, "url": MAX_URL, "summary": MAX_SUMMARY}
# In bytes, as `ingest.wire` limits them. Within the limit of characters, a user name may have 600.
BYTE_LIMITS = {"user_id": 500, "object_id": 200}
# How long a response of a Lambda function waits for its logs.
FLUSH_SECONDS = 0.5
# Where a request keeps its id and the logs that its response waits for. Names of headers begin with HTTP_, so
# no client can set these.
REQUEST_ID_KEY, LOGS_KEY = "logsite.request_id", "logsite.audit"

Log = dict[str, Any]

logger = logging.getLogger(__name__)

_request: ContextVar[HttpRequest | None] = ContextVar("logsite_audit_request", default=None)


@contextmanager
def bound(request: HttpRequest) -> Iterator[None]:
    """Bind the request of the events inside the `with` block."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def record(kind: str, sub_type: str, *, actor: Actor | None = None, **fields: Any) -> None:
    """Send a log of the trail, in the background. Never raise.

    - `kind`, `sub_type`: the event, as docs/audit.md lists them.
    - `actor`: by default the actor of the request. Without a request it is the user of the command line.
    - `fields`: further fields of the log, which precede those of the request.
    """
    if not settings.LOGSITE_AUDIT:
        return
    request = _request.get()
    log: Log = {"type": kind, "sub_type": sub_type}
    try:
        defaults = _fields_of_request(request, actor) if request else _fields_of_command()
        log = _limited({"account_id": ACCOUNT, **defaults, **log, **fields})
        client().enqueue(**log)
    except Exception as error:  # noqa: BLE001  the trail is never a reason to fail a request
        _report([log], f"{type(error).__name__}: {error}")
        return
    if request:
        request.META.setdefault(LOGS_KEY, []).append(log)


def flush(request: HttpRequest) -> None:
    """Wait until the logs of a request are sent, for FLUSH_SECONDS at most. Never raise.

    Logs that are not sent by then stay in the buffer, and a later request to this instance may send them.
    """
    logs = request.META.pop(LOGS_KEY, None)
    if logs and not client().flush(FLUSH_SECONDS):
        _report(logs, f"SQS did not accept it within {FLUSH_SECONDS} s")


@cache
def client() -> "AuditClient":
    """Return this process's client of the queue. Raise ValueError if LOGS_MASK is invalid."""
    # It would lengthen each start.
    from logsite.audit.client import AuditClient

    return AuditClient(settings.LOGS_QUEUE_URL, prepare=settings.ON_LAMBDA)


def truncate(text: object, limit: int = MAX_TEXT) -> str:
    """Return a text of at most `limit` characters. A longer one ends in an ellipsis."""
    text = str(text)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _fields_of_request(request: HttpRequest, actor: Actor | None) -> Log:
    """Return who sent a request, from where, and which one. Its URL has no query string."""
    return {
        **_fields_of_actor(actor or actor_of(request)),
        "url": request.path,
        "submitter_ip": address.format_address(address.parse(client_address(request)), "full"),
        "submitter_agent": request.headers.get("User-Agent"),
        "request_id": request.META.setdefault(
            REQUEST_ID_KEY, trace.parse_request_id(log_lines.request_id()) or uuid.uuid4().hex
        ),
    }


def _fields_of_actor(actor: Actor) -> Log:
    if actor.token:
        # No user name contains a colon, so no user has this id.
        return {"user_id": f"token:{actor.token}", "user_name": f"API token {actor.token}"}
    return {"user_id": actor.user or NO_ONE, "user_name": actor.user}


def _fields_of_command() -> Log:
    """Return the fields of a command, with the user of the operating system. SQS adds the AWS identity."""
    try:
        name = f"{getpass.getuser()} (command line)"
    except (ImportError, KeyError, OSError):  # a container may run under a number without a name
        name = "command line"
    return {"user_id": NO_ONE, "user_name": name, "url": ""}


def _limited(log: Log) -> Log:
    """Return a log within the limits of a message: otherwise it would be a dead letter."""
    limited = {name: value for name, value in log.items() if value is not None}
    for name, limit in LIMITS.items():
        if name in limited:
            limited[name] = truncate(limited[name], limit)
    for name, limit in BYTE_LIMITS.items():
        if name in limited:
            limited[name] = limited[name].encode(errors="replace")[:limit].decode(errors="ignore")
    return limited


def _report(logs: list[Log], reason: str) -> None:
    """Log the logs that were not sent in time. On Lambda, count them in a metric too.

    The line stands in for the log, so it says who did what. It has no URL, no summary and no typed name.
    """
    names = ("type", "sub_type", "user_id", "submitter_ip", "object_type", "object_id")
    for log in logs:
        event = " ".join(f"{name}={log[name]}" for name in names if name in log)
        logger.error("A log of the audit trail was not sent: %s. %s", event, reason)
    if settings.ON_LAMBDA:
        metrics.count_unsent(len(logs))
