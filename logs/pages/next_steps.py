"""The next steps on a page without rows: longer ranges, fewer filters."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from logs.filters import LogFilter
from logs.pages.address import Address
from logs.pages.display import shorten
from logs.pages.links import Link
from logs.pages.sentence import filter_phrases
from logs.plan_error import plan_error

RANGES = {
    "24 hours": timedelta(days=1),
    "7 days": timedelta(days=7),
    "30 days": timedelta(days=30),
}
# Longer texts of a filter are truncated.
MAX_CHARACTERS = 80


def next_steps(address: Address, now: datetime | None = None) -> list[Link]:
    """Return the links to pages with more logs.

    They have a longer range, all times, or one filter less. Filters that cannot be planned are left out.
    `now` is the end of a range without one.
    """
    log_filter = address.filter
    steps = [
        *_longer_ranges(log_filter, now or datetime.now(UTC)),
        *_user_names(log_filter),
        *_without(address),
    ]
    return [
        Link(text, address.narrow(**changes))
        for text, changes in steps
        if plan_error(replace(log_filter, **changes), includes_own=address.plan.includes_own) is None
    ]


def _longer_ranges(log_filter: LogFilter, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the changes to the next longer range around the filter's range, and to all times."""
    start, end = log_filter.start, log_filter.end
    if start:
        latest = max(now, end) if end else max(now, start)
        length = (end or latest) - start
        for text, longer in RANGES.items():
            if longer > length:
                # In the middle of the longer range, but not in the future.
                last = min((end or latest) + (longer - length) / 2, latest)
                changes = {"start": last - longer, "end": last if end else None}
                yield f"Widen the range to {text}", changes
                break
    if start or end:
        yield "Search all times", {"start": None, "end": None}


def _user_names(log_filter: LogFilter) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the change from a user's id to a name, which may have been typed as an id."""
    if (
        len(log_filter.user_id) == 1
        and log_filter.user_name is None
        and not log_filter.user_id[0].isdecimal()
    ):
        [name] = log_filter.user_id
        yield f"Search user names for {shorten(name, MAX_CHARACTERS)}", {"user_id": (), "user_name": name}


def _without(address: Address) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the changes that remove one filter each."""
    for name, text in filter_phrases(address.filter):
        short = text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…"
        yield f"Remove {short}", _removal(address.filter, name)


def _removal(log_filter: LogFilter, name: str) -> dict[str, Any]:
    """Return the change that removes a filter by its name, or a filter on a JSON value by its parameter."""
    if name == "q":
        return {"q": None, "match_case": False}
    if name in log_filter.values:
        return {name: () if isinstance(getattr(log_filter, name), tuple) else None}
    return {"paths": tuple(path for path in log_filter.paths if path.parameter != name)}
