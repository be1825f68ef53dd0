"""The fields of one log that have a value, with their links."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from urllib.parse import urlsplit

from logs.filters import FILTERS, LogFilter
from logs.models import LogItem
from logs.pages.application_links import application_links, host
from logs.pages.display import NO_ONE, display_time
from logs.pages.labels import read_labels
from logs.pages.links import Link, query_string
from logs.pages.related import Related
from logs.pages.response_size import TruncatedText, truncate
from logs.storage.documents import Content

# The size of a text in the response, at most.
MAX_FIELD_SIZE = 65_000
# A longer value scrolls in a box of its own.
LONG = 200
SUBMITTER = ("id", "ip", "country", "city", "platform", "browser", "agent")


@dataclass(frozen=True)
class Field:
    """A field of a log, with its links."""

    label: str
    value: str
    href: str | None = None
    external: bool = False
    application: Link | None = None

    @property
    def is_long(self) -> bool:
        """Return whether the value scrolls in a box of its own."""
        return len(self.value) > LONG

    @property
    def truncated(self) -> TruncatedText:
        """Return the text, truncated to the page's limit."""
        return truncate(self.value, MAX_FIELD_SIZE)


class LogFields:
    """The fields of one log. `changelist` is the path of the listing."""

    def __init__(self, item: LogItem, content: Content, changelist: str, zone: tzinfo = UTC) -> None:
        self.item = item
        self.content = content
        self.changelist = changelist
        self.zone = zone
        self.related = Related(item, content)
        self._application = application_links({**content.fields, "object": item.object_key})

    def listing(self, log_filter: LogFilter) -> str:
        """Return the address of the logs of a filter."""
        return f"{self.changelist}?{query_string(log_filter, zone=self.zone)}"

    def application(self, name: str) -> Link | None:
        """Return the link of a field into the main application, or None."""
        address = self._application.get(name)
        return Link(host(address), address) if address else None

    @property
    def zone_name(self) -> str:
        """Return the name of the zone at that time, such as UTC or CET."""
        return self.item.created_at.astimezone(self.zone).tzname() or ""

    @property
    def rows(self) -> list[Field]:
        """Return the fields of the sender that have a value."""
        fields, related = self.content.fields, self.related
        url, type_ = fields["url"] or "", fields["type"] or ""
        sent_at = self.content.sent_created_at
        account, user = fields["account_id"] or "", fields["user_id"] or ""
        request = related.request
        rows = [
            Field(f"Time ({self.zone_name})", _moment(self.item.created_at, self.zone)),
            Field(
                "Time as sent",
                f"{sent_at} (wrong clock: the time of receipt is used instead)" if sent_at else "",
            ),
            self._field("summary", "Summary"),
            self._field("account_id", value=with_name(_who(account), self.account_name), to=related.account),
            self._field("user_id", value=with_name(_who(user), self.user_name), to=related.user),
            self._field("type", to=related.type if type_ else None),
            self._field("sub_type"),
            self._object_field,
            Field("URL", url, url if may_be_link(url) else None, True, self.application("url")),
            self._field("request_id", to=request),
            self._field("trace_id"),
            *(
                self._field(f"submitter_{name}", f"Submitter {'IP' if name == 'ip' else name}")
                for name in SUBMITTER
            ),
        ]
        return [row for row in rows if row.value]

    def _field(
        self, name: str, label: str = "", *, value: str | None = None, to: LogFilter | None = None
    ) -> Field:
        text = (self.content.fields[name] or "") if value is None else value
        href = self.listing(to) if to else None
        return Field(label or FILTERS[name].label, text, href, application=self.application(name))

    @property
    def _object_field(self) -> Field:
        label, log_filter = FILTERS["object"].label, self.related.object
        if log_filter is None:
            return Field(label, "")
        text = with_name(log_filter.object[0], self.object_name)
        return Field(label, text, self.listing(log_filter), application=self.application("object"))

    @property
    def storage(self) -> list[Field]:
        """Return the fields that Logsite added."""
        item = self.item
        return [
            Field("Id", item.id),
            Field("Received (UTC)", _moment(item.received_at)),
            *([Field("Imported (UTC)", _moment(item.imported_at))] if item.imported_at else []),
            Field("Expires (UTC)", _moment(item.expires_at) if item.expires_at else "never"),
            Field("Payload type", item.payload_type or "—"),
            Field("Payload size", "—" if item.payload_size is None else f"{item.payload_size:,} bytes"),
            Field("Sender", item.sender or "—"),
            Field("Status", item.status),
            Field("Account and type", item.account_type),
        ]

    @cached_property
    def account_name(self) -> str | None:
        """Return the name of the account, or None."""
        return self._name("account", self.content.fields["account_id"])

    @cached_property
    def user_name(self) -> str | None:
        """Return the name of the user, or None."""
        return self._name("user", self.content.fields["user_id"])

    @cached_property
    def object_name(self) -> str | None:
        """Return the name of the object, or None."""
        return self._name("object", self.item.object_key)

    def _name(self, kind: str, key: str | None) -> str | None:
        """Return the name that the sender wrote, otherwise the project's label."""
        if name := self.content.fields[f"{kind}_name"]:
            return name
        return read_labels(kind, [key]).get(key) if key and key != NO_ONE else None


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


def _moment(moment: datetime, zone: tzinfo = UTC) -> str:
    time = display_time(moment, zone)
    return f"{time.date} {time.clock}{time.fraction}"


def with_name(text: str, name: str | None) -> str:
    """Return a text, followed by a name in brackets if there is one."""
    return f"{text} ({name})" if name else text


def _who(name: str) -> str:
    return "0 (no one)" if name == NO_ONE else name
