"""A histogram: the numbers of a count as bars, and as a table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from logs.conf import COLORS
from logs.digests.moments import to_time
from logs.pages.address import Address
from logs.pages.display import display_moment, shorten
from logs.range_text import write_range
from logs.reading.count_result import Count, CountResult

# The most frequent types have a color each.
MAX_TYPES = 5
MAX_NAME = 40
OTHER = "other"
GRAY = COLORS[0]
# Of types without a color of their own. Those of warnings and errors come last.
FREE_COLORS = ("blue", "green", "purple", "teal", "pink", "amber", "red")
# The units of the picture, which the browser stretches. numbers.html has the same width of a bar.
WIDTH, HEIGHT = 10, 100
# The least height of what is visible.
MIN_HEIGHT = 2
UNKNOWN_HEIGHT = 12
MIDNIGHT = " 00:00"


@dataclass(frozen=True)
class Series:
    """A type with its color, or all others together."""

    text: str
    color: str
    type: str | None = None


@dataclass(frozen=True)
class Number:
    """A number as text, and whether it is exact."""

    text: str
    is_exact: bool

    @property
    def phrase(self) -> str:
        """Return the number, such as `5` or `at least 5`. It is `unknown` if nothing was counted."""
        if self.is_exact:
            return self.text
        return "unknown" if self.text == "0" else f"at least {self.text}"

    @classmethod
    def of(cls, count: Count) -> "Number":
        """Return a count as text."""
        return cls(f"{count.number:,}", count.is_exact)


@dataclass(frozen=True)
class Rect:
    """A rectangle of one color."""

    color: str
    y: float
    height: float


@dataclass(frozen=True)
class Bar:
    """A bar. `href` zooms into its time, and `numbers` are those of the series."""

    x: int
    href: str
    text: str
    total: Number
    numbers: list[Number]
    rects: list[Rect]
    # Of a lower bound: the height of its hatching.
    hatched: float

    @property
    def hatching_y(self) -> float:
        """Return the upper end of the hatching."""
        return round(HEIGHT - self.hatched, 2)

    @property
    def title(self) -> str:
        """Return the bar in words."""
        return f"{self.text}: {self.total.phrase}"

    @property
    def is_empty(self) -> bool:
        """Return whether the bar has certainly no logs."""
        return self.total.is_exact and self.total.text == "0"


class Histogram:
    """The bars of a count."""

    def __init__(
        self,
        result: CountResult,
        address: Address,
        prefix: str,
        zone: tzinfo,
        colors: Mapping[str, str],
    ) -> None:
        """Show the numbers. `prefix` is the path of the listing, `colors` are those of types."""
        self._result, self._address, self._prefix, self._zone = result, address, prefix, zone
        self.series = _series(result, colors)
        self._highest = max((each.number for each in result.buckets.values()), default=0) or 1
        self.bars = [self._bar(index, moment) for index, moment in enumerate(result.starts)]

    @property
    def view_box(self) -> str:
        """Return the size of the picture."""
        return f"0 0 {max(1, len(self.bars)) * WIDTH} {HEIGHT}"

    @property
    def highest(self) -> str:
        """Return the number of the highest bar."""
        return f"{self._highest:,}"

    @property
    def marks(self) -> list[str]:
        """Return the times below the first bar, the middle and the last one."""
        starts = self._result.starts
        moments = [starts[0], starts[len(starts) // 2], starts[-1]] if len(starts) > 2 else starts
        texts = [display_moment(to_time(moment), self._zone) for moment in moments]
        is_by_day = all(text.endswith(MIDNIGHT) for text in texts)
        return [text.removesuffix(MIDNIGHT) for text in texts] if is_by_day else texts

    @property
    def rows(self) -> list[Bar]:
        """Return the bars with logs, the newest first."""
        return [bar for bar in reversed(self.bars) if not bar.is_empty]

    def _bar(self, index: int, moment: int) -> Bar:
        count, tally = self._result.buckets[moment], self._result.types[moment]
        start, end = self._ends(index)
        counts = []
        for each in self.series:
            if each.type is not None:
                number, is_exact = tally.number(each.type)
                counts.append(Count(number, is_exact and count.is_exact))
        rest = count.number - sum(each.number for each in counts)
        if len(counts) < len(self.series):
            counts.append(Count(rest, count.is_exact and all(each.is_exact for each in counts)))
        address = self._address.narrow(start=to_time(start), end=to_time(end))
        return Bar(
            x=index * WIDTH,
            href=f"{self._prefix}{address}",
            text=write_range(to_time(start), to_time(end), self._zone),
            total=Number.of(count),
            numbers=[Number.of(each) for each in counts],
            rects=self._rects(counts, is_unknown=not count.is_exact),
            hatched=0 if count.is_exact else self._height(count.number) or UNKNOWN_HEIGHT,
        )

    def _ends(self, index: int) -> tuple[int, int]:
        """Return the range of a bar within the range of the filter."""
        starts, log_filter = self._result.starts, self._address.filter
        start = starts[index]
        if index + 1 < len(starts):
            end = starts[index + 1]
        else:
            end = self._result.end if log_filter.end else start + max(1, self._last_length)
        return max(start, self._result.start), end

    @property
    def _last_length(self) -> int:
        starts = self._result.starts
        return starts[-1] - starts[-2] if len(starts) > 1 else self._result.end - starts[-1]

    def _height(self, number: int) -> float:
        return round(max(MIN_HEIGHT, HEIGHT * number / self._highest), 2) if number else 0

    def _rects(self, counts: Sequence[Count], *, is_unknown: bool) -> list[Rect]:
        """Return the rectangles of a bar, from the bottom to the top. A gray one may have logs."""
        if not any(count.number for count in counts):
            return [Rect(GRAY, HEIGHT - UNKNOWN_HEIGHT, UNKNOWN_HEIGHT)] if is_unknown else []
        rects = []
        below = 0.0
        for series, count in zip(self.series, counts, strict=True):
            if count.number > 0:
                height = round(HEIGHT * count.number / self._highest, 2)
                below += height
                rects.append(Rect(series.color, round(HEIGHT - below, 2), height))
        return rects


def _series(result: CountResult, colors: Mapping[str, str]) -> list[Series]:
    """Return the most frequent types, and a series for all others if there are any."""
    totals: Counter[str] = Counter()
    for tally in result.types.values():
        totals.update(tally.values)
    largest = sorted(totals, key=lambda type_: (-totals[type_], type_))[:MAX_TYPES]
    # A type without a color of its own gets one that is free: gray is that of the others.
    used = {colors[type_] for type_ in largest if type_ in colors}
    free = iter([color for color in FREE_COLORS if color not in used])
    series = [
        Series(shorten(type_, MAX_NAME), colors.get(type_) or next(free, GRAY), type_) for type_ in largest
    ]
    if result.total.number > sum(totals[type_] for type_ in largest):
        series.append(Series(OTHER if series else "logs", GRAY))
    return series
