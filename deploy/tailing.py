"""The log lines of Lambda functions as they come, and which of them an operator wants to read."""

import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from deploy.account import Account

TAIL_SECONDS = 2
# Lines come late, and out of order: look a little back.
LATE_MILLISECONDS = 30_000
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# Lambda's own, around each cold start and invocation. "Task timed out" and errors of the runtime are others.
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html
OF_LAMBDA = ("INIT_START ", "START RequestId: ", "END RequestId: ", "REPORT RequestId: ")
# How Lambda's Python writes the lines of libraries that log for themselves.
LIBRARY_LINE = re.compile(rf"\[({'|'.join(LEVELS)})\]\t")


@dataclass(frozen=True)
class Line:
    """A line of a function's log group."""

    at: datetime
    function: str
    text: str


def lines(account: Account, functions: Sequence[str], minutes: int, *, follow: bool) -> Iterator[Line]:
    """Give the functions' lines of the last minutes, each once; then those that follow, with `follow`."""
    logs = account.client("logs")
    since = dict.fromkeys(functions, int((time.time() - minutes * 60) * 1000))
    seen: set[tuple[str, int, str]] = set()
    while True:
        found: list[Line] = []
        for function, start in since.items():
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=f"/aws/lambda/{function}", startTime=start
            )
            for event in (event for page in pages for event in page["events"]):
                moment, text = event["timestamp"], event["message"]
                if (key := (event["logStreamName"], moment, text)) not in seen:
                    seen.add(key)
                    found.append(Line(datetime.fromtimestamp(moment / 1000, UTC), function, text.rstrip()))
                    since[function] = max(since[function], moment - LATE_MILLISECONDS)
        # By the moment alone: lines of one moment are in their order.
        yield from sorted(found, key=attrgetter("at"))
        if not follow:
            return
        time.sleep(TAIL_SECONDS)


def is_told(text: str, level: str | None) -> bool:
    """Tell whether the functions say it, at this level or above (None: at any).

    Not what Lambda says of each invocation, nor metrics. What names no level is always told: a runtime that
    cannot load the code, or that ends a function, writes plain text.
    """
    told = _json_object(text)
    if text.startswith(OF_LAMBDA) or "_aws" in told:
        return False
    library = LIBRARY_LINE.match(text)
    named = library[1] if library else told.get("level")
    return level is None or named not in LEVELS or LEVELS.index(named) >= LEVELS.index(level)


def _json_object(text: str) -> dict[str, Any]:
    """Return a line's JSON object, or an empty one."""
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
