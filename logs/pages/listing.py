"""The listing: one page of a plan, and every link that leads from it."""

import unicodedata
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from logs import conf, cursor
from logs.characters import distinct, reading, visible
from logs.filters import FILTERS, LogFilter, Order
from logs.form_fields import DEFAULT_LIMIT
from logs.models import LogItem, object_key
from logs.pages import sentence
from logs.pages.display import (
    NO_LOG_HAS_ID,
    Time,
    display_moment,
    display_rejection,
    display_time,
    display_who,
)
from logs.pages.links import Link, query_string
from logs.plan import END, Around, Direction, Position
from logs.reader import CHOICES, Choices, IdSearch, PageResult
from logs.storage.choices import is_recordable, nearest

DAY = timedelta(days=1)
PAGE_SIZES = (25, 50, 100, 200)
# Each is compared with every choice.
MAX_UNKNOWN = 3
# The columns beside the time, and the projected attributes that each one shows.
COLUMNS = {
    FILTERS["account_id"].label: ("account_id",),
    FILTERS["user_id"].label: ("user_id", "user_name"),
    FILTERS["type"].label: ("type",),
    FILTERS["sub_type"].label: ("sub_type",),
    "Object, URL": ("object_type", "object_id", "object_name", "url"),
    "Client": ("submitter_city", "submitter_country", "submitter_platform", "submitter_browser"),
}


@dataclass(frozen=True)
class Row:
    """One log in the listing."""

    href: str
    time: Time
    account: Link
    user: Link
    user_name: str
    object: Link | None
    type: Link
    sub_type: str
    url: str
    place: str
    device: str
    is_marked: bool


@dataclass(frozen=True)
class Sort:
    """The order of the time column, and the link to the opposite order."""

    direction: str
    href: str
    title: str


@dataclass(frozen=True)
class UnknownValue:
    """A value of the filter that is not among the choices, with similar ones.

    No log had it so far if the choices are complete.
    """

    label: str
    value: str
    nearest: list[Link]
    is_complete: bool


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


class Listing:
    """One page of logs, with all that the template shows."""

    columns = COLUMNS

    def __init__(self, result: PageResult) -> None:
        self.plan = result.plan
        self.page = result.page
        self.start = result.query.start
        self.limit = result.query.limit
        self.filter = result.plan.filter
        self.cost = result.page.cost
        # Set if the filter searches for an id that no log has.
        self.id_search: IdSearch | None = None
        # Set if the page is empty and a value may be mistyped.
        self.choices: Choices | None = None

    def url(
        self,
        log_filter: LogFilter | None = None,
        *,
        start: Position | Around | None = None,
        limit: int | None = None,
        path: str = "",
        **parameters: str,
    ) -> str:
        """Return an address of the listing with another filter, start or page size.

        Every link of the listing comes from here.
        """
        if isinstance(start, Around):
            parameters["around"] = start.log_id
        elif start:
            parameters["cursor"] = cursor.encode(start, self.plan)
        return f"{path}?{query_string(log_filter or self.filter, limit or self.limit, **parameters)}"

    def _narrow(self, **changes: Any) -> str:
        return self.url(replace(self.filter, **changes))

    @property
    def phrases(self) -> list[sentence.Phrase]:
        """Return the filter as a sentence, in parts."""
        return sentence.phrases(self.plan)

    @property
    def note(self) -> str | None:
        """Return which logs are shown if no log has the id of the filter."""
        return NO_LOG_HAS_ID if self.id_search else None

    @property
    def rejection(self) -> str | None:
        """Return why a message with the id was rejected, or None."""
        return display_rejection(self.id_search) if self.id_search else None

    @cached_property
    def rows(self) -> list[Row]:
        """Return the logs of the page. Each row's link names this page as the way back."""
        back = self.url(start=self.start).removeprefix("?")
        suffix = f"?{urlencode({'_changelist_filters': back})}" if back else ""
        return [self._row(item, suffix) for item in self.page.items]

    def _row(self, item: LogItem, suffix: str) -> Row:
        return Row(
            href=f"{item.id}/change/{suffix}",
            time=display_time(item.created_at),
            account=Link(display_who(item.account_id), self._narrow(account_id=(item.account_id,))),
            user=Link(
                display_who(item.user_id),
                self._narrow(user_id=(item.user_id,), account_id=(item.account_id,)),
            ),
            user_name=visible(item.user_name or ""),
            object=self._object(item),
            type=Link(visible(item.type), self._narrow(type=(item.type,))),
            sub_type=visible(item.sub_type),
            url=visible(item.url),
            place=visible(", ".join(filter(None, [item.submitter_city, item.submitter_country]))),
            device=visible(" · ".join(filter(None, [item.submitter_platform, item.submitter_browser]))),
            is_marked=self.start == Around(item.id),
        )

    def _object(self, item: LogItem) -> Link | None:
        """Return the link to the history of a log's object. Other accounts may have one of the same name."""
        key = object_key(item.object_type, item.object_id)
        if key is None:
            return None
        href = self._narrow(object=(key,), account_id=(item.account_id,))
        return Link(visible(item.object_name or key), href)

    @property
    def sort(self) -> Sort:
        """Return the order of the time column, as the Django admin names it."""
        if self.filter.order is Order.OLDEST:
            return Sort("ascending", self._narrow(order=Order.NEWEST), "Show the newest first")
        return Sort("descending", self._narrow(order=Order.OLDEST), "Show the oldest first")

    @property
    def pages_before(self) -> list[Link]:
        """Return the links to the first and the previous page."""
        text = "Oldest" if self.filter.order is Order.OLDEST else "Newest"
        previous = self.page.previous
        return [
            Link(f"« {text}", self.url() if previous else None, "first"),
            Link("‹ Previous", self.url(start=previous) if previous else None, "previous", rel="prev"),
        ]

    @property
    def pages_after(self) -> list[Link]:
        """Return the links to the next and the last page."""
        text = "Newest" if self.filter.order is Order.OLDEST else "Oldest"
        following = self.page.next
        return [
            Link("Next ›", self.url(start=following) if following else None, "next", rel="next"),
            Link(f"{text} »", self.url(start=END) if following else None, "last"),
        ]

    @property
    def span(self) -> str:
        """Return the times of the first and the last row, in UTC."""
        if not self.page.items:
            return ""
        first, last = (display_time(self.page.items[i].created_at) for i in (0, -1))
        end = last.clock if first.date == last.date else f"{last.date} {last.clock}"
        return f"{first.date} {first.clock} – {end} UTC"

    @property
    def sizes(self) -> list[Link]:
        """Return the page sizes; the current one has no address."""
        return [Link(str(size), None if size == self.limit else self.url(limit=size)) for size in PAGE_SIZES]

    @property
    def files(self) -> list[Link]:
        """Return the links to the logs of this filter as a file."""
        return [
            Link(kind.upper(), self.url(limit=DEFAULT_LIMIT, path="export/", format=kind))
            for kind in ("csv", "ndjson")
        ]

    @property
    def max_export_rows(self) -> int:
        """Return how many logs a file holds at most."""
        return conf.export_rows()

    @property
    def partition_keys(self) -> list[str]:
        """Return the partition keys that the page reads."""
        return [visible(stream.key) for stream in self.plan.streams]

    @property
    def presets(self) -> list[Link]:
        """Return the links to time ranges. Their times are absolute: a link means the same tomorrow.

        The current range has no address.
        """
        now = datetime.now(UTC)
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        # Rounded up, so that the range includes the newest logs.
        minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        ranges = {
            "Today": (today, today + DAY),
            "Yesterday": (today - DAY, today),
            "Last 24 hours": (minute - DAY, minute),
            "Last 7 days": (minute - 7 * DAY, minute),
            "Last 30 days": (minute - 30 * DAY, minute),
        }
        current = (self.filter.start, self.filter.end)
        return [
            Link(text, None if current == (start, end) else self._narrow(start=start, end=end))
            for text, (start, end) in ranges.items()
        ]

    @property
    def everything(self) -> str | None:
        """Return the address of the listing without filters, or None if it has none."""
        bare = LogFilter(order=self.filter.order)
        return None if bare == self.filter else self.url(bare)

    @property
    def may_be_mistyped(self) -> bool:
        """Return whether an empty page may come from a mistyped value that has choices."""
        is_empty = self.page.complete and not self.page.items and not isinstance(self.start, Position)
        return is_empty and any(self._values(name) for name in CHOICES)

    def _values(self, name: str) -> tuple[str, ...]:
        """Return the values of a filter. A missing value (an empty text) is none of them."""
        return tuple(filter(None, getattr(self.filter, name)))

    @cached_property
    def _unknown(self) -> list[tuple[str, str]]:
        """Return name and value of each value of the filter that is not among the choices."""
        if self.choices is None:
            return []
        unknown = []
        for name in CHOICES:
            # A filter finds both forms of accents, so a choice in another form is no other value.
            seen = set(map(_composed, self.choices.values(name)))
            # A longer value may exist all the same.
            unknown += [
                (name, value)
                for value in self._values(name)
                if _composed(value) not in seen and is_recordable(value)
            ]
        return unknown

    @property
    def unknown_values(self) -> list[UnknownValue]:
        """Return the first unknown values of the filter, with the most similar choices."""
        values: list[UnknownValue] = []
        read: set[tuple[str, str]] = set()
        for name, value in self._unknown[:MAX_UNKNOWN]:
            unknown = self._unknown_value(name, value)
            # Two suggestions never read alike: the parts of a value with a comma resemble the same choice.
            links = [link for link in unknown.nearest if (name, reading(link.text)) not in read]
            read |= {(name, reading(link.text)) for link in links}
            values.append(replace(unknown, nearest=links))
        return values

    @property
    def more_unknown(self) -> int:
        """Return the number of further unknown values."""
        return max(0, len(self._unknown) - MAX_UNKNOWN)

    def _unknown_value(self, name: str, value: str) -> UnknownValue:
        choices = self.choices or Choices([], [])
        links = [
            Link(visible(other), self._narrow(**{name: self._replaced(name, value, other)}))
            for other in distinct(nearest(value, choices.values(name)))
        ]
        return UnknownValue(FILTERS[name].label.lower(), visible(value), links, choices.is_complete(name))

    def _replaced(self, name: str, value: str, other: str) -> tuple[str, ...]:
        """Return the values of a filter with another one in the place of one."""
        return tuple(other if each == value else each for each in getattr(self.filter, name))

    @property
    def empty_text(self) -> str:
        """Return the text of a page without rows."""
        if not self.page.complete:
            return "No logs match so far."
        if self.everything is None:
            return "No logs yet."
        if self.plan.needs_no_post_filter:
            return "No logs match this filter."
        return f"No logs match. Searched everything{self._end_of_range}."

    @property
    def _end_of_range(self) -> str:
        """Return the end of the filter's range that is read last, if it has one."""
        if self.filter.order is Order.OLDEST:
            return f" up to {display_moment(self.filter.end)} UTC" if self.filter.end else ""
        return f" back to {display_moment(self.filter.start)} UTC" if self.filter.start else ""

    @property
    def progress(self) -> str | None:
        """Return how far an incomplete page read, or None for a complete page."""
        if self.page.complete:
            return None
        count = f"{self.page.cost.examined:,}"
        if self.page.reached is None:
            return f"Searched {count} logs."
        towards_later = (self.filter.order is Order.OLDEST) is not self.is_read_backwards
        reached = display_moment(self.page.reached.replace(microsecond=0))
        direction = "up to" if towards_later else "back to"
        return f"Searched {count} logs, {direction} {reached} UTC."

    @property
    def onward(self) -> str | None:
        """Return the address where a page continues that ran out of its budget."""
        if self.page.complete:
            return None
        return self.url(start=self.page.previous if self.is_read_backwards else self.page.next)

    @property
    def is_read_backwards(self) -> bool:
        """Return whether the page was read backwards. More logs then go above its rows."""
        return isinstance(self.start, Position) and self.start.direction is Direction.PREVIOUS

    @property
    def reads_every_log(self) -> bool:
        """Return whether a post-filter reads every log in the table."""
        return not (self.plan.needs_no_post_filter or self.plan.narrows_the_range)

    @property
    def milliseconds(self) -> int:
        """Return how long the reading took."""
        return round(self.cost.seconds * 1000)
