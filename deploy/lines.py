"""Which lines of a Lambda function's log group an operator wants to read."""

import json
import logging

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# Four lines for each invocation. "Task timed out" and errors of the runtime are lines of their own.
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html
OF_LAMBDA = ("INIT_START ", "START RequestId: ", "END RequestId: ", "REPORT RequestId: ")


def is_told(line: str, level: str | None) -> bool:
    """Tell whether the functions say it, at this level or above (None: at any).

    Not what Lambda says of each invocation, nor metrics. What has no level counts as an error: a runtime that
    cannot load the code writes plain text.
    """
    if line.startswith(OF_LAMBDA):
        return False
    try:
        told = json.loads(line)
    except ValueError:
        return True
    if not isinstance(told, dict):
        return True
    if "_aws" in told:
        return False
    ranks = logging.getLevelNamesMapping()
    return level is None or ranks.get(str(told.get("level")), logging.ERROR) >= ranks[level]
