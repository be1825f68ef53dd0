"""The overview of all logs, with all that its page shows."""

from dataclasses import dataclass, replace
from datetime import timedelta

from logs import conf, zones
from logs.digests.moments import to_moment, to_time
from logs.pages.address import Address
from logs.pages.bill import Bill, make_bill
from logs.pages.display import display_who, shorten
from logs.pages.durations import display_duration
from logs.pages.histogram import Histogram, Number
from logs.pages.hot_keys import MAX_WRITE_UNITS, TYPE, HotKey, hot_keys
from logs.pages.overview_numbers import DAYS, OverviewNumbers
from logs.range_text import write_range
from logs.reading.count_result import HOUR, Count

# As long as the dead-letter queue keeps a message.
DEAD_LETTER_DAYS = 14
MAX_NAME = 40
# A smaller part is none to speak of.
MIN_PART = 0.0001
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Figure:
    """One number of the overview, with what it means."""

    name: str
    text: str
    note: str = ""


@dataclass(frozen=True)
class KeyRow:
    """A hot key as a row of the table. `href` has the logs of its busiest hour."""

    name: str
    hour: str
    href: str
    logs: str
    write_units: str
    used: str
    room: str


class Overview:
    """The overview, with all that the template shows."""

    max_write_units = f"{MAX_WRITE_UNITS:,}"

    def __init__(
        self, numbers: OverviewNumbers, address: Address, prefix: str, dead_letters: int | None
    ) -> None:
        """Show numbers. `prefix` is the path of the listing. `dead_letters` may be unknown."""
        self._numbers, self._prefix, self._dead_letters = numbers, prefix, dead_letters
        self._zone = numbers.zone
        plan = address.plan
        first = to_time(numbers.shown_days[0])
        shown = replace(plan, filter=replace(plan.filter, start=first), low=first)
        self._address = replace(address, plan=shown)
        days = numbers.hours.regroup(numbers.shown_days)
        self.histogram = Histogram(days, self._address, prefix, self._zone, conf.type_colors())
        self.back = f"{prefix}{address.url()}"
        self.cost = numbers.cost
        self.zone_label = zones.label(self._zone)
        self.is_in_utc = self._zone is not address.zone
        self.includes_own = plan.includes_own
        self.is_exact = numbers.shown.is_exact

    @property
    def total(self) -> Number:
        """Return the number of all logs that are kept."""
        return Number.of(self._numbers.hours.total)

    @property
    def range(self) -> str:
        """Return the days of the histogram."""
        days = self._numbers.days
        return write_range(to_time(days[DAYS]), to_time(days[-1]), self._zone)

    @property
    def figures(self) -> list[Figure]:
        """Return the numbers beside the histogram."""
        recent, before = self._numbers.recent, self._numbers.before
        return [
            Figure(f"Last {DAYS} days", _per_day(recent), f"{self.range}, without today"),
            Figure(f"{DAYS} days before", _per_day(before)),
            self._growth,
            Figure("All logs", f"{self.total.phrase}", "that are kept now"),
            *self._sizes,
            self._dead_letter_share,
        ]

    @property
    def _growth(self) -> Figure:
        """Return the growth. It is unknown if logs of the days before have expired."""
        name, retention = "Growth", self._numbers.retention
        if retention and retention < timedelta(days=2 * DAYS + 1):
            return Figure(name, UNKNOWN, f"logs expire after {display_duration(retention)}")
        growth = _change(self._numbers.recent, self._numbers.before)
        return Figure(name, growth, f"logs a day, against the {DAYS} days before")

    @property
    def _sizes(self) -> list[Figure]:
        if (sizes := self._numbers.sizes) is None:
            return []
        logs = "log" if sizes.logs == 1 else f"{sizes.logs} logs"
        return [
            Figure(
                "Average size",
                f"{sizes.item_bytes:,.0f} bytes",
                f"{sizes.stored_bytes:,.0f} with the indexes, of the newest {logs}",
            ),
            Figure("Write units", f"{sizes.write_units:.4g} a log", f"of the newest {logs}"),
        ]

    @property
    def _dead_letter_share(self) -> Figure:
        """Return the share of dead letters among all messages while the queue keeps them."""
        name = "Dead letters"
        number = self._dead_letters
        if number is None:
            return Figure(name, UNKNOWN, "the site has no queue, or it does not respond")
        start = to_moment(self._numbers.now - timedelta(days=DEAD_LETTER_DAYS)) // HOUR * HOUR
        logs = self._numbers.hours.number(start, self._numbers.hours.end)
        messages = logs.number + number
        note = f"in the queue now, of the messages of {DEAD_LETTER_DAYS} days"
        if not messages:
            return Figure(name, "0", note)
        share = _percent(number / messages, "" if logs.is_exact else "at most ")
        return Figure(name, f"{number:,} ({share})", note)

    @property
    def keys(self) -> list[KeyRow]:
        """Return the hot keys of the shown days."""
        return [self._row(key) for key in hot_keys(self._numbers, conf.written_shards())]

    def _row(self, key: HotKey) -> KeyRow:
        start, end = to_time(key.hour), to_time(key.hour + HOUR)
        changes = {} if not key.value else {"type" if key.index == TYPE else "account_id": (key.value,)}
        address = self._address.narrow(start=start, end=end, **changes)
        mark, opposite = ("at most ", "at least ") if key.is_limit else ("at least ", "at most ")
        if key.logs.is_exact and not key.is_limit:
            mark = opposite = ""
        return KeyRow(
            name=self._key_name(key),
            hour=write_range(start, end, self._zone),
            href=f"{self._prefix}{address}",
            logs=f"{mark}{key.logs.number:,}",
            write_units=f"{mark}{_rounded(key.write_units)}",
            used=_percent(key.used, mark),
            room=f"{opposite}{_rounded(key.room)} times as many",
        )

    def _key_name(self, key: HotKey) -> str:
        if not key.value:
            shards = conf.written_shards()
            return "All logs" if shards == 1 else f"One of {shards} sorting shards"
        if key.index == TYPE:
            return f"Type {shorten(key.value, MAX_NAME)}"
        return f"Account {shorten(display_who(key.value), MAX_NAME)}"

    @property
    def month(self) -> str:
        """Return the month that is billed."""
        return f"{self._numbers.now:%B %Y}"

    @property
    def bill(self) -> Bill | None:
        """Return the cost of the month so far. It is None without a log to measure."""
        return make_bill(self._numbers)

    @property
    def milliseconds(self) -> int:
        """Return how long the reading took."""
        return round(self.cost.seconds * 1000)


def _per_day(count: Count) -> str:
    number = Number.of(count)
    if number.phrase == UNKNOWN:
        return UNKNOWN
    return f"{number.phrase} ({_rounded(count.number / DAYS)} a day)"


def _change(recent: Count, before: Count) -> str:
    if not (recent.is_exact and before.is_exact):
        return UNKNOWN
    if not before.number:
        return "no logs before"
    return f"{(recent.number / before.number - 1) * 100:+,.0f} %"


def _rounded(number: float) -> str:
    """Return a number with three digits, such as `1,230,000`."""
    text = f"{number:.3g}"
    return f"{float(text):,.0f}" if number >= 100 else text


def _percent(part: float, mark: str = "") -> str:
    """Return a part in percent, such as `0.3 %`. The mark says that it is a bound."""
    if 0 < part < MIN_PART and not mark.startswith("at least"):
        return "under 0.01 %"
    return f"{mark}{_rounded(part * 100)} %"
