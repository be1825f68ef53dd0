"""A plan as a sentence, for readers who do not know DynamoDB."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from logs import zones
from logs.characters import visible
from logs.filters import FILTERS, LogFilter, Order
from logs.local_clock import DAY, midnight
from logs.pages.display import display_clock, display_day, display_moment, shorten
from logs.plan import QueryPlan
from logs.time_range import TimeRange

# A heading shows this much of a value.
MAX_CHARACTERS = 60


@dataclass(frozen=True)
class Phrase:
    """A part of the sentence; `strong` if it is a value of the filter."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class Times:
    """How the sentence writes times: the zone, and the range as it was typed.

    `around` is the time of the log that the page is around. `max_values` limits the values of each filter.
    """

    zone: tzinfo = UTC
    time_range: TimeRange | None = None
    around: datetime | None = None
    max_values: int | None = None


def sentence(plan: QueryPlan) -> str:
    """Return the plan as one sentence, with its order, in UTC."""
    order = Phrase(f", {plan.filter.order} first")
    return f"{_text(_phrases(plan, Times(), order))}."


def heading(plan: QueryPlan, times: Times) -> list[Phrase]:
    """Return the plan in parts, as a heading of a page. It names no order but the oldest first."""
    is_usual = plan.filter.order is Order.NEWEST
    return _phrases(plan, times, Phrase("" if is_usual else f", {plan.filter.order} first"))


def title(plan: QueryPlan, times: Times) -> str:
    """Return the heading as text."""
    return _text(heading(plan, times))


def _phrases(plan: QueryPlan, times: Times, order: Phrase) -> list[Phrase]:
    log_filter = plan.filter
    keys = {name: plan.keys[name] for name in reversed(plan.keys)}
    words = [Phrase("Logs" if keys else "All logs")]
    for name, values in keys.items():
        prefix, suffix = FILTERS[name].phrase.split("{}")
        words += [
            Phrase(f" of {prefix}"),
            *_alternatives(map(FILTERS[name].display, values), times),
            Phrase(suffix),
        ]
    if times.around:
        moment = display_moment(times.around.replace(microsecond=0), times.zone)
        words += [Phrase(" around "), Phrase(moment, strong=True), _zone(times)]
    words += [*_range(log_filter.start, log_filter.end, times), order]
    for number, phrase in enumerate(post_filters := _post_filters(plan, times)):
        is_last = number and number == len(post_filters) - 1
        words += [Phrase(" and " if is_last else ", " if number else ", filtered by "), *phrase]
    return [phrase for phrase in words if phrase.text]


def filter_phrases(log_filter: LogFilter) -> list[tuple[str, str]]:
    """Return the name and the text of each filter.

    For example: "account 7 or 8", "payload.status is paid".
    """
    phrases, times = [], Times()
    for name, value in log_filter.values.items():
        each = FILTERS[name]
        prefix, suffix = each.phrase.split("{}")
        values = _alternatives(map(each.display, value if isinstance(value, tuple) else [value]), times)
        phrases.append((name, f"{prefix}{_text(values)}{suffix}"))
    return phrases + [
        (path.parameter, f"{visible(path.parameter)} is {_text(_alternatives(path.values, times))}")
        for path in log_filter.paths
    ]


def _text(phrases: Iterable[Phrase]) -> str:
    return "".join(phrase.text for phrase in phrases)


def _alternatives(texts: Iterable[str], times: Times) -> list[Phrase]:
    texts = list(dict.fromkeys(texts))
    if times.max_values and len(texts) > times.max_values:
        rest = len(texts) - times.max_values
        texts = [*texts[: times.max_values], f"{rest} more"]
    words: list[Phrase] = []
    for number, text in enumerate(texts):
        if number:
            words.append(Phrase(" or " if number == len(texts) - 1 else ", "))
        words.append(
            Phrase(shorten(text, MAX_CHARACTERS) if times.max_values else visible(text), strong=True)
        )
    return words


def _post_filters(plan: QueryPlan, times: Times) -> list[list[Phrase]]:
    """Return the phrase of each filter that the index does not answer."""
    phrases = []
    values = {**plan.post_filters, "q": plan.filter.search_text}
    for name, value in values.items():
        if value is None:
            continue
        each = FILTERS[name]
        prefix, suffix = each.phrase.split("{}")
        alternatives = _alternatives(map(each.display, value if isinstance(value, tuple) else [value]), times)
        if name == "q" and plan.filter.match_case:
            suffix += " (match case)"
        phrases.append([Phrase(prefix), *alternatives, Phrase(suffix)])
    if plan.filter.request_ids:
        phrases.append([Phrase("request ID or trace ID "), Phrase(visible(plan.filter.q or ""), strong=True)])
    return phrases + [
        [Phrase(f"{visible(path.parameter)} is "), *_alternatives(path.values, times)]
        for path in plan.filter.paths
    ]


def _range(start: datetime | None, end: datetime | None, times: Times) -> list[Phrase]:
    typed, zone = times.time_range, times.zone
    if typed and typed.duration and (start, end) == (typed.start, typed.end):
        return [Phrase(" in the last "), Phrase(typed.duration, strong=True)]
    if start and end:
        return _closed_range(start, end, times)
    if start:
        return [
            Phrase(" from "),
            Phrase(display_moment(start, zone), strong=True),
            _zone(times),
            Phrase(" on"),
        ]
    if end:
        return [Phrase(" before "), Phrase(display_moment(end, zone), strong=True), _zone(times)]
    return []


def _closed_range(start: datetime, end: datetime, times: Times) -> list[Phrase]:
    zone = times.zone
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    if start == midnight(first, zone) and end == midnight(first + DAY, zone):
        return [
            Phrase(" on "),
            Phrase(display_day(start, zone), strong=True),
            Phrase(f" ({zones.label(zone)})"),
        ]
    if first == last:
        clocks = f"{display_clock(start, zone)}–{display_clock(end, zone)}"
        return [
            Phrase(" on "),
            Phrase(f"{display_day(start, zone)} {clocks}", strong=True),
            _zone(times),
        ]
    if start == midnight(first, zone) and end == midnight(last, zone):
        ends = [display_day(start, zone), display_day(end - DAY, zone)]
        label = Phrase(f" ({zones.label(zone)})")
    else:
        ends = [display_moment(start, zone), display_moment(end, zone)]
        label = _zone(times)
    return [
        Phrase(" from "),
        Phrase(ends[0], strong=True),
        Phrase(" to "),
        Phrase(ends[1], strong=True),
        label,
    ]


def _zone(times: Times) -> Phrase:
    return Phrase(f" {zones.label(times.zone)}")
