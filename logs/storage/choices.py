"""The choices: types and subtypes seen in logs, in one item. The filter suggests them."""

import difflib
import json
import logging
import threading
import time
from collections.abc import Collection, Iterable, Mapping

from pynamodb.exceptions import UpdateError

from logs.models import ChoicesItem
from logs.storage import dynamodb
from logs.storage.errors import AWS_ERRORS

KINDS = ("types", "sub_types")
# The item is read and written whole: these limits keep it below 60 KB.
MAX_VALUES, MAX_VALUE_BYTES, MAX_KIND_BYTES = 300, 100, 29_000
# The bytes of a value's two times and of the punctuation.
ENTRY_BYTES = 25
# A value that is in use has its last log at most this long ago, in the item.
REFRESH_SECONDS = 3600
# If all values were seen within this time, new values replace one another: a flood of invented types cannot
# replace the types of real logs.
SETTLED_SECONDS, MAX_NEW_VALUES = 7 * 24 * 3600, 100
# After a failure the writer leaves the item alone for this long.
PAUSE_SECONDS = 60
# Other processes may write the item at the same time.
ATTEMPTS = 3
# difflib takes cubic time.
MAX_COMPARED = 50

logger = logging.getLogger(__name__)


class Conflict(Exception):
    """Other processes changed the item between each read and write."""

    def __str__(self) -> str:
        return str(self.__doc__)


class ChoicesWriter:
    """Records types and subtypes with the times of their last logs."""

    def __init__(self) -> None:
        # Values with the times of their last logs since the last write, the most recent last.
        self._seen: dict[str, dict[str, int]] = {kind: {} for kind in KINDS}
        self._recording = threading.Lock()
        # The item as this process read or wrote it last.
        self._stored = ChoicesItem()
        self._resume = 0.0
        self._writing = threading.Lock()

    def record(self, type_: str, sub_type: str) -> None:
        """Record the values of a log that was written, for the next `write`. Costs no request."""
        for kind, value in zip(KINDS, (type_, sub_type), strict=True):
            if not is_recordable(value):
                continue
            with self._recording:
                seen = self._seen[kind]
                seen.pop(value, None)
                seen[value] = int(time.time())
                if len(seen) > MAX_VALUES:
                    del seen[next(iter(seen))]

    def write(self) -> None:
        """Write the recorded values if one is new or an hour old.

        Otherwise it costs no request. A write costs one GetItem and one conditional UpdateItem of the whole
        item: 2 write units for 50 values, 60 for the largest item. Never raises an error of DynamoDB.
        """
        with self._writing:
            if time.monotonic() < self._resume or not self._is_due():
                return
            try:
                self._write()
            except (*AWS_ERRORS, Conflict) as error:
                logger.warning("the choices were not recorded: %s", error)
                self._resume = time.monotonic() + PAUSE_SECONDS
                # It may hold values that were not written.
                self._stored = ChoicesItem()

    def _snapshot(self) -> dict[str, dict[str, int]]:
        with self._recording:
            return {kind: dict(seen) for kind, seen in self._seen.items()}

    def _is_due(self) -> bool:
        """Return whether the item lacks a value, or has an old time of its last log."""
        for kind, seen in self._snapshot().items():
            stored = getattr(self._stored, kind)
            for value, last in seen.items():
                if value not in stored or last - stored[value][1] >= REFRESH_SECONDS:
                    return True
        return False

    def _write(self) -> None:
        for _ in range(ATTEMPTS):
            # Another process may have written the values already.
            self._stored = item = read(consistent=True)
            if not self._is_due():
                return
            snapshot = self._snapshot()
            evicted = [kind for kind, seen in snapshot.items() if _merge(getattr(item, kind), seen)]
            if _update(item, evicted):
                self._discard(snapshot)
                return
        raise Conflict

    def _discard(self, written: Mapping[str, Mapping[str, int]]) -> None:
        with self._recording:
            for kind, seen in written.items():
                for value, last in seen.items():
                    if self._seen[kind].get(value) == last:
                        del self._seen[kind][value]


def read(*, consistent: bool = False) -> ChoicesItem:
    """Return the item, or a new one. Costs one GetItem: up to 7.5 read units, twice that if consistent."""
    try:
        return ChoicesItem.get("choices", consistent_read=consistent)
    except ChoicesItem.DoesNotExist:
        return ChoicesItem()


def is_complete(item: ChoicesItem, kind: str) -> bool:
    """Return whether the item has every recordable value that was seen in a log."""
    return kind not in item.incomplete and not is_full(getattr(item, kind))


def is_recordable(value: str) -> bool:
    """Return whether a value is short enough for the item, and not empty."""
    return 0 < len(value.encode()) <= MAX_VALUE_BYTES


def is_full(values: Collection[str]) -> bool:
    """Return whether there may be no room for another value."""
    size = sum(map(_entry_size, values))
    return len(values) >= MAX_VALUES or size > MAX_KIND_BYTES - ENTRY_BYTES - MAX_VALUE_BYTES


def forget(values: Mapping[str, Collection[str]]) -> None:
    """Delete values from the item, by kind. Logs are not changed.

    Costs one GetItem and one conditional UpdateItem. Raises Conflict, and the errors of DynamoDB.
    """
    for _ in range(ATTEMPTS):
        item = read(consistent=True)
        for kind, deleted in values.items():
            for value in deleted:
                getattr(item, kind).pop(value, None)
        if _update(item, [kind for kind, deleted in values.items() if deleted]):
            return
    raise Conflict


def nearest(value: str, choices: Iterable[str], limit: int = 3) -> list[str]:
    """Return the choices most like a value, the most similar first.

    Letter case is ignored, and only the first 50 characters are compared.
    """
    by_lower: dict[str, list[str]] = {}
    for choice in choices:
        by_lower.setdefault(choice.lower()[:MAX_COMPARED], []).append(choice)
    matches = difflib.get_close_matches(value.lower()[:MAX_COMPARED], by_lower, n=limit)
    return [choice for lower in matches for choice in sorted(by_lower[lower])][:limit]


def _merge(values: dict[str, list[int]], seen: Mapping[str, int]) -> bool:
    """Add values with the times of their last logs. Return whether values were evicted."""
    for value, last in seen.items():
        first, stored_last = values.get(value, (last, last))
        values[value] = [first, max(stored_last, last)]
    size = sum(map(_entry_size, values))
    is_evicted = False
    while len(values) > MAX_VALUES or size > MAX_KIND_BYTES:
        evicted = _least_recent(values)
        size -= _entry_size(evicted)
        del values[evicted]
        is_evicted = True
    return is_evicted


def _least_recent(values: Mapping[str, list[int]]) -> str:
    """Return the value to evict: the least recent, but a new one if all were seen recently."""

    def last(value: str) -> int:
        return values[value][1]

    oldest = min(values, key=last)
    if last(oldest) > time.time() - SETTLED_SECONDS:
        return min(sorted(values, key=lambda value: values[value][0])[-MAX_NEW_VALUES:], key=last)
    return oldest


def _entry_size(value: str) -> int:
    """Return the bytes of a value and its times in the item."""
    return len(json.dumps(value, ensure_ascii=False).encode()) + ENTRY_BYTES


def _update(item: ChoicesItem, incomplete: Collection[str]) -> bool:
    """Write the item unless another process has changed it. Return whether it was written."""
    actions = [
        *(getattr(ChoicesItem, kind).set(getattr(item, kind)) for kind in KINDS),
        ChoicesItem.version.set(item.version + 1),
    ]
    if incomplete:
        actions.append(ChoicesItem.incomplete.add(set(incomplete)))
    version = ChoicesItem.version
    is_unchanged = version == item.version if item.version else version.does_not_exist()
    try:
        dynamodb.update(ChoicesItem, "choices", actions, is_unchanged)
    except UpdateError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
        return False
    return True
