"""A plan as a sentence, for readers who do not know DynamoDB."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from logs.characters import visible
from logs.filters import FILTERS, LogFilter
from logs.pages.display import display_day, display_moment
from logs.plan import QueryPlan

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Phrase:
    """A part of the sentence; `strong` if it is a value of the filter."""

    text: str
    strong: bool = False


def sentence(plan: QueryPlan) -> str:
    """Return the plan as one sentence."""
    return _text(phrases(plan))


def phrases(plan: QueryPlan) -> list[Phrase]:
    """Return the sentence in parts."""
    log_filter = plan.filter
    keys = {name: plan.keys[name] for name in reversed(plan.keys)}
    words = [Phrase("Logs" if keys else "All logs")]
    for name, values in keys.items():
        prefix, suffix = FILTERS[name].phrase.split("{}")
        words += [Phrase(f" of {prefix}"), *_alternatives(map(FILTERS[name].display, values)), Phrase(suffix)]
    words += _range(log_filter.start, log_filter.end)
    words.append(Phrase(f", {log_filter.order} first"))
    for number, phrase in enumerate(post_filters := _post_filters(plan)):
        is_last = number and number == len(post_filters) - 1
        words += [Phrase(" and " if is_last else ", " if number else ", filtered by "), *phrase]
    return [*(phrase for phrase in words if phrase.text), Phrase(".")]


def filter_phrases(log_filter: LogFilter) -> list[tuple[str, str]]:
    """Return the name and the text of each filter.

    For example: "account 7 or 8", "payload.status is paid".
    """
    phrases = []
    for name, value in log_filter.values.items():
        each = FILTERS[name]
        prefix, suffix = each.phrase.split("{}")
        values = _alternatives(map(each.display, value if isinstance(value, tuple) else [value]))
        phrases.append((name, f"{prefix}{_text(values)}{suffix}"))
    return phrases + [
        (path.parameter, f"{visible(path.parameter)} is {_text(_alternatives(path.values))}")
        for path in log_filter.paths
    ]


def _text(phrases: Iterable[Phrase]) -> str:
    return "".join(phrase.text for phrase in phrases)


def _alternatives(texts: Iterable[str]) -> list[Phrase]:
    texts = list(dict.fromkeys(texts))
    words: list[Phrase] = []
    for number, text in enumerate(texts):
        if number:
            words.append(Phrase(" or " if number == len(texts) - 1 else ", "))
        words.append(Phrase(visible(text), strong=True))
    return words


def _post_filters(plan: QueryPlan) -> list[list[Phrase]]:
    """Return the phrase of each filter that the index does not answer."""
    phrases = []
    values = {**plan.post_filters, "q": plan.filter.search_text}
    for name, value in values.items():
        if value is None:
            continue
        each = FILTERS[name]
        prefix, suffix = each.phrase.split("{}")
        alternatives = _alternatives(map(each.display, value if isinstance(value, tuple) else [value]))
        if name == "q" and plan.filter.match_case:
            suffix += " (match case)"
        phrases.append([Phrase(prefix), *alternatives, Phrase(suffix)])
    if plan.filter.request_ids:
        phrases.append([Phrase("request ID or trace ID "), Phrase(visible(plan.filter.q or ""), strong=True)])
    return phrases + [
        [Phrase(f"{visible(path.parameter)} is "), *_alternatives(path.values)] for path in plan.filter.paths
    ]


def _range(start: datetime | None, end: datetime | None) -> list[Phrase]:
    if start and end:
        if start == _midnight(start) and end - start == DAY:
            return [Phrase(" on "), Phrase(display_day(start), strong=True), Phrase(" (UTC)")]
        return [
            Phrase(" from "),
            Phrase(display_moment(start), strong=True),
            Phrase(" to "),
            Phrase(display_moment(end), strong=True),
            Phrase(" UTC"),
        ]
    if start:
        return [Phrase(" from "), Phrase(display_moment(start), strong=True), Phrase(" UTC on")]
    if end:
        return [Phrase(" before "), Phrase(display_moment(end), strong=True), Phrase(" UTC")]
    return []


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
