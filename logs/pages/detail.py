"""The page of one log: its fields, its payload, and the links from it."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from django.utils.text import Truncator

from logs import times
from logs.characters import visible
from logs.filters import FILTERS, LogFilter
from logs.models import LogItem
from logs.pages.display import NO_ONE, display_time
from logs.pages.links import Link, query_string
from logs.pages.response_size import TruncatedText, truncate
from logs.storage import documents
from logs.storage.json_nodes import count_nodes

# A text that would be longer than this with indentation, or has more values, is shown as sent.
MAX_INDENTED, MAX_NODES = 1_500_000, 250_000
# What the page shows of each text at most, in bytes of `response_size.encoded_size`. Together they stay below
# the 6 MB of a response.
MAX_FIELD_SIZE = 65_000
MAX_PAYLOAD_SIZE, MAX_AS_SENT_SIZE, MAX_EXTRA_SIZE = 2_000_000, 1_500_000, 600_000
# The logs of a request lie within this time before and after each other.
REQUEST_RANGE = timedelta(minutes=10)


@dataclass(frozen=True)
class Field:
    """A field of a log, with an address if it is a link."""

    label: str
    value: str
    href: str | None = None
    external: bool = False

    @property
    def truncated(self) -> TruncatedText:
        """Return the text, truncated to the page's limit."""
        return truncate(self.value, MAX_FIELD_SIZE)


class Detail:
    """One log with every field."""

    def __init__(self, item: LogItem, changelist: str, filters: str, file: str) -> None:
        """Show a log of a listing.

        `filters` is the query string of the listing to return to, `file` the address of the log as JSON.
        """
        self.item = item
        self.content = documents.content(item)
        self.changelist = changelist
        self.file = file
        self.back = f"{changelist}?{filters}" if filters else changelist

    @property
    def title(self) -> str:
        """Return the time of the log."""
        time = display_time(self.item.created_at)
        return f"{time.date} {time.clock} UTC"

    @property
    def short_title(self) -> str:
        """Return the time and the type, truncated to fit a line."""
        return f"{self.title} · {visible(visible(Truncator(self.item.type).chars(40)))}"

    @property
    def fields(self) -> list[Field]:
        """Return when, who and what, as the sender wrote it."""
        content = self.content
        fields = content.fields
        type_, url = fields["type"] or "", fields["url"] or ""
        times = [Field("Time (UTC)", _moment(self.item.created_at))]
        if sent_at := content.sent_created_at:
            times.append(
                Field("Time as sent", f"{sent_at} (wrong clock: the time of receipt is used instead)")
            )
        return [
            *times,
            Field("Summary", fields["summary"] or "—"),
            Field(FILTERS["account_id"].label, self._account_text, self._listing(self._account)),
            Field(FILTERS["user_id"].label, self._user_text, self._listing(self._user)),
            Field(FILTERS["type"].label, type_, self._listing(LogFilter(type=(type_,)))),
            Field(FILTERS["sub_type"].label, fields["sub_type"] or "—"),
            self._object_field,
            Field("URL", url or "—", url if may_be_link(url) else None, external=True),
            self._request_field,
            Field(FILTERS["trace_id"].label, fields["trace_id"] or "—"),
        ]

    @property
    def _account(self) -> LogFilter:
        return LogFilter(account_id=(self.content.fields["account_id"] or "",))

    @property
    def _user(self) -> LogFilter:
        """Return the filter of the user's timeline. Another account may have a user with this id."""
        return replace(self._account, user_id=(self.content.fields["user_id"] or "",))

    @property
    def _object(self) -> LogFilter | None:
        """Return the filter of the object's history. Another account may have an object with this id."""
        key = self.item.object_key
        return replace(self._account, object=(key,)) if key else None

    @property
    def _account_text(self) -> str:
        fields = self.content.fields
        return _with_name(_who(fields["account_id"] or ""), fields["account_name"])

    @property
    def _user_text(self) -> str:
        fields = self.content.fields
        return _with_name(_who(fields["user_id"] or ""), fields["user_name"])

    @property
    def _object_field(self) -> Field:
        label = FILTERS["object"].label
        if self._object is None:
            return Field(label, "—")
        text = _with_name(self._object.object[0], self.content.fields["object_name"])
        return Field(label, text, self._listing(self._object))

    @property
    def _request_field(self) -> Field:
        """Return the id of the request, with a link to its logs, of all accounts."""
        label, request_id = FILTERS["request_id"].label, self.content.fields["request_id"]
        if not request_id:
            return Field(label, "—")
        moment = self.item.created_at
        logs_of_request = LogFilter(
            request_id=(request_id,), start=moment - REQUEST_RANGE, end=moment + REQUEST_RANGE
        )
        return Field(label, request_id, self._listing(logs_of_request))

    @property
    def submitter(self) -> list[Field]:
        """Return who caused the log, and from where."""
        return [
            Field(
                f"Submitter {'IP' if name == 'ip' else name}", self.content.fields[f"submitter_{name}"] or "—"
            )
            for name in ("id", "ip", "country", "city", "platform", "browser", "agent")
        ]

    def _listing(self, log_filter: LogFilter, **extra: Any) -> str:
        return f"{self.changelist}?{query_string(log_filter, **extra)}"

    @property
    def around(self) -> list[Link]:
        """Return links to the logs around this one, on up to six axes."""
        fields = self.content.fields
        account, type_ = (fields["account_id"] or "",), (fields["type"] or "",)
        filters = {
            "in everything": LogFilter(),
            f"in account {visible(account[0])}": LogFilter(account_id=account),
            f"in type {visible(type_[0])}": LogFilter(type=type_),
            "in this account and type": LogFilter(account_id=account, type=type_),
        }
        if fields["user_id"] != NO_ONE:
            filters["of this user"] = self._user
        if self._object:
            filters["of this object"] = self._object
        return [
            Link(text, self._listing(log_filter, around=self.item.id)) for text, log_filter in filters.items()
        ]

    @cached_property
    def _indented(self) -> str | None:
        text = self.content.payload_text
        return None if text is None else indent(text)

    @property
    def payload(self) -> TruncatedText | None:
        """Return the payload to read: indented if it is JSON, as sent otherwise."""
        text = self.content.payload_text
        return None if text is None else truncate(self._indented or text, MAX_PAYLOAD_SIZE, multiline=True)

    @property
    def payload_as_sent(self) -> TruncatedText | None:
        """Return the payload as sent, or None if `payload` already shows it so."""
        text = self.content.payload_text
        if text is None or self._indented in (None, text):
            return None
        return truncate(text, MAX_AS_SENT_SIZE, multiline=True)

    @property
    def extra(self) -> TruncatedText | None:
        """Return the fields that Logsite does not know, as JSON."""
        text = self.content.extra_text
        return truncate(indent(text) or text, MAX_EXTRA_SIZE, multiline=True) if text else None

    @property
    def storage(self) -> list[Field]:
        """Return the fields that Logsite added."""
        item = self.item
        return [
            Field("Id", item.id),
            Field("Received (UTC)", _moment(item.received_at)),
            Field("Expires (UTC)", _moment(item.expires_at) if item.expires_at else "never"),
            Field("Payload type", item.payload_type or "—"),
            Field("Payload size", "—" if item.payload_size is None else f"{item.payload_size:,} bytes"),
            Field("Sender", item.sender or "—"),
            Field("Status", item.status),
            Field("Account and type", item.account_type),
        ]


def as_json(item: LogItem) -> str:
    """Return a whole log as JSON: the sender's fields, and the times of Logsite."""
    content = documents.content(item)
    fields = {
        "id": item.id,
        "created_at": times.to_text(item.created_at),
        "received_at": times.to_text(item.received_at),
        **content.fields,
        "sent_created_at": content.sent_created_at,
        "damage": content.damage,
    }
    return documents.with_values(fields, content)


def may_be_link(url: str) -> bool:
    """Return whether a URL is a web address that the page shows whole."""
    return is_web(url) and truncate(url, MAX_FIELD_SIZE).length is None


def is_web(url: str) -> bool:
    """Return whether a URL is http or https. `javascript:` and the like are an attacker's."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def indent(text: str) -> str | None:
    """Return a JSON object or array with indentation, or None for any other text.

    Size and nodes are limited: deeply nested JSON of 1 MB would grow a hundredfold, and small values take a
    hundred times their text in memory.
    """
    if not text[:100].lstrip().startswith(("{", "[")) or count_nodes(text) > MAX_NODES:
        return None
    parts, size = [], 0
    try:
        for part in json.JSONEncoder(ensure_ascii=False, indent=2).iterencode(json.loads(text)):
            parts.append(part)
            size += len(part)
            if size > MAX_INDENTED:
                return None
    except (ValueError, RecursionError):
        return None
    return "".join(parts)


def _moment(moment: datetime) -> str:
    time = display_time(moment.astimezone(UTC))
    return f"{time.date} {time.clock}{time.fraction}"


def _with_name(text: str, name: str | None) -> str:
    return f"{text} ({name})" if name else text


def _who(name: str) -> str:
    return "0 (no one)" if name == NO_ONE else name
