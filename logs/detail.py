"""What the detail page shows, worked out before a template prints it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from urllib.parse import urlencode, urlsplit

from django.utils.text import Truncator

from logs import document, forms, room, times
from logs.filters import LogFilter
from logs.listing import NO_ONE, Link, show_time
from logs.models import LogItem
from logs.room import Shown

# A payload that indentation makes longer than this is shown as it was sent.
MAX_PRETTY = 1_500_000
# What a page shows of each text, as `room.carried` counts bytes; together less than an answer's 6 MB.
FIELD_ROOM = 100_000
PAYLOAD_ROOM, AS_SENT_ROOM, EXTRA_ROOM = 2_000_000, 1_500_000, 600_000


@dataclass(frozen=True)
class Field:
    """A field of a log on the detail page; `href` where it may be followed."""

    label: str
    value: str
    href: str | None = None
    external: bool = False

    @property
    def shown(self) -> Shown:
        """Return of the value what a page has room for."""
        return room.shown(self.value, FIELD_ROOM)


class Detail:
    """One log with every field, whole."""

    def __init__(self, item: LogItem, changelist: str, filters: str, file: str) -> None:
        """Show an item within a listing, with the filters to return to and the address of its file."""
        self.item = item
        self.content = document.content(item)
        self.changelist = changelist
        self.file = file
        self.back = f"{changelist}?{filters}" if filters else changelist

    @property
    def title(self) -> str:
        """Return the log's time."""
        time = show_time(self.item.created_at)
        return f"{time.date} {time.clock} UTC"

    @property
    def short_title(self) -> str:
        """Return the same with the type, cut to a length that fits a line."""
        return f"{self.title} · {Truncator(self.item.type).chars(40)}"

    @property
    def fields(self) -> list[Field]:
        """Return when, who and what, as the sender said it."""
        said = self.content
        sent_at = said["sent_created_at"]
        moment = [Field("Time (UTC)", _moment(self.item.created_at))]
        if sent_at:
            moment.append(Field("Time as sent", f"{sent_at} — a wrong clock: filed when it was received"))
        return [
            *moment,
            Field(
                "Account", _who(said["account_id"]), self._only(LogFilter(account_id=(said["account_id"],)))
            ),
            Field("User", _who(said["user_id"])),
            Field("Type", said["type"], self._only(LogFilter(type=(said["type"],)))),
            Field("Subtype", said["sub_type"] or "—"),
            Field(
                "URL", said["url"] or "—", said["url"] if may_be_link(said["url"]) else None, external=True
            ),
        ]

    @property
    def submitter(self) -> list[Field]:
        """Return from where the log was caused."""
        return [
            Field(f"Submitter {name}", self.content[f"submitter_{name}"] or "—")
            for name in ("id", "country", "city", "platform", "browser", "agent")
        ]

    def _only(self, asked: LogFilter) -> str:
        return f"{self.changelist}?{urlencode(forms.parameters(asked, forms.DEFAULT_LIMIT), doseq=True)}"

    @property
    def around(self) -> list[Link]:
        """Return links to what happened around this log: in everything, its account, its type, in both."""
        account, type_ = (self.content["account_id"],), (self.content["type"],)
        places = {
            "in everything": LogFilter(),
            f"in account {account[0]}": LogFilter(account_id=account),
            f"in type {type_[0]}": LogFilter(type=type_),
            "in this account and type": LogFilter(account_id=account, type=type_),
        }
        return [
            Link(text, f"{href}{'&' if '?' in href else '?'}around={self.item.id}")
            for text, asked in places.items()
            if (href := self._only(asked).removesuffix("?"))
        ]

    @cached_property
    def _indented(self) -> str | None:
        text: str | None = self.content["payload_text"]
        return None if text is None else pretty(text)

    @property
    def payload(self) -> Shown | None:
        """Return the payload for reading: indented where it is JSON, as it was sent otherwise."""
        text: str | None = self.content["payload_text"]
        return None if text is None else room.shown(self._indented or text, PAYLOAD_ROOM)

    @property
    def payload_as_sent(self) -> Shown | None:
        """Return the payload as it was sent, where it is shown differently."""
        text: str | None = self.content["payload_text"]
        if text is None or self._indented in (None, text):
            return None
        return room.shown(text, AS_SENT_ROOM)

    @property
    def extra(self) -> Shown | None:
        """Return the fields that the table does not know, as JSON."""
        extra = self.content["extra"]
        return room.shown(json.dumps(extra, ensure_ascii=False, indent=2), EXTRA_ROOM) if extra else None

    @property
    def internal(self) -> list[Field]:
        """Return what the site itself noted down."""
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
    """Return all of a log as JSON: what its sender said, and when it came."""
    said = document.content(item)
    del said["payload_text"]
    told = {
        "id": item.id,
        "created_at": times.to_text(item.created_at),
        "received_at": times.to_text(item.received_at),
        **said,
        "damage": item.damage,
    }
    return json.dumps(told, ensure_ascii=False)


def may_be_link(url: str) -> bool:
    """Tell whether a url may be followed: a web address that the page shows whole."""
    return is_web(url) and room.shown(url, FIELD_ROOM).whole is None


def is_web(url: str) -> bool:
    """Tell whether a url may be a link: `javascript:` and the like are an attacker's."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def pretty(text: str) -> str | None:
    """Return a JSON object or array with indentation, or None where the text is no such thing.

    Bounded: deeply nested JSON of 1 MB would grow a hundredfold.
    """
    if not text.lstrip().startswith(("{", "[")):
        return None
    parts, size = [], 0
    try:
        for part in json.JSONEncoder(ensure_ascii=False, indent=2).iterencode(json.loads(text)):
            parts.append(part)
            size += len(part)
            if size > MAX_PRETTY:
                return None
    except (ValueError, RecursionError):
        return None
    return "".join(parts)


def _moment(moment: datetime) -> str:
    time = show_time(moment.astimezone(UTC))
    return f"{time.date} {time.clock}{time.fraction}"


def _who(who: str) -> str:
    return "0 (no one)" if who == NO_ONE else who
