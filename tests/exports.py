"""Exports in the background, for tests: their logs, their files and workers that are killed."""

import gzip
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from logs.exports import jobs
from logs.exports.files import Folder
from logs.exports.spec import Spec
from logs.filters import LogFilter
from logs.models import LogItem
from logs.plan import make_plan
from logs.storage import documents, parts
from logs.storage.export_items import ExportItem
from tests.items import make_item
from tests.noise import noise

OWNER = "ada"


class Killed(BaseException):
    """The process of a worker is killed."""


class FaultyFolder(Folder):
    """A folder that calls a function before and after each part."""

    def __init__(self, path: Path, hook: Callable[[str], None]) -> None:
        super().__init__(path)
        self.hook = hook

    def put(self, key: str, data: bytes) -> None:
        self.hook(f"before {key}")
        super().put(key, data)
        self.hook(f"after {key}")


def make_log_with_payload(number: int) -> LogItem:
    """Return a log. Each hundredth has a payload in part items, which are stored."""
    if number % 100 == 99:
        item = make_item(number, payload_size=700_000, payload_type="text")
        item.document = documents.pack({"payload": noise(700_000), "extra": '{"build": 17}'})
        item.document = parts.save(item)
        return item
    payload = json.dumps({"number": number, "text": "=1+1\n"})
    return make_item(number, payload=payload, payload_size=len(payload), payload_type="json")


def make_spec(format: str = "ndjson", *, payloads: bool = True, **values: Any) -> Spec:  # noqa: A002  as in Spec
    """Return an export with payloads. `values` are those of the filter."""
    return Spec(make_plan(LogFilter(**values)), format, payloads=payloads)


def create(spec: Spec) -> ExportItem:
    """Create an export of OWNER."""
    return jobs.create(OWNER, spec, f"logs.{spec.format}.gz")


def content(folder: Folder, item: ExportItem) -> str:
    """Return the text of an export's file."""
    with folder.open(jobs.file_key(item)) as file:
        return gzip.decompress(file.read()).decode()


def ids(text: str) -> list[str]:
    """Return the ids of the logs in an NDJSON file, and check its last line."""
    *rows, last = map(json.loads, text.splitlines())
    assert last["_logsite"] == {"rows": len(rows), "complete": True, "cut": None, "next": None}
    return [row["id"] for row in rows]


def end_lease(item: ExportItem) -> None:
    """Let the lease of a worker end."""
    item.update(actions=[ExportItem.leased_until.set(0)])


def empty_exports_table() -> None:
    """Delete all exports."""
    with ExportItem.batch_write() as batch:
        for item in list(ExportItem.scan()):
            batch.delete(item)


def use_small_chunks(monkeypatch: pytest.MonkeyPatch, rows: int = 50, characters: int = 2_000) -> None:
    """Let pages and chunks be small, so that few logs make many of them."""
    monkeypatch.setattr("logs.exports.chunks.PAGE_ROWS", rows)
    monkeypatch.setattr("logs.exports.worker.CHUNK_CHARACTERS", characters)


def newest_first(numbers: Iterable[int]) -> list[str]:
    """Return the ids of the logs with these numbers, in the order of an export."""
    return [make_item(number).id for number in sorted(numbers, reverse=True)]
