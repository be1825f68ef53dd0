"""What the listing shows, worked out before a template prints it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from logs import conf, cursor, forms, sentence, times
from logs.answer import Answer
from logs.choices import nearest
from logs.filters import FILTERS, LogFilter, Order
from logs.models import LogItem
from logs.plan import END, Direction, Position
from logs.reader import Choices

DAY = timedelta(days=1)
PAGE_SIZES = (25, 50, 100, 200)
NO_ONE = "0"


@dataclass(frozen=True)
class Link:
    """A link with its text; without an address it stands for what is chosen or cannot be gone to."""

    text: str
    href: str | None
    rel: str = ""


@dataclass(frozen=True)
class Time:
    """A moment in UTC, in parts for reading."""

    iso: str
    date: str
    clock: str
    fraction: str

    @property
    def milliseconds(self) -> str:
        """Return the fraction in three decimals, point included: enough to tell rows apart at a glance."""
        return self.fraction[:4]


@dataclass(frozen=True)
class Row:
    """One log in the listing."""

    href: str
    time: Time
    account: Link
    user: str
    type: Link
    sub_type: str
    url: str
    place: str
    device: str
    is_marked: bool


# The columns beside the time, and the projected attributes that each one shows.
COLUMNS = {
    FILTERS["account_id"].label: ("account_id",),
    FILTERS["user_id"].label: ("user_id",),
    FILTERS["type"].label: ("type",),
    FILTERS["sub_type"].label: ("sub_type",),
    "URL": ("url",),
    "Client": ("submitter_city", "submitter_country", "submitter_platform", "submitter_browser"),
}


@dataclass(frozen=True)
class NeverSeen:
    """A value that was asked for and that no log has had so far, and links to those most like it."""

    field: str
    value: str
    nearest: list[Link]


def show_time(moment: datetime) -> Time:
    """Split a moment into what a reader looks at: the day, the clock, the fraction."""
    iso = times.to_text(moment)
    return Time(iso=iso, date=iso[:10], clock=iso[11:19], fraction=iso[19:26])


def show_who(who: str) -> str:
    """Return an account or a user for reading: 0 stands for no one (docs/sending.md)."""
    return "no one" if who == NO_ONE else who


class Listing:
    """The listing: one page of a plan with all that leads from it."""

    columns = COLUMNS

    def __init__(self, found: Answer, limit: int) -> None:
        self.plan = found.plan
        self.page = found.page
        self.position = found.position
        self.limit = limit
        self.around = found.around
        self.asked = found.plan.filter
        self.oldest_first = self.asked.order is Order.OLDEST
        self.choices: Choices | None = None

    def href(self, asked: LogFilter | None = None, *, to: Position | None = None) -> str:
        """Return the address of a filter's first page, or of a position in this listing."""
        values = {**forms.parameters(asked or self.asked, self.limit)}
        if to:
            values["cursor"] = cursor.encode(to, self.plan)
        return "?" + urlencode(values, doseq=True)

    @property
    def phrases(self) -> list[sentence.Phrase]:
        """Return the filter as a sentence, in parts."""
        return sentence.phrases(self.plan)

    @cached_property
    def rows(self) -> list[Row]:
        """Return the page's logs, ready to print."""
        back = self.href(to=self.position)[1:]
        if self.around:
            back = urlencode({**forms.parameters(self.asked, self.limit), "around": self.around}, doseq=True)
        return [
            self._row(item, urlencode({"_changelist_filters": back}) if back else "")
            for item in self.page.items
        ]

    def _row(self, item: LogItem, back: str) -> Row:
        return Row(
            href=f"{item.id}/change/" + (f"?{back}" if back else ""),
            time=show_time(item.created_at),
            account=Link(show_who(item.account_id), self._narrow(account_id=(item.account_id,))),
            user=show_who(item.user_id),
            type=Link(item.type, self._narrow(type=(item.type,))),
            sub_type=item.sub_type,
            url=item.url,
            place=", ".join(filter(None, [item.submitter_city, item.submitter_country])),
            device=" · ".join(filter(None, [item.submitter_platform, item.submitter_browser])),
            is_marked=item.id == self.around,
        )

    def _narrow(self, **changes: Any) -> str:
        return self.href(replace(self.asked, **changes))

    @property
    def turned(self) -> str:
        """Return the address of the same filter in the other order."""
        return self._narrow(order=Order.NEWEST if self.oldest_first else Order.OLDEST)

    @property
    def pager(self) -> list[Link]:
        """Return the ways to the first, previous, next and last page of the present order."""
        first, last = ("Oldest", "Newest") if self.oldest_first else ("Newest", "Oldest")
        previous, next_ = self.page.previous, self.page.next
        return [
            Link(f"« {first}", self.href() if previous else None),
            Link("‹ Previous", self.href(to=previous) if previous else None, "prev"),
            Link("Next ›", self.href(to=next_) if next_ else None, "next"),
            Link(f"{last} »", self.href(to=END) if next_ else None),
        ]

    @property
    def may_be_mistyped(self) -> bool:
        """Tell whether nothing was found and a type or sub type was asked for."""
        is_empty = self.page.complete and not self.page.items and self.position is None
        return is_empty and bool(self.asked.type or self.asked.sub_type)

    @property
    def never_seen(self) -> list[NeverSeen]:
        """Return what was asked for and never seen, with what comes nearest, which links to it instead."""
        if self.choices is None:
            return []
        found = [
            NeverSeen(
                "type",
                each,
                [
                    Link(
                        other,
                        self._narrow(
                            type=tuple(other if type_ == each else type_ for type_ in self.asked.type)
                        ),
                    )
                    for other in nearest(each, self.choices.types)
                ],
            )
            for each in self.asked.type
            if each not in self.choices.types
        ]
        sub_type = self.asked.sub_type
        if sub_type and sub_type not in self.choices.sub_types:
            others = nearest(sub_type, self.choices.sub_types)
            found.append(
                NeverSeen(
                    "subtype", sub_type, [Link(other, self._narrow(sub_type=other)) for other in others]
                )
            )
        return found

    @property
    def span(self) -> str:
        """Return the times of the page's first and last row, in UTC."""
        if not self.page.items:
            return ""
        first, last = (show_time(self.page.items[i].created_at) for i in (0, -1))
        end = last.clock if first.date == last.date else f"{last.date} {last.clock}"
        return f"{first.date} {first.clock} – {end} UTC"

    @property
    def sizes(self) -> list[Link]:
        """Return the numbers of rows to choose from; the present one has no address."""
        base = forms.parameters(self.asked, forms.DEFAULT_LIMIT)
        return [
            Link(
                str(size),
                None if size == self.limit else "?" + urlencode({**base, "limit": size}, doseq=True),
            )
            for size in PAGE_SIZES
        ]

    @property
    def most_rows(self) -> int:
        """Return how many logs a file holds at most."""
        return conf.export_rows()

    @property
    def files(self) -> list[Link]:
        """Return the links to this filter's logs as a file."""
        values = forms.parameters(self.asked, forms.DEFAULT_LIMIT)
        return [
            Link(kind.upper(), "export/?" + urlencode({**values, "format": kind}, doseq=True))
            for kind in ("csv", "ndjson")
        ]

    @property
    def presets(self) -> list[Link]:
        """Return links to ranges of time, as absolute times: a link means the same tomorrow.

        The one that is chosen has no address.
        """
        now = datetime.now(UTC)
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        # Rounded up, so that what was just logged is in the range.
        minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        ranges = {
            "Today": (today, today + DAY),
            "Yesterday": (today - DAY, today),
            "Last 24 hours": (minute - DAY, minute),
            "Last 7 days": (minute - 7 * DAY, minute),
            "Last 30 days": (minute - 30 * DAY, minute),
        }
        chosen = (self.asked.start, self.asked.end)
        return [
            Link(text, None if chosen == (start, end) else self._narrow(start=start, end=end))
            for text, (start, end) in ranges.items()
        ]

    @property
    def everything(self) -> str | None:
        """Return the address of the listing without filters, or None where it has none."""
        bare = LogFilter(order=self.asked.order)
        return None if bare == self.asked else self.href(bare)

    @property
    def milliseconds(self) -> int:
        """Return how long the reading took."""
        return round(self.page.cost.seconds * 1000)

    @property
    def reached(self) -> Time | None:
        """Return how far a page got that ran out of its budget."""
        return show_time(self.page.reached) if self.page.reached else None

    @property
    def onward(self) -> str | None:
        """Return the address at which a page goes on that ran out of its budget."""
        if self.page.complete:
            return None
        return self.href(to=self.page.previous if self.reads_back else self.page.next)

    @property
    def reads_back(self) -> bool:
        """Tell whether the page was read against the order, so that what is found next stands above it."""
        return self.position is not None and self.position.direction is Direction.PREVIOUS

    @property
    def looks_at_everything(self) -> bool:
        """Tell whether no index narrows what is looked for, so that every log has to be looked at."""
        return not (self.asked.needs_no_post_filter or self.asked.narrows_the_range)
