"""The events of the audit trail: receivers for the signals of the site. None of them raises."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import signals as auth
from django.dispatch import Signal
from django.http import HttpRequest

from logs import signals as reading
from logs.filters import LogFilter
from logs.form_fields import DEFAULT_LIMIT
from logs.forms import parameters
from logs.pages.sentence import sentence
from logs.plan import Around, PageQuery
from logsite.accounts import signals as accounts
from logsite.actor import Actor
from logsite.audit.trail import record, truncate
from logsite.dead_letters import signals as dead_letters

# Within the limit of a summary, so that the id of the log follows.
MAX_VERB = 80


def record_sign_in(user: Any, **_: Any) -> None:
    """Record that a user signed in."""
    record("login", "success", actor=Actor(user.get_username()), summary="Signed in")


def record_sign_out(user: Any, **_: Any) -> None:
    """Record that a user signed out."""
    if user is not None:
        record("logout", "", actor=Actor(user.get_username()), summary="Signed out")


def record_failed_sign_in(credentials: Mapping[str, Any], **_: Any) -> None:
    """Record a wrong user name or password. The name is the text that somebody typed."""
    _record_failure("failed", credentials.get("username"), "Failed to sign in")


def record_throttled_sign_in(username: str, **_: Any) -> None:
    """Record a sign-in that was refused because of too many wrong passwords."""
    _record_failure("throttled", username, "Failed to sign in: too many wrong passwords")


def _record_failure(sub_type: str, username: object, summary: str) -> None:
    name = str(username) if username else None
    record("login", sub_type, actor=Actor(), user_name=name, summary=summary)


def record_search(
    request: HttpRequest, query: PageQuery, via: str, include: str | None = None, **_: Any
) -> None:
    """Record a page of a filter, and each page or count of the API."""
    log_filter = query.plan.filter
    is_filtered = log_filter != LogFilter(order=log_filter.order) or isinstance(query.start, Around)
    if is_filtered or via == "api":
        record("search", via, **_fields_of_query(request, query, include=include))


def record_export(request: HttpRequest | None, query: PageQuery, format: str, **_: Any) -> None:  # noqa: A002  the signal's argument
    """Record that logs were exported."""
    record("export", format, **_fields_of_query(request, query))


def record_download(export_id: str, file_name: str, **_: Any) -> None:
    """Record that the file of an export was downloaded."""
    summary = f"Downloaded the export {file_name}"
    record("export", "downloaded", object_type="export", object_id=export_id, summary=summary)


def record_opening(log_id: str, via: str, **_: Any) -> None:
    """Record that one log was read whole, or the logs around it."""
    text = "Opened the logs around" if via == "timelines" else "Opened"
    record("view", via, object_type="log", object_id=log_id, summary=f"{text} the log {log_id}")


def record_deletion(log_id: str, **_: Any) -> None:
    """Record that a log was deleted."""
    record("log", "deleted", object_type="log", object_id=log_id, summary=f"Deleted the log {log_id}")


def record_opened_dead_letter(dead_letter: Any, **_: Any) -> None:
    """Record that one dead letter was shown whole."""
    _record_dead_letter("opened", dead_letter, "Opened")


def record_replayed_dead_letter(dead_letter: Any, log_id: str, fields: list[str] | None, **_: Any) -> None:
    """Record that a dead letter was sent again. Of a corrected one, name the changed fields only."""
    if fields is None:
        _record_dead_letter("replayed", dead_letter, "Replayed")
        return
    verb = f"Corrected {', '.join(fields) or 'nothing'} of, and replayed,"
    _record_dead_letter("corrected", dead_letter, truncate(verb, MAX_VERB), log_id=log_id)


def record_discarded_dead_letter(dead_letter: Any, reason: str, **_: Any) -> None:
    """Record that a dead letter was discarded, with the reason that somebody typed."""
    _record_dead_letter("discarded", dead_letter, "Discarded", f": {reason}")


def _record_dead_letter(
    sub_type: str, dead_letter: Any, verb: str, text: str = "", log_id: str | None = None
) -> None:
    summary = f"{verb} the dead letter of the log {log_id or dead_letter.log_id}{text}"
    record(
        "dead-letter", sub_type, object_type="dead-letter", object_id=dead_letter.message_id, summary=summary
    )


def record_shared_view(view: Any, action: str, **_: Any) -> None:
    """Record that a shared view was saved, changed, renamed or deleted. Own views are no events."""
    summary = f"{action.capitalize()} the saved view {truncate(view.name, MAX_VERB)}"
    record("saved-view", action, object_type="saved-view", object_id=view.id, summary=summary)


def record_new_user(user: Any, **_: Any) -> None:
    """Record that a user was created."""
    _record_user("created", user, "Created")


def record_user_change(user: Any, fields: list[str], **_: Any) -> None:
    """Record that a user was changed, with the names of the fields only."""
    _record_user("password" if fields == ["password"] else "changed", user, f"Changed {', '.join(fields)} of")


def record_deleted_user(user: Any, **_: Any) -> None:
    """Record that a user was deleted."""
    _record_user("deleted", user, "Deleted")


def _record_user(sub_type: str, user: Any, verb: str) -> None:
    name = user.get_username()
    record("user", sub_type, object_type="user", object_id=name, summary=f"{verb} the user {name}")


def record_new_token(name: str, **_: Any) -> None:
    """Record that an API token was created."""
    _record_token("created", name)


def record_revoked_token(name: str, **_: Any) -> None:
    """Record that an API token was revoked."""
    _record_token("revoked", name)


def _record_token(verb: str, name: str) -> None:
    summary = f"{verb.capitalize()} the API token {name}"
    record("token", verb, object_type="token", object_id=name, summary=summary)


RECEIVERS: dict[Signal, Callable[..., None]] = {
    auth.user_logged_in: record_sign_in,
    auth.user_logged_out: record_sign_out,
    auth.user_login_failed: record_failed_sign_in,
    accounts.sign_in_throttled: record_throttled_sign_in,
    accounts.user_created: record_new_user,
    accounts.user_changed: record_user_change,
    accounts.user_deleted: record_deleted_user,
    accounts.token_created: record_new_token,
    accounts.token_revoked: record_revoked_token,
    dead_letters.dead_letter_opened: record_opened_dead_letter,
    dead_letters.dead_letter_replayed: record_replayed_dead_letter,
    dead_letters.dead_letter_discarded: record_discarded_dead_letter,
    reading.shared_view_changed: record_shared_view,
    reading.logs_read: record_search,
    reading.log_opened: record_opening,
    reading.logs_exported: record_export,
    reading.export_downloaded: record_download,
    reading.log_deleted: record_deletion,
}


def connect() -> None:
    """Connect the receivers to the signals."""
    for signal, receiver in RECEIVERS.items():
        signal.connect(receiver, dispatch_uid="logsite.audit")


def _fields_of_query(
    request: HttpRequest | None, query: PageQuery, *, include: str | None = None
) -> dict[str, Any]:
    """Return the filter of a query as an address and as a sentence. Its texts are truncated.

    The address of a command has no path. It begins with `include` if whole logs were read.
    """
    values: dict[str, Any] = {"include": include} if include else {}
    values |= parameters(query.plan.filter, DEFAULT_LIMIT)
    if isinstance(query.start, Around):
        values["around"] = query.start.log_id
    for name, value in values.items():
        values[name] = truncate(value) if isinstance(value, str) else [truncate(each) for each in value]
    path = request.path if request else ""
    address = f"{path}?{urlencode(values, doseq=True)}" if values else path
    return {"url": address, "summary": sentence(query.plan)}
