"""The log lines of Lambda functions as they arrive, and a filter by level."""

import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from deploy.account import Account

POLL_SECONDS = 2
# CloudWatch delivers lines late and out of order, so each poll reads these milliseconds again.
OVERLAP_MILLISECONDS = 30_000
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# Lambda writes these at each cold start and invocation. "Task timed out" and runtime errors have other
# prefixes, so they stay visible.
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html
PLATFORM_PREFIXES = ("INIT_START ", "START RequestId: ", "END RequestId: ", "REPORT RequestId: ")
# Lambda's Python runtime formats the lines of libraries with their own loggers like this.
LIBRARY_LINE = re.compile(rf"\[({'|'.join(LEVELS)})\]\t")


@dataclass(frozen=True)
class Line:
    """A line of a function's log group."""

    at: datetime
    function: str
    text: str


def lines(account: Account, functions: Sequence[str], minutes: int, *, follow: bool) -> Iterator[Line]:
    """Yield each line of the last `minutes` once, in order of time.

    With `follow`, poll for new lines until interrupted.
    """
    logs = account.client("logs")
    since = dict.fromkeys(functions, int((time.time() - minutes * 60) * 1000))
    seen: set[tuple[str, int, str]] = set()
    while True:
        new_lines: list[Line] = []
        for function, start in since.items():
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=f"/aws/lambda/{function}", startTime=start
            )
            for event in (event for page in pages for event in page["events"]):
                timestamp, text = event["timestamp"], event["message"]
                if (key := (event["logStreamName"], timestamp, text)) not in seen:
                    seen.add(key)
                    new_lines.append(
                        Line(datetime.fromtimestamp(timestamp / 1000, UTC), function, text.rstrip())
                    )
                    since[function] = max(since[function], timestamp - OVERLAP_MILLISECONDS)
        # Only by time: a stable sort keeps the order of lines with equal timestamps.
        yield from sorted(new_lines, key=attrgetter("at"))
        if not follow:
            return
        time.sleep(POLL_SECONDS)


def is_visible(text: str, level: str | None) -> bool:
    """Return whether the line comes from the functions and has at least this level.

    Lambda's own lines and metrics are never visible. Lines without a level always are, because a runtime that
    cannot load the code, or ends a function, writes plain text. `level` None means every level.
    """
    record = _json_object(text)
    if text.startswith(PLATFORM_PREFIXES) or "_aws" in record:
        return False
    library = LIBRARY_LINE.match(text)
    line_level = library[1] if library else record.get("level")
    return level is None or line_level not in LEVELS or LEVELS.index(line_level) >= LEVELS.index(level)


def _json_object(text: str) -> dict[str, Any]:
    """Return the line's JSON object. Empty if the line is no JSON object."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
