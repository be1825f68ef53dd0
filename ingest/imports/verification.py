"""Whether the logs of the table are those of the rows of a source."""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ingest import times
from ingest.cli.errors import CommandFailed
from ingest.imports import items
from ingest.imports.group_writer import RowMapping, Settings
from ingest.imports.items import Refusal
from ingest.imports.rows import BadRow, Row
from ingest.messages import Rejected
from ingest.writing import duplicates
from logs.digests import source as stored_logs
from logs.models import LogItem
from logs.storage import documents
from logs.storage.errors import AWS_ERRORS

HASHES = 2**256


class FieldDifference(NamedTuple):
    """A field with its two values. None is no value."""

    name: str
    source: Any
    table: Any


@dataclass(frozen=True)
class Difference:
    """A row whose log is missing or differs. A missing log has no differing fields."""

    key: str
    log_id: str
    day: str
    fields: tuple[FieldDifference, ...] = ()


@dataclass
class Day:
    """The logs of a day in UTC on both sides.

    The hashes are sums of SHA-256. They do not depend on the order, and a log that is there twice changes
    them.
    """

    rows: int = 0
    logs: int = 0
    source_hash: int = 0
    table_hash: int = 0

    def add(self, other: "Day") -> None:
        """Add the logs of another group."""
        self.rows += other.rows
        self.logs += other.logs
        self.source_hash = (self.source_hash + other.source_hash) % HASHES
        self.table_hash = (self.table_hash + other.table_hash) % HASHES

    @property
    def is_equal(self) -> bool:
        """Return whether both sides have the same logs."""
        return (self.rows, self.source_hash) == (self.logs, self.table_hash)


@dataclass
class Comparison:
    """The result of some rows: days by their date, and differences in the order of the rows."""

    days: dict[str, Day] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def day(self, name: str) -> Day:
        """Return a day, empty if it is new."""
        return self.days.setdefault(name, Day())


@dataclass(frozen=True)
class _Expected:
    """A row as the log that the import writes."""

    key: str
    item: LogItem
    # A derived summary is not compared, because another version of the writer may derive another one.
    has_summary: bool

    @property
    def day(self) -> str:
        return self.item.created_at.date().isoformat()

    def difference(self, log: LogItem | None) -> Difference:
        return Difference(self.key, self.item.id, self.day, _fields(self, log))


class Verifier:
    """Compares rows with the logs of their ids."""

    def __init__(self, mapping: RowMapping, table: str) -> None:
        self._mapping = mapping
        self._table = table
        self._columns = mapping.columns_by_field()

    def compare(self, rows: Sequence[Row | BadRow]) -> Comparison:
        """Return the comparison of a group of rows.

        Costs one BatchGetItem per 100 logs, eventually consistent: half a read unit per 4 KB of each log.
        Logs that differ are read once more, consistently: they may have been written a moment ago. Raises
        PynamoDB's and botocore's errors.
        """
        result = Comparison()
        expected = [each for row in rows if (each := self._expect(row, result))]
        suspects = []
        for each, log in _read(expected):
            if _is_equal(each, log):
                _count(each, log, result)
            else:
                suspects.append(each)
        for each, log in _read(suspects, consistent=True):
            # The retention of a row may have passed since the group began.
            if log is not None or not each.item.is_expired:
                _count(each, log, result)
                if not _is_equal(each, log):
                    result.differences.append(each.difference(log))
        order = {each.key: number for number, each in enumerate(expected)}
        result.differences.sort(key=lambda difference: order[difference.key])
        return result

    def _expect(self, row: Row | BadRow, result: Comparison) -> _Expected | None:
        """Return the log of a row, or None if it is refused or its retention has passed."""
        result.counts["rows"] += 1
        try:
            if isinstance(row, BadRow):
                raise row
            fields = self._mapping.message(row)
            item = items.to_item(row, fields, self._table, datetime.now(UTC))
        except (BadRow, Rejected) as error:
            result.counts["refused"] += 1
            result.refusals += items.refusals(row.key, error, self._columns)
            return None
        if item.is_expired:
            result.counts["expired"] += 1
            return None
        return _Expected(row.key, item, fields.get("summary") is not None)


def sample(rows: Iterable[Row | BadRow], size: int) -> list[Row | BadRow]:
    """Return random rows of a source, each with the same probability. All rows are read."""
    chosen: list[Row | BadRow] = []
    for number, row in enumerate(rows):
        if number < size:
            chosen.append(row)
        elif (place := random.randint(0, number)) < size:  # noqa: S311  a sample is no secret
            chosen[place] = row
    return chosen


def _read(
    expected: list[_Expected], *, consistent: bool = False
) -> Iterator[tuple[_Expected, LogItem | None]]:
    """Yield the rows with their logs, one log at a time in memory, the missing ones last."""
    by_id: dict[str, list[_Expected]] = {}
    for each in expected:
        by_id.setdefault(each.item.id, []).append(each)
    keys = [stored_logs.Row(0, log_id, rows[0].item.payload_size or 0) for log_id, rows in by_id.items()]
    for log in stored_logs.logs(keys, consistent=consistent):
        for each in by_id.pop(log.id):
            yield each, log
    for rows in by_id.values():
        for each in rows:
            yield each, None


def _count(each: _Expected, log: LogItem | None, result: Comparison) -> None:
    day = result.day(each.day)
    day.add(Day(rows=1, source_hash=_hash(each.item, each)))
    if log is not None:
        # A log with another time counts on its own day.
        day = result.day(log.created_at.date().isoformat())
        day.add(Day(logs=1, table_hash=_hash(log, each)))


def _is_equal(each: _Expected, log: LogItem | None) -> bool:
    return log is not None and _hash(each.item, each) == _hash(log, each)


def _hash(log: LogItem, each: _Expected) -> int:
    header, content = _header(log, each)
    text = json.dumps([log.id, header, duplicates.canonical_json(content)], sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest())


def _header(log: LogItem, each: _Expected) -> tuple[dict[str, Any], documents.Content]:
    """Return the sender's fields without payload and unknown fields, and the content of a log."""
    content = documents.content(log)
    fields = {name: value for name, value in content.fields.items() if name != "summary" or each.has_summary}
    return fields | {"created_at": times.to_text(log.created_at), "damage": content.damage}, content


def _fields(each: _Expected, log: LogItem | None) -> tuple[FieldDifference, ...]:
    """Return the fields that differ, or none if the log is missing."""
    if log is None:
        return ()
    (source, source_content), (table, table_content) = _header(each.item, each), _header(log, each)
    values = json.loads(duplicates.canonical_json(source_content))
    stored = json.loads(duplicates.canonical_json(table_content))
    source["payload"], table["payload"] = values["payload"], stored["payload"]
    for fields, extra in ((source, values["extra"]), (table, stored["extra"])):
        # As text if it has too many values to parse.
        fields |= {f"extra.{name}": value for name, value in extra.items()} if isinstance(extra, dict) else {}
    names = sorted(source.keys() | table.keys())
    differences = [FieldDifference(name, source.get(name), table.get(name)) for name in names]
    return tuple(each for each in differences if each.source != each.table)


_verifiers: list[Verifier] = []


def start(settings: Settings) -> None:
    """Prepare this process for `compare`."""
    _verifiers[:] = [Verifier(settings.mapping, settings.table)]


def compare(rows: Sequence[Row | BadRow]) -> Comparison:
    """Compare a group of rows in this process. Raise CommandFailed for an error of DynamoDB."""
    try:
        return _verifiers[0].compare(rows)
    except AWS_ERRORS as error:
        # Some of these errors cannot be pickled.
        raise CommandFailed(f"DynamoDB refused: {type(error).__name__}: {error}.") from None
