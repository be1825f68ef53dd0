"""How far the builder has come, in one item."""

import json
import zlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from logs import times
from logs.storage.digest_items import DigestItem

PARTITION, SORT = "builder", "state"
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


def read() -> State:
    """Return the state. Costs one GetItem. Raises PynamoDB's errors."""
    try:
        item = DigestItem.get(PARTITION, SORT, consistent_read=True)
    except DigestItem.DoesNotExist:
        return State()
    return from_data(item.data)


def from_data(data: bytes | None) -> State:
    """Return the state that an item holds. None is no item."""
    return State(**json.loads(zlib.decompress(data))) if data else State()


def write(state: State) -> None:
    """Write the state. Costs one PutItem."""
    data = zlib.compress(json.dumps(asdict(state)).encode())
    DigestItem(PARTITION, SORT, data=data, written_at=state.finished_at or None).save()


def finish(state: State) -> None:
    """Write the state at the end of a run."""
    state.finished_at = times.to_text(datetime.now(UTC))
    write(state)
