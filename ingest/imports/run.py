"""The reading process of an import: groups of rows, and their checkpoint."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.imports import group_writer
from ingest.imports.checkpoint import Checkpoint, RefusedRows
from ingest.imports.group_writer import GroupResult
from ingest.imports.items import Refusal
from ingest.imports.rows import BadRow, Position, Row, Source

# The rows of a task. Its values take at most this number of characters, or are those of one row.
GROUP_ROWS, GROUP_CHARACTERS = 100, 1024 * 1024
SECONDS_BETWEEN_CHECKPOINTS = 1.0
# The refused rows that a dry run names for each reason.
EXAMPLES = 3

Group = list[Row | BadRow]


@dataclass(frozen=True)
class Task:
    """A group that a writing process has, and the position after it."""

    result: Future[GroupResult]
    position: Position | None


class Run:
    """One run of an import, until its source ends or it is stopped."""

    def __init__(self, source: Source, checkpoint: Checkpoint, executor: Executor, tasks: int) -> None:
        """Prepare a run that continues at a checkpoint.

        `executor` runs `group_writer.write` in prepared processes, `tasks` groups at most. `report` is called
        with the numbers of rows that are done.
        """
        self.checkpoint = checkpoint
        self.is_stopped = False
        self.report: Callable[[int], object] = lambda rows: None
        self._source = source
        self._executor = executor
        self._max_tasks = tasks
        self._tasks: deque[Task] = deque()

    def stop(self, *_: object) -> None:
        """Read no further rows. Also a signal handler."""
        self.is_stopped = True

    def write(self, path: Path, refused: RefusedRows) -> None:
        """Write the rows after the checkpoint, which is saved at `path`.

        Raise WritingFailed, SourceError, BrokenExecutor or OSError. The checkpoint is saved then too.
        """
        saved = time.monotonic()
        # Before the first log is written: the file must be writable.
        self.checkpoint.save(path)
        try:
            for task, result in self._results():
                refused.add(result.refusals)
                self._advance(task.position, result, refused.size)
                if time.monotonic() - saved >= SECONDS_BETWEEN_CHECKPOINTS:
                    refused.sync()
                    self.checkpoint.save(path)
                    saved = time.monotonic()
        finally:
            refused.sync()
            self.checkpoint.save(path)

    def rehearse(self) -> "Refusals":
        """Read all rows as a dry run. Return why rows would be refused. The errors are those of `write`."""
        refusals = Refusals()
        for task, result in self._results():
            refusals.add(result.refusals)
            self._advance(task.position, result, 0)
        return refusals

    def _results(self) -> Iterator[tuple[Task, GroupResult]]:
        """Yield the groups with their results, in the order of the source."""
        try:
            for group in groups(self._source.rows(self.checkpoint.position)):
                if self.is_stopped:
                    break
                if len(self._tasks) == self._max_tasks:
                    yield self._next()
                self._tasks.append(Task(self._executor.submit(group_writer.write, group), group[-1].position))
            while self._tasks:
                yield self._next()
        finally:
            for task in self._tasks:
                task.result.cancel()

    def _next(self) -> tuple[Task, GroupResult]:
        task = self._tasks.popleft()
        return task, task.result.result()

    def _advance(self, position: Position | None, result: GroupResult, refused_bytes: int) -> None:
        """Move the checkpoint in one step: a second Ctrl-C may come at any moment."""
        checkpoint = self.checkpoint
        self.checkpoint = replace(
            checkpoint,
            position=position,
            counts=checkpoint.counts + result.counts,
            refused_bytes=refused_bytes,
            days=sorted(result.days.union(checkpoint.days)),
            written_at=time.time() if result.days else checkpoint.written_at,
        )
        self.report(result.counts.rows)


class Refusals:
    """The numbers of refusals by column and reason, with the first rows of each."""

    def __init__(self) -> None:
        self.numbers: Counter[tuple[str, str]] = Counter()
        self.examples: dict[tuple[str, str], list[str]] = {}

    def add(self, refusals: list[Refusal]) -> None:
        """Count refusals."""
        for row, column, reason in refusals:
            self.numbers[column, reason] += 1
            examples = self.examples.setdefault((column, reason), [])
            if len(examples) < EXAMPLES:
                examples.append(row)

    def lines(self) -> Iterator[str]:
        """Yield a line for each column and reason, the most frequent first."""
        for (column, reason), number in self.numbers.most_common():
            place = f"{column}: " if column else ""
            rows = ", ".join(self.examples[column, reason])
            yield f"{number:,}: {place}{reason} (row {rows}{', …' * (number > EXAMPLES)})"


def groups(rows: Iterator[Row | BadRow]) -> Iterator[Group]:
    """Yield groups of limited number and size."""
    group: Group = []
    size = 0
    for row in rows:
        group.append(row)
        size += _size(row)
        if len(group) == GROUP_ROWS or size >= GROUP_CHARACTERS:
            yield group
            group, size = [], 0
    if group:
        yield group


def _size(row: Row | BadRow) -> int:
    values = row.values.values() if isinstance(row, Row) else ()
    return sum(len(value) for value in values if isinstance(value, str | bytes))
