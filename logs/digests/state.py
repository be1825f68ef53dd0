"""How far the builder has come, in one item."""

import json
import zlib
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime

from logs import times
from logs.storage.digest_items import DigestItem
from logs.storage.errors import is_written

PARTITION, SORT = "builder", "state"
# The sort keys of requests to check a day begin with this.
CHECK = "check#"
KEY = {"partition": PARTITION, "sort": SORT}


@dataclass
class State:
    """The state of the builder.

    Digests are complete from `first` to `frontier`, except for small ranges. `working` is the day in
    progress, in ISO 8601: a builder that was killed left its digests there. `checked` is when all days
    were last checked for late logs. `finished_at` is when a run last ended without an error.
    """

    first: int | None = None
    frontier: int | None = None
    working: str = ""
    checked: int = 0
    finished_at: str = ""


def read() -> tuple[State, list[DigestItem]]:
    """Return the state, and the requests to check a day. Costs one Query. Raises PynamoDB's errors."""
    items = {item.sort: item for item in DigestItem.query(PARTITION, consistent_read=True)}
    data = items.pop(SORT).data if SORT in items else None
    return from_data(data), list(items.values())


def from_data(data: bytes | None) -> State:
    """Return the state that an item holds. None is no item."""
    return State(**json.loads(zlib.decompress(data))) if data else State()


def write(state: State) -> None:
    """Write the state. Costs one PutItem."""
    data = zlib.compress(json.dumps(asdict(state)).encode())
    DigestItem(PARTITION, SORT, data=data, written_at=state.finished_at or None).save()


def request_check(day: date) -> None:
    """Let the next run of the builder check a day. Costs one PutItem."""
    DigestItem(PARTITION, f"{CHECK}{day.isoformat()}", written_at=times.to_text(datetime.now(UTC))).save()


def day_to_check(request: DigestItem) -> date:
    """Return the day of a request."""
    return date.fromisoformat(request.sort.removeprefix(CHECK))


def end_check(request: DigestItem) -> None:
    """Delete a request unless it was put again. Costs one DeleteItem."""
    is_written(lambda: request.delete(condition=DigestItem.written_at == request.written_at))


def finish(state: State) -> None:
    """Write the state at the end of a run."""
    state.finished_at = times.to_text(datetime.now(UTC))
    write(state)
