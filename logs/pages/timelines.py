"""The history of a log's object, and the logs around the log."""

from django.utils.safestring import SafeString

from logs import conf
from logs.filters import LogFilter
from logs.pages.display import shorten
from logs.pages.labels import read_user_labels
from logs.pages.links import Link, choice_links, query_string
from logs.pages.log_address import LogAddress
from logs.pages.log_fields import LogFields
from logs.pages.related import AXES
from logs.pages.timeline import MAX_CHARACTERS, Timeline, make_timeline, read_neighbours
from logs.plan import make_plan
from logs.reading.budget import Cost


class Timelines:
    """The timelines of one log. The page of the log has their links, and a script fetches their entries.

    `history` and `around` are None unless they were read. `cost` is that of reading them.
    """

    def __init__(self, log_fields: LogFields, address: LogAddress) -> None:
        self.address = address
        self.history: Timeline | None = None
        self.around: Timeline | None = None
        self.cost = Cost()
        self._log_fields = log_fields
        self._related = log_fields.related

    def read(self, *, includes_own: bool) -> None:
        """Read the timelines, side by side. A timeline that cannot be read has no entries.

        Costs as `read_neighbours`.
        """
        filters = [self._related.axes[self.axis], *filter(None, [self._related.object])]
        item, shards = self._log_fields.item, conf.shards()
        plans = [make_plan(each, shards, includes_own=includes_own).by_index() for each in filters]
        neighbours = read_neighbours(plans, item)
        users = read_user_labels(log for each in filter(None, neighbours) for log in each.items)
        zone = self.address.zone
        timelines = [make_timeline(each, item, self.address.other, zone, users) for each in neighbours]
        self.around, *others = timelines
        self.history = others[0] if others else None
        for each in filter(None, neighbours):
            self.cost += each.cost

    @property
    def object_text(self) -> str:
        """Return the name or key of the object, truncated to fit a line. It is empty without an object."""
        name = self._log_fields.object_name or self._log_fields.item.object_key
        return shorten(name or "", MAX_CHARACTERS)

    @property
    def history_href(self) -> str | None:
        """Return the address of the whole history, or None without an object."""
        return self._listing(self._related.object) if self._related.object else None

    @property
    def around_href(self) -> str:
        """Return the address of the list around the log, by the chosen axis."""
        return self._listing(self._related.axes[self.axis])

    @property
    def axis(self) -> str:
        """Return the chosen axis of the logs around this one, otherwise the user."""
        axes = self._related.axes
        return self.address.axis if self.address.axis in axes else next(iter(axes))

    @property
    def axes(self) -> SafeString:
        """Return links to the axes of the logs around this one as HTML."""
        # Without a script, the timelines are a page of their own.
        route = "timelines" if self.around else "change"
        return choice_links(
            Link(AXES[axis], None if axis == self.axis else self.address.page("#around", route, axis=axis))
            for axis in self._related.axes
        )

    def _listing(self, log_filter: LogFilter) -> str:
        log_id = self._log_fields.item.id
        query = query_string(log_filter, zone=self.address.zone, around=log_id)
        return f"{self.address.changelist}?{query}#log-{log_id}"
