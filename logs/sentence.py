"""A plan in plain words, for someone who does not know DynamoDB."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from logs.plan import LogFilter, QueryPlan

DAY = timedelta(days=1)

NAMES = {
    "sub_type": "sub type",
    "user_id": "user",
    "submitter_country": "country",
    "submitter_platform": "platform",
    "submitter_browser": "browser",
}


@dataclass(frozen=True)
class Phrase:
    """A part of the sentence; `strong` where it names what was asked for."""

    text: str
    strong: bool = False


def phrases(plan: QueryPlan) -> list[Phrase]:
    """Return the plan as a sentence, in parts."""
    asked = plan.filter
    words = [Phrase("Logs" if asked.account_id or asked.type else "All logs")]
    if asked.type:
        words += [Phrase(" of type "), *_listed(asked.type, "or")]
    if asked.account_id:
        words += [Phrase(" of account "), *_listed(asked.account_id, "or")]
    words += _times(asked.start, asked.end)
    words.append(Phrase(f", {asked.order} first"))
    if wanted := _on_the_way(asked):
        words.append(Phrase("; looking for "))
        for number, parts in enumerate(wanted):
            words += [Phrase(" and ")] if number else []
            words += parts
        words.append(Phrase(" on the way"))
    return [*words, Phrase(".")]


def sentence(plan: QueryPlan) -> str:
    """Return the plan as one sentence."""
    return "".join(phrase.text for phrase in phrases(plan))


def _listed(values: Sequence[str], joint: str) -> list[Phrase]:
    values = list(dict.fromkeys(values))
    words: list[Phrase] = []
    for number, value in enumerate(values):
        if number:
            words.append(Phrase(f" {joint} " if number == len(values) - 1 else ", "))
        words.append(Phrase(value, strong=True))
    return words


def _on_the_way(asked: LogFilter) -> list[list[Phrase]]:
    wanted: list[list[Phrase]] = []
    for name, value in asked.on_the_way.items():
        if name == "url":
            wanted.append([Phrase("a url with "), Phrase(f"“{value}”", strong=True)])
        elif name == "payload_size_min":
            wanted.append([Phrase("a payload of at least "), Phrase(f"{value:,} bytes", strong=True)])
        else:
            wanted.append([Phrase(f"{NAMES[name]} "), Phrase(str(value), strong=True)])
    if asked.in_items:
        wanted.append([Phrase(f"“{asked.in_items}”", strong=True), Phrase(" in url or payload")])
    return wanted


def _times(start: datetime | None, end: datetime | None) -> list[Phrase]:
    if start and end:
        if start == _midnight(start) and end - start == DAY:
            return [Phrase(" on "), Phrase(_day(start), strong=True), Phrase(" (UTC)")]
        return [
            Phrase(" from "),
            Phrase(_moment(start), strong=True),
            Phrase(" to "),
            Phrase(_moment(end), strong=True),
            Phrase(" UTC"),
        ]
    if start:
        return [Phrase(" from "), Phrase(_moment(start), strong=True), Phrase(" UTC on")]
    if end:
        return [Phrase(" before "), Phrase(_moment(end), strong=True), Phrase(" UTC")]
    return []


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b} {moment.year}"


def _moment(moment: datetime) -> str:
    """Spell a moment for reading, with the seconds and their fraction only where there are some."""
    clock = moment.time().isoformat()
    return f"{_day(moment)} {clock.removesuffix(':00') if clock.count(':') == 2 else clock}"
