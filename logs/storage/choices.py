"""The choices: types, subtypes, countries, platforms and browsers seen in logs, in one item."""

import difflib
import json
import logging
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from unicodedata import normalize

from logs.models import ChoicesItem, LogItem
from logs.storage import dynamodb
from logs.storage.dynamodb import Usage
from logs.storage.errors import AWS_ERRORS, is_written

# The attributes of the item, and the attributes of a log whose values they hold.
KINDS = {
    "types": "type",
    "sub_types": "sub_type",
    "countries": "submitter_country",
    "platforms": "submitter_platform",
    "browsers": "submitter_browser",
}
# The item is read and written whole: these limits keep it below 60 KB.
MAX_VALUES, MAX_VALUE_BYTES = 300, 100
MAX_KIND_BYTES = {
    "types": 19_500,
    "sub_types": 19_500,
    "countries": 8_000,
    "platforms": 4_000,
    "browsers": 7_000,
}
# Visitors choose these values: there may always be a new one, such as a browser with its version.
VISITOR_KINDS = frozenset({"countries", "platforms", "browsers"})
# The bytes of a value's two times and of the punctuation.
ENTRY_BYTES = 25
# A value that is in use has its last log at most this long ago, in the item.
REFRESH_SECONDS = 3600
# If all values were seen within this time, the newest third of them is replaced: a flood of invented types
# cannot replace the types of real logs.
SETTLED_SECONDS, NEW_SHARE = 7 * 24 * 3600, 3
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
    """Records the values of KINDS with the times of their last logs."""

    def __init__(self) -> None:
        # Values with the times of their last logs since the last write, the most recent last.
        self._seen: dict[str, dict[str, int]] = {kind: {} for kind in KINDS}
        self._recording = threading.Lock()
        # The item as this process read or wrote it last.
        self._stored = ChoicesItem()
        self._resume = 0.0
        # When full kinds of visitors are written again.
        self._next_visitors = 0.0
        self._writing = threading.Lock()

    def record_log(self, item: LogItem) -> None:
        """Record the values of a log that was written, for the next `write`. Costs no request."""
        self.record(*(getattr(item, name) for name in KINDS.values()))

    def record(
        self,
        type_: str,
        sub_type: str,
        country: str | None = None,
        platform: str | None = None,
        browser: str | None = None,
    ) -> None:
        """Record values for the next `write`. Costs no request."""
        for kind, value in zip(KINDS, (type_, sub_type, country, platform, browser), strict=True):
            if value is None or not is_recordable(value):
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
        item: 2 write units for 50 values, 60 for the largest item. If there is no room for another country,
        platform or browser, new ones are written once an hour. Never raises an error of DynamoDB.
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
        return any(self._is_kind_due(kind, seen) for kind, seen in self._snapshot().items())

    def _is_kind_due(self, kind: str, seen: Mapping[str, int]) -> bool:
        stored: dict[str, list[int]] = getattr(self._stored, kind)
        is_due = any(
            value not in stored or last - stored[value][1] >= REFRESH_SECONDS for value, last in seen.items()
        )
        if is_due and kind in VISITOR_KINDS and time.monotonic() < self._next_visitors:
            return not is_full(kind, stored)
        return is_due

    def _write(self) -> None:
        for _ in range(ATTEMPTS):
            # Another process may have written the values already.
            self._stored = item = read(consistent=True)
            if not self._is_due():
                return
            snapshot = self._snapshot()
            evicted = [kind for kind, seen in snapshot.items() if _merge(kind, getattr(item, kind), seen)]
            if _update(item, evicted):
                self._discard(snapshot)
                self._next_visitors = time.monotonic() + REFRESH_SECONDS
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
    return read_with_usage(consistent=consistent)[0]


def read_with_usage(*, consistent: bool = False) -> tuple[ChoicesItem, Usage]:
    """Return the item as `read`, and the usage."""
    usage = Usage()
    response = usage.add(dynamodb.get(ChoicesItem, "choices", consistent=consistent))
    if not (raw := response.get("Item")):
        return ChoicesItem(), usage
    item = ChoicesItem.from_raw_data(raw)
    # Logs were written before the item had these attributes.
    item.incomplete = item.incomplete | {
        kind for kind in KINDS if getattr(ChoicesItem, kind).attr_name not in raw
    }
    return item, usage


def is_complete(item: ChoicesItem, kind: str) -> bool:
    """Return whether the item has every recordable value that was seen in a log."""
    return kind not in item.incomplete and not is_full(kind, getattr(item, kind))


def is_recordable(value: str) -> bool:
    """Return whether a value is short enough for the item, and not empty."""
    return 0 < len(value.encode()) <= MAX_VALUE_BYTES


def is_full(kind: str, values: Collection[str]) -> bool:
    """Return whether there may be no room for another value."""
    size = sum(map(_entry_size, values))
    return len(values) >= MAX_VALUES or size > MAX_KIND_BYTES[kind] - ENTRY_BYTES - MAX_VALUE_BYTES


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


def spellings(value: str, choices: Iterable[str], is_complete: bool) -> list[str]:
    """Return the choices that differ from a value in letter case only.

    A value among the choices, and one without such choices, is returned alone. If the choices are not
    complete, logs may have the value too, so it comes first. Choices that differ in the form of their accents
    only are one, as in the filters.
    """
    by_form = {normalize("NFC", each): each for each in choices if _caseless(each) == _caseless(value)}
    if not by_form or normalize("NFC", value) in by_form:
        return [value]
    return list(by_form.values()) if is_complete else [value, *by_form.values()]


def _caseless(text: str) -> str:
    """Return a text in the form that ignores letter case: definition D145 of the Unicode Standard."""
    return normalize("NFD", normalize("NFD", text).casefold())


def _merge(kind: str, values: dict[str, list[int]], seen: Mapping[str, int]) -> bool:
    """Add values with the times of their last logs. Return whether values were evicted."""
    for value, last in seen.items():
        first, stored_last = values.get(value, (last, last))
        values[value] = [first, max(stored_last, last)]
    size = sum(map(_entry_size, values))
    is_evicted = False
    while len(values) > MAX_VALUES or size > MAX_KIND_BYTES[kind]:
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
        number = max(1, len(values) // NEW_SHARE)
        return min(sorted(values, key=lambda value: values[value][0])[-number:], key=last)
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
    if names := item.incomplete.union(incomplete):
        actions.append(ChoicesItem.incomplete.add(names))
    version = ChoicesItem.version
    is_unchanged = version == item.version if item.version else version.does_not_exist()
    return is_written(lambda: dynamodb.update(ChoicesItem, "choices", actions, is_unchanged))
