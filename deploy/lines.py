"""Which lines of a Lambda function's log group an operator wants to read."""

import json
import re

METRIC = "metric"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# Lambda's own, around each cold start and invocation. "Task timed out" and errors of the runtime are others.
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html
OF_LAMBDA = ("INIT_START ", "START RequestId: ", "END RequestId: ", "REPORT RequestId: ")
# How Lambda's Python writes the lines of libraries that log for themselves.
LIBRARY_LINE = re.compile(rf"\[({'|'.join(LEVELS)})\]\t")


def is_told(line: str, level: str | None) -> bool:
    """Tell whether the functions say it, at this level or above (None: at any).

    Not what Lambda says of each invocation, nor metrics. What names no level is always told: a runtime that
    cannot load the code, or that ends a function, writes plain text.
    """
    if line.startswith(OF_LAMBDA):
        return False
    named = _level(line)
    if named == METRIC:
        return False
    return level is None or named not in LEVELS or LEVELS.index(named) >= LEVELS.index(level)


def _level(line: str) -> str | None:
    """Return the level that a line names, METRIC, or None."""
    if found := LIBRARY_LINE.match(line):
        return found[1]
    try:
        told = json.loads(line)
    except ValueError:
        return None
    if not isinstance(told, dict):
        return None
    return METRIC if "_aws" in told else str(told.get("level"))
