"""How far the builder has come, in one item."""

import json
import platform
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from logs import times
from logs.digests.directory import ATTEMPTS, FORMAT, Conflict
from logs.storage.digest_items import DigestItem, has_version
from logs.storage.errors import is_written

PARTITION, SORT = "builder", "state"
# The sort keys of requests to check a day begin with this.
CHECK = "check#"
KEY = {"partition": PARTITION, "sort": SORT}


@dataclass(frozen=True)
class State:
    """The state of the builder.

    Digests are complete from `first` to `frontier`, except for small ranges. `day` is the day in progress, in
    ISO 8601: a builder that was killed left its digests there. `last_check` is when all days were last
    checked for late logs. `finished_at` is when a run last ended without an error, and made progress.
    `format` is the format of the scheduled builder, and its Python. `version` changes with each write.
    """

    first: int | None = None
    frontier: int | None = None
    day: str = ""
    last_check: int = 0
    finished_at: str = ""
    format: tuple[str, str] | None = None
    version: int = 0


# The names of fields in the stored JSON, if they differ.
STORED_NAMES = {"day": "working", "last_check": "checked"}
STORED_FIELDS = ("first", "frontier", "day", "last_check", "finished_at")


def read() -> tuple[State, list[DigestItem]]:
    """Return the state, and the requests to check a day. Costs one Query. Raises PynamoDB's errors."""
    items = {item.sort: item for item in DigestItem.query(PARTITION, consistent_read=True)}
    item = items.pop(SORT, None)
    return _from_item(item) if item else State(), list(items.values())


def from_data(data: bytes | None) -> State:
    """Return the state that the data of an item holds. None is no item."""
    content: dict[str, Any] = json.loads(zlib.decompress(data)) if data else {}
    stored = {name: STORED_NAMES.get(name, name) for name in STORED_FIELDS}
    return State(**{name: content[key] for name, key in stored.items() if key in content})


def _from_item(item: DigestItem) -> State:
    format_, _, python = (item.format or "").partition("\n")
    return replace(
        from_data(item.data),
        format=(format_, python) if format_ else None,
        version=int(item.version or 0),
    )


def change(state: State, **fields: Any) -> State:
    """Change fields of the state, and return it as written. Others may have changed other fields.

    Costs one PutItem, and a Query if the state was changed in the meantime. Raises directory.Conflict, and
    PynamoDB's errors.
    """
    for _ in range(ATTEMPTS):
        changed = replace(state, **fields)
        if _write(changed):
            return replace(changed, version=changed.version + 1)
        state = read()[0]
    raise Conflict


def _write(state: State) -> bool:
    """Write the state unless its version changed; return whether it was written."""
    content = {STORED_NAMES.get(name, name): getattr(state, name) for name in STORED_FIELDS}
    item = DigestItem(
        PARTITION,
        SORT,
        data=zlib.compress(json.dumps(content).encode()),
        version=state.version + 1,
        written_at=state.finished_at or None,
        format="\n".join(state.format) if state.format else None,
    )
    return is_written(lambda: item.save(condition=has_version(state.version)))


def own_format() -> tuple[str, str]:
    """Return the format of the digests that this process builds, and its Python."""
    return FORMAT, platform.python_version()


def request_check(day: date) -> None:
    """Let the next run of the builder check a day. Costs one PutItem."""
    DigestItem(PARTITION, f"{CHECK}{day.isoformat()}", written_at=times.to_text(datetime.now(UTC))).save()


def day_to_check(request: DigestItem) -> date:
    """Return the day of a request."""
    return date.fromisoformat(request.sort.removeprefix(CHECK))


def end_check(request: DigestItem) -> None:
    """Delete a request unless it was put again. Costs one DeleteItem."""
    is_written(lambda: request.delete(condition=DigestItem.written_at == request.written_at))
