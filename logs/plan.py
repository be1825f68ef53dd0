"""From a filter to the query that answers it. Pure: no I/O and no Django."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from logs import times
from logs.models import (
    STATUS,
    AccountIndex,
    AccountTypeIndex,
    SortingIndex,
    TypeIndex,
    account_type_key,
)

MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)


class Order(StrEnum):
    """Which end of time comes first."""

    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True)
class LogFilter:
    """Which logs are asked for, and in which order; `start` ≤ time < `end`, both in UTC."""

    account_id: str | None = None
    type: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    order: Order = Order.NEWEST

    @property
    def fingerprint(self) -> str:
        """Return 16 hex digits that stand for this filter and no other: what a cursor is bound to."""
        limits = [times.to_text(moment) if moment else None for moment in (self.start, self.end)]
        spelled = json.dumps([self.account_id, self.type, *limits, self.order])
        return hashlib.sha256(spelled.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Stream:
    """One partition of one index: the logs under one key, in time order."""

    index: str
    key: str


class Direction(StrEnum):
    """Which way a page lies from a position: on in the order asked for, or back."""

    NEXT = "n"
    PREVIOUS = "p"


@dataclass(frozen=True)
class Key:
    """Where a log stands in its stream: `created_at` as it is spelled in the table, and its id."""

    created_at: str
    id: str


@dataclass(frozen=True)
class Position:
    """Where a page begins: beside a log, or at the far end.

    Without a key the page is read back from the end of the order. `inclusive` takes every log of the
    key's moment along; it leads back from a page beyond which there was nothing.
    """

    direction: Direction
    key: Key | None = None
    inclusive: bool = False


END = Position(Direction.PREVIOUS)


@dataclass(frozen=True)
class Phrase:
    """A part of the sentence that a plan says of itself; `strong` where it names what was asked for."""

    text: str
    strong: bool = False


@dataclass(frozen=True)
class QueryPlan:
    """The query that answers a filter: a stream, and the times `low` to `high`, both included."""

    filter: LogFilter
    stream: Stream
    low: datetime | None
    high: datetime | None

    def phrases(self) -> list[Phrase]:
        """Return the plan in plain words, for someone who does not know DynamoDB."""
        asked = self.filter
        words = [Phrase("Logs" if asked.account_id or asked.type else "All logs")]
        if asked.type:
            words += [Phrase(" of type "), Phrase(asked.type, strong=True)]
        if asked.account_id:
            words += [Phrase(" of "), Phrase(f"account {asked.account_id}", strong=True)]
        words += _time_phrases(asked.start, asked.end)
        return [*words, Phrase(f", {asked.order} first.")]

    def sentence(self) -> str:
        """Return the phrases as one text."""
        return "".join(phrase.text for phrase in self.phrases())


def make_plan(asked: LogFilter) -> QueryPlan:
    """Return the plan for a filter: the narrowest index that answers it.

    Raises ValueError where the filter's end does not lie after its start.
    """
    if asked.start and asked.end and asked.start >= asked.end:
        raise ValueError(f"the time range ends at {asked.end} but begins at {asked.start}")
    return QueryPlan(
        filter=asked,
        stream=_stream(asked),
        low=asked.start,
        # DynamoDB's BETWEEN includes both ends, and a time is kept to the microsecond.
        high=asked.end - MICROSECOND if asked.end else None,
    )


def _stream(asked: LogFilter) -> Stream:
    if asked.account_id and asked.type:
        return Stream(AccountTypeIndex.Meta.index_name, account_type_key(asked.account_id, asked.type))
    if asked.account_id:
        return Stream(AccountIndex.Meta.index_name, asked.account_id)
    if asked.type:
        return Stream(TypeIndex.Meta.index_name, asked.type)
    return Stream(SortingIndex.Meta.index_name, STATUS)


def _time_phrases(start: datetime | None, end: datetime | None) -> list[Phrase]:
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
