"""The listing: one page of a plan, and every link that leads from it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.utils.safestring import SafeString
from django.utils.text import Truncator

from logs import conf, zones
from logs.characters import visible
from logs.fields import format_time
from logs.filters import LogFilter, Order
from logs.form_fields import DEFAULT_LIMIT
from logs.pages import sentence
from logs.pages.address import Address
from logs.pages.api_link import api_address
from logs.pages.chips import Chips, make_chips
from logs.pages.columns import COLUMNS, Column, ColumnChoice, column_choices, read_columns
from logs.pages.display import (
    NO_LOG_HAS_ID,
    display_rejection,
    display_time,
)
from logs.pages.empty_page import EmptyPage
from logs.pages.filter_fields import FilterFields
from logs.pages.labels import read_row_labels
from logs.pages.links import Link
from logs.pages.live import LiveSwitch
from logs.pages.marks import make_marks
from logs.pages.numbers_place import NumbersPlace
from logs.pages.preferences import COMPACT, HIDE, Preferences
from logs.pages.progress import Progress
from logs.pages.rows import RowOptions, render_rows
from logs.plan import END, Around
from logs.reader import ChoicesLookup, IdSearch, Page, PageResult, PendingPage
from logs.reading.budget import Cost

PAGE_SIZES = (25, 50, 100, 200)
# Of the sentence in the tab's title.
MAX_TITLE = 120
# Values of one filter in the heading.
MAX_VALUES = 10
FILES: dict[str, dict[str, Any]] = {"Export": {}, "CSV": {"format": "csv"}, "NDJSON": {"format": "ndjson"}}


@dataclass(frozen=True)
class Sort:
    """The order of the time column, and the button's value to reverse it."""

    direction: str
    value: str
    title: str


class Listing:
    """One page of logs, with all that the template shows."""

    sizes = PAGE_SIZES

    def __init__(
        self,
        result: PageResult | PendingPage,
        view: Preferences,
        address: Address,
        choices: ChoicesLookup | None = None,
    ) -> None:
        """Show a page. Its address is that of the first page of its plan.

        Without `choices`, an empty page names no mistyped values.
        """
        self._result = result
        self.query = result.query
        self.plan = result.plan
        self.start = result.query.start
        self.limit = result.query.limit
        self.filter = result.plan.filter
        # The cost of the other reads for this page.
        self.other_cost = Cost()
        # Set if the filter searches for an id that no log has.
        self.id_search: IdSearch | None = None
        # The content of the open rows, by the ids of their logs.
        self.panes: Mapping[str, SafeString] = {}
        self.zone = address.zone
        self.time_range = address.time_range
        self.view = view
        self.address = address
        self.progress = Progress(result, address)
        self._choices = choices

    @property
    def page(self) -> Page:
        """Return the rows and their neighbours, once they are read. Raises StoreUnavailable."""
        return self._result.page

    @property
    def cost(self) -> Cost:
        """Return the cost of all reads for this page."""
        cost = replace(self.page.cost)
        cost += self.other_cost
        if self._choices:
            cost += self._choices.cost
        return cost

    @cached_property
    def empty_page(self) -> EmptyPage:
        """Return why the page has no rows. Reads the choices if a value may be mistyped."""
        return EmptyPage(self._result, self.address, self._choices)

    @property
    def phrases(self) -> list[sentence.Phrase]:
        """Return the filter as a sentence, in parts."""
        return sentence.heading(self.plan, self._times)

    @property
    def title(self) -> str:
        """Return the sentence for the tab, truncated."""
        return Truncator(sentence.title(self.plan, self._times)).chars(MAX_TITLE)

    @property
    def zone_name(self) -> str:
        """Return the short name of the time zone: `UTC` or `Berlin`."""
        return zones.city(self.zone)

    @property
    def chips(self) -> Chips:
        """Return a chip for each value of the filter."""
        return make_chips(self.address)

    @property
    def fields(self) -> FilterFields:
        """Return the fields of the filter, with its values."""
        return FilterFields(self.address.field_values)

    @property
    def absolute(self) -> str:
        """Return the address of this page with absolute times, and without its saved view."""
        address = self.address.for_others
        return address.url(start=self.start) if self.start else address.absolute

    @property
    def _times(self) -> sentence.Times:
        moment = None
        if isinstance(self.start, Around):
            log_id = self.start.log_id
            moment = next((item.created_at for item in self.page.items if item.id == log_id), None)
        return sentence.Times(self.zone, self.time_range, moment, MAX_VALUES)

    @property
    def note(self) -> str | None:
        """Return which logs are shown if no log has the id of the filter."""
        return NO_LOG_HAS_ID if self.id_search else None

    @property
    def rejection(self) -> str | None:
        """Return why a message with the id was rejected, or None."""
        return display_rejection(self.id_search, self.zone) if self.id_search else None

    @property
    def has_rows(self) -> bool:
        """Return whether the page has logs."""
        return bool(self.page.items)

    @property
    def columns(self) -> list[Column]:
        """Return the columns beside the time.

        The account is left out if the filter has one account alone.
        """
        hidden = {"account"} if len(self.filter.account_id) == 1 else set()
        return [COLUMNS[name] for name in read_columns(self.view.columns) if name not in hidden]

    @property
    def column_choices(self) -> list[ColumnChoice]:
        """Return the columns that the reader can show, hide and move."""
        return column_choices(read_columns(self.view.columns))

    @property
    def is_compact(self) -> bool:
        """Return whether the rows have little space around them."""
        return self.view.density == COMPACT

    @property
    def numbers(self) -> NumbersPlace:
        """Return the place of the numbers, which a script fetches."""
        return NumbersPlace(self.address, is_hidden=self.view.numbers == HIDE)

    @cached_property
    def live(self) -> LiveSwitch:
        """Return the switch to follow new logs."""
        return LiveSwitch(self.address, self._result)

    @property
    def freshness(self) -> str:
        """Return the address of the freshness of the logs, in the time zone."""
        zone = zones.name(self.zone)
        return "freshness/" if zone == "UTC" else f"freshness/?{urlencode({'tz': zone})}"

    @property
    def rows(self) -> SafeString:
        """Return the logs of the page as table rows."""
        options = RowOptions(
            columns=[column.name for column in self.columns],
            zone=self.zone,
            labels=read_row_labels(self.page.items),
            colors=conf.type_colors(),
            marks=make_marks(self.filter),
            selected=self.start.log_id if isinstance(self.start, Around) else None,
            panes=self.panes,
        )
        return render_rows(self.address, self.page.items, options)

    @property
    def place(self) -> list[tuple[str, str]]:
        """Return the parameters of this page, for a form that leads to it."""
        return parse_qsl(self.address.url(start=self.start).removeprefix("?"))

    @property
    def sort(self) -> Sort:
        """Return the order of the time column, as the Django admin names it."""
        if self.filter.order is Order.OLDEST:
            return Sort("ascending", f"{Order.NEWEST}{self.place_suffix}", "Show the newest first")
        return Sort("descending", f"{Order.OLDEST}{self.place_suffix}", "Show the oldest first")

    @property
    def pages_before(self) -> list[Link]:
        """Return the links to the first and the previous page."""
        text = "Oldest" if self.filter.order is Order.OLDEST else "Newest"
        previous = self.page.previous
        return [
            Link(f"« {text}", self.address.url() if previous else None, "first"),
            Link(
                "‹ Previous", self.address.url(start=previous) if previous else None, "previous", rel="prev"
            ),
        ]

    @property
    def pages_after(self) -> list[Link]:
        """Return the links to the next and the last page."""
        text = "Newest" if self.filter.order is Order.OLDEST else "Oldest"
        following = self.page.next
        return [
            Link("Next ›", self.address.url(start=following) if following else None, "next", rel="next"),
            Link(f"{text} »", self.address.url(start=END) if following else None, "last"),
        ]

    @property
    def span(self) -> str:
        """Return the times of the first and the last row, in the time zone."""
        if not self.page.items:
            return ""
        first, last = (display_time(self.page.items[i].created_at, self.zone) for i in (0, -1))
        end = last.clock if first.date == last.date else f"{last.date} {last.clock}"
        return f"{first.date} {first.clock} – {end} {zones.label(self.zone)}"

    @property
    def files(self) -> list[Link]:
        """Return the links to the page of exports, and to files of this filter."""
        address = replace(self.address, default_limit=DEFAULT_LIMIT)
        return [
            Link(text, address.url(limit=DEFAULT_LIMIT, path="export/", **values))
            for text, values in FILES.items()
        ]

    @property
    def json(self) -> str | None:
        """Return the address of this page in the JSON API, or None."""
        return api_address(self.query)

    @property
    def max_export_rows(self) -> int:
        """Return how many logs a file holds at most."""
        return conf.export_rows()

    @property
    def read_path(self) -> str:
        """Return the index that the page reads, and whether it reads digests before."""
        index = f"{self.plan.index} of DynamoDB"
        return f"Digests, then index {index}" if self.plan.uses_digests else f"Index {index}"

    @property
    def partition_keys(self) -> list[str]:
        """Return the partition keys that the page reads."""
        return [visible(stream.key) for stream in self.plan.streams]

    @property
    def everything(self) -> str | None:
        """Return the address of the listing without filters, or None if it has none."""
        bare = LogFilter(order=self.filter.order)
        return None if bare == self.filter else self.address.url(bare)

    @property
    def place_suffix(self) -> str:
        """Return the end of a button's value that keeps the place.

        It is `@` and the time of the first row, or empty on the first page.
        """
        # A first page need not be read for it.
        if self.start is None or self.page.previous is None or not self.page.items:
            return ""
        return f"@{format_time(self.page.items[0].created_at)}"

    @property
    def reads_every_log(self) -> bool:
        """Return whether a post-filter reads every log in the table."""
        return not (self.plan.needs_no_post_filter or self.plan.narrows_the_range)

    @property
    def milliseconds(self) -> int:
        """Return how long the reading took."""
        return round(self.cost.seconds * 1000)
