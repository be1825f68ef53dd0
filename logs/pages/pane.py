"""An open row of the listing: changes, payload, all fields, and links."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from logs.characters import visible
from logs.fields import MAX_BYTES
from logs.filters import EXCLUDED, FILTERS, LogFilter
from logs.models import NO_ONE, LogItem
from logs.pages.address import Address
from logs.pages.changes import ChangeTable
from logs.pages.display import display_who
from logs.pages.links import Link
from logs.pages.payload import Payload
from logs.pages.response_size import TruncatedText, truncate
from logs.plan import Around
from logs.storage import documents

# What an open row shows of the payload, of the extra fields and of one field, in bytes.
MAX_PAYLOAD, MAX_EXTRA, MAX_FIELD = 20_000, 10_000, 2_000
# The labels of fields that no filter compares as a whole.
LABELS = {
    "summary": "Summary",
    "user_name": "User name",
    "account_name": "Account name",
    "object_name": "Object name",
    "url": "URL",
    "submitter_id": "Submitter",
    "submitter_agent": "User agent",
}
# The fields in their order. Type and id of the object are one field.
FIELDS = (
    "summary",
    "account_id",
    "account_name",
    "user_id",
    "user_name",
    "type",
    "sub_type",
    "object",
    "object_name",
    "url",
    "request_id",
    "trace_id",
    "submitter_id",
    "submitter_ip",
    "submitter_country",
    "submitter_city",
    "submitter_platform",
    "submitter_browser",
    "submitter_agent",
)


@dataclass(frozen=True)
class PaneField:
    """A field of a log. `only` leads to the logs with its value, `without` to the others."""

    label: str
    value: TruncatedText
    only: str | None
    without: str | None


class Pane:
    """The content of an open row. Addresses are relative to the listing."""

    def __init__(self, item: LogItem, address: Address, link: str) -> None:
        """Show a log that was read whole. `link` is the absolute address of its page."""
        self.item = item
        self.address = address
        self.link = link
        self.content = documents.content(item)

    @cached_property
    def payload(self) -> Payload | None:
        """Return the beginning of the payload, or None without one."""
        text = self.content.payload_text
        return Payload(text, limit=MAX_PAYLOAD) if text else None

    @cached_property
    def extra(self) -> Payload | None:
        """Return the beginning of the extra fields, or None without them."""
        text = self.content.extra_text
        return Payload(text, limit=MAX_EXTRA) if text else None

    @cached_property
    def changes(self) -> ChangeTable | None:
        """Return the changed fields of the payload, or None."""
        return self.payload.changes if self.payload else None

    @property
    def fields(self) -> list[PaneField]:
        """Return the fields that have a value."""
        values = {**self.content.fields, "object": self.item.object_key}
        return [self._field(name, value) for name in FIELDS if (value := values[name])]

    def _field(self, name: str, value: str) -> PaneField:
        shown = display_who(value) if name in ("account_id", "user_id") else value
        only = without = None
        # The filter accepts no longer values, and a text that is truncated is another one.
        if name in FILTERS and len(value.encode(errors="replace")) <= MAX_BYTES:
            kind_is_multiple = FILTERS[name].kind.is_multiple
            only = self.address.narrow(**{name: (value,) if kind_is_multiple else value})
            if name == "user_id":
                # Another account may have a user with this id.
                only = self.address.narrow(account_id=(self.item.account_id,), user_id=(value,))
            without = self._without(name, value)
        return PaneField(LABELS.get(name) or FILTERS[name].label, truncate(shown, MAX_FIELD), only, without)

    def _without(self, name: str, value: str) -> str | None:
        """Return the address without a value, or None if the filter cannot exclude it."""
        if f"{EXCLUDED}{name}" not in FILTERS:
            return None
        included: tuple[str, ...] = getattr(self.address.filter, name)
        if included:
            others = tuple(each for each in included if each != value)
            return self.address.narrow(**{name: others}) if others else None
        excluded: tuple[str, ...] = getattr(self.address.filter, f"{EXCLUDED}{name}")
        return self.address.narrow(**{f"{EXCLUDED}{name}": (*excluded, value)})

    @property
    def around(self) -> list[Link]:
        """Return the links to the logs just before and after this one."""
        account, user, type_ = self.item.account_id, self.item.user_id, self.item.type
        filters: dict[str, dict[str, Any]] = {
            f"in account {display_who(account)}": {"account_id": (account,)}
        }
        if user != NO_ONE:
            filters[f"by user {display_who(user)}"] = {"account_id": (account,), "user_id": (user,)}
        filters |= {f"{visible(type_)} only": {"type": (type_,)}, "everything": {}}
        return [Link(text, self._around(LogFilter(**values))) for text, values in filters.items()]

    def _around(self, log_filter: LogFilter) -> str:
        return f"{self.address.url(log_filter, start=Around(self.item.id))}#log-{self.item.id}"

    @property
    def history(self) -> Link | None:
        """Return the link to the history of the log's object, or None without one."""
        if (key := self.item.object_key) is None:
            return None
        log_filter = LogFilter(object=(key,), account_id=(self.item.account_id,))
        name = truncate(self.content.fields["object_name"] or key, MAX_FIELD).text
        return Link(f"History of {name}", self.address.url(log_filter))
