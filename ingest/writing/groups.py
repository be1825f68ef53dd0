"""Groups of small messages whose logs share requests, written in parallel."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any

from ingest.messages import Rejected
from ingest.writing import deliveries, storage
from ingest.writing.deliveries import Delivery
from ingest.writing.inserts import MAX_STATEMENTS
from ingest.writing.result import Outcome, Result, capture
from ingest.writing.retry import Deadline
from logs.models import LogItem

# A request takes 16 MB. Smaller ones end within the client's timeout and cost little to repeat. The size of a
# group is that of its messages, as characters: most of their logs are smaller.
MAX_CHARACTERS = 1024 * 1024

# Called with a delivery, and with the outcome of its log or with its rejection. Returns the outcome of the
# delivery, or raises the error why SQS has to redeliver the message.
Finish = Callable[[Delivery, Outcome | Rejected], str]
# The deliveries of a group, and their results, by the index of the record.
Group = dict[int, Delivery]
Results = dict[int, str | Exception]


def store(
    records: Sequence[Mapping[str, Any]], pool: Executor, *, deadline: Deadline, finish: Finish
) -> list[str | Exception]:
    """Store the logs of records. Return the outcome of each, or the error why SQS has to redeliver it.

    This thread reads the records, because a task per record costs more CPU than reading it. The pool writes
    the groups meanwhile. A log id is in one group only: other logs with that id follow, each alone.
    """
    results: Results = {}
    tasks: list[Future[Results]] = []
    group: Group = {}
    ids: set[str] = set()
    repeated: list[Group] = []
    size = 0

    def start(each: Group) -> None:
        tasks.append(pool.submit(_write, each, deadline, finish))

    for index, record in enumerate(records):
        delivery = capture(partial(deliveries.read, record, deadline))
        if isinstance(delivery, Exception):
            results[index] = delivery
            continue
        log = delivery.content
        if isinstance(log, Rejected) or storage.is_alone(log):
            start({index: delivery})
        elif log.id in ids:
            repeated.append({index: delivery})
        else:
            ids.add(log.id)
            group[index] = delivery
            size += len(record["body"])
            if len(group) == MAX_STATEMENTS or size > MAX_CHARACTERS:
                start(group)
                group, size = {}, 0
    # The last group is most often the only one, and needs no other thread.
    results |= _write(group, deadline, finish)
    for task in tasks:
        results |= task.result()
    for each in pool.map(lambda group: _write(group, deadline, finish), repeated):
        results |= each
    return [results[index] for index in range(len(records))]


def store_one(record: Mapping[str, Any], *, deadline: Deadline, finish: Finish) -> str:
    """Store the log of one record. Return its outcome, or raise the error why SQS has to redeliver it."""
    result = _write({0: deliveries.read(record, deadline)}, deadline, finish)[0]
    if isinstance(result, Exception):
        raise result
    return result


def _write(group: Group, deadline: Deadline, finish: Finish) -> Results:
    """Write the logs of a group, and finish each delivery. Return the outcomes and errors."""
    results: dict[int, Result] = {}
    logs: dict[int, LogItem] = {}
    for index, delivery in group.items():
        if isinstance(delivery.content, Rejected):
            results[index] = delivery.content
        else:
            logs[index] = delivery.content
    written = capture(partial(storage.write, list(logs.values()), deadline))
    if isinstance(written, Exception):
        results |= dict.fromkeys(logs, written)
    else:
        results |= zip(logs, written, strict=True)
    return {index: _finish(delivery, results[index], finish) for index, delivery in group.items()}


def _finish(delivery: Delivery, result: Result, finish: Finish) -> str | Exception:
    # Not raised again: several logs may have the same error, whose traceback would grow.
    if isinstance(result, Exception) and not isinstance(result, Rejected):
        return result
    return capture(partial(finish, delivery, result))
