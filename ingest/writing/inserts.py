"""INSERT statements: many logs in one request, each with its own condition."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from botocore.exceptions import ClientError

from ingest.writing import duplicates, items, retry
from ingest.writing.result import Outcome, Result, capture
from ingest.writing.retry import Deadline, OutOfTime
from logs.models import LogItem
from logs.storage import dynamodb
from logs.storage import items as stored_items
from logs.storage.errors import AWS_ERRORS

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html
MAX_STATEMENTS = 25


@dataclass
class Engine:
    """The engine of DynamoDB, as far as this process has seen."""

    # DynamoDB Local before 2021 lacks BatchExecuteStatement. The next process tries it again.
    has_inserts: bool = True


ENGINE = Engine()


def insert(logs: Sequence[LogItem], deadline: Deadline) -> list[Result]:
    """Store up to MAX_STATEMENTS logs with different ids, without parts. Return their results in order.

    The caller has checked the deadline. Costs one BatchExecuteStatement for all, and one consistent
    BatchGetItem if some exist. Throttled statements are retried until the deadline. A log whose statement
    fails for another reason is put alone: its error is then its own, and fails no other log.
    """
    insertion = _Insertion(logs, deadline)
    insertion.run()
    existing = _compare(insertion.existing, deadline)
    refused = {log.id: put(log, deadline) for log in insertion.refused}
    results = insertion.results | existing | refused
    return [results[log.id] for log in logs]


def put(log: LogItem, deadline: Deadline, *, is_checked: bool = False) -> Result:
    """Store one log by a conditional put, with its parts. Return its result.

    The costs are those of items.put. `is_checked` means that there is time for a request.
    """
    return capture(partial(deadline.retry, partial(items.put, log, deadline), is_checked=is_checked))


class _Insertion:
    """The statements of one call, until each has a result, exists or is refused."""

    def __init__(self, logs: Sequence[LogItem], deadline: Deadline) -> None:
        self.results: dict[str, Result] = {}
        self.existing: list[LogItem] = []
        self.refused: list[LogItem] = []
        self._pending = {log.id: log for log in logs}
        self._deadline = deadline

    def run(self) -> None:
        """Send the statements until none is throttled, or until the deadline."""
        try:
            self._deadline.retry(self._send, is_checked=True)
        except AWS_ERRORS as error:
            if retry.is_transient(error):
                self.results |= dict.fromkeys(self._pending, error)
                return
            if _code(error) == "UnknownOperationException":
                ENGINE.has_inserts = False
            self.refused += self._pending.values()

    def _send(self) -> None:
        """Send the pending statements. Raise the error of one that was throttled."""
        logs = list(self._pending.values())
        throttled = None
        for log, details in zip(
            logs, dynamodb.insert(LogItem, [dynamodb.serialize(log) for log in logs]), strict=True
        ):
            error = details and retry.client_error(details, "BatchExecuteStatement")
            if error and retry.is_transient(error):
                throttled = error
                continue
            del self._pending[log.id]
            if not error:
                self.results[log.id] = Outcome.WRITTEN
            elif _code(error) == "DuplicateItem":
                self.existing.append(log)
            else:
                self.refused.append(log)
        if throttled:
            raise throttled


def _compare(logs: Sequence[LogItem], deadline: Deadline) -> dict[str, Result]:
    """Return the results of logs whose ids exist, by id."""
    existing: dict[str, LogItem] = {}
    pending = [log.id for log in logs]

    def read() -> None:
        nonlocal pending
        heads, pending = stored_items.get_heads(pending)
        existing.update(heads)
        if pending:
            raise retry.unprocessed("BatchGetItem")

    try:
        if pending:
            deadline.retry(read)
    except (OutOfTime, *AWS_ERRORS) as error:
        return dict.fromkeys((log.id for log in logs), error)
    return {log.id: _compare_one(existing.get(log.id), log, deadline) for log in logs}


def _compare_one(existing: LogItem | None, log: LogItem, deadline: Deadline) -> Result:
    if existing is None:
        return put(log, deadline)  # deleted since its statement failed
    return capture(partial(deadline.retry, partial(duplicates.compare, existing, log, deadline)))


def _code(error: BaseException) -> str | None:
    return error.response["Error"].get("Code") if isinstance(error, ClientError) else None
