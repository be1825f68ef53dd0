"""The summary of a log, derived from its payload."""

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

MAX_SUMMARY_CHARACTERS = 160
ELLIPSIS = "…"
# A single value may not fill the summary.
MAX_VALUE_CHARACTERS = 60
# More values never fit, and a payload may have 100,000.
MAX_VALUES = 20
# A payload without scalar values near its root has no summary.
MAX_EXAMINED_VALUES = 200
# The pairs of names for the states before and after a change.
STATES = (("old", "new"), ("before", "after"), ("from", "to"))


def derive(payload: Any) -> str | None:
    """Return the summary of a payload in one line, or None.

    It has at most MAX_SUMMARY_CHARACTERS. The first of these rules that yields a text applies:

    1. The changed fields with their old and new values: `status: draft → paid, total: 90 → 100`.
    2. The first scalar values of an object or a list: `invoice: 4711, total: 100`.
    3. The first line of a text.
    """
    if isinstance(payload, str):
        line = re.search(r"\S[^\r\n]*", payload)
        return truncate(line[0]) if line else None
    phrases = list(islice(_changes(payload), MAX_VALUES)) or list(islice(_scalars(payload), MAX_VALUES))
    return truncate(", ".join(phrases)) or None


def truncate(text: str, limit: int = MAX_SUMMARY_CHARACTERS) -> str:
    """Return a text in one line and with at most `limit` characters, ellipsis included."""
    # The rest of a long text cannot be shown, so it is not split into words.
    line = " ".join(text[: 4 * limit].split())
    return line if len(line) <= limit else line[: limit - len(ELLIPSIS)].rstrip() + ELLIPSIS


def _changes(payload: Any) -> Iterator[str]:
    """Yield a phrase for each changed field. There are none unless the payload describes a change."""
    if not isinstance(payload, Mapping):
        return
    changes = payload.get("changes", payload.get("diff"))
    pairs: Iterable[tuple[Any, Any]]
    if isinstance(changes, list):  # [{"field": "status", "old": "draft", "new": "paid"}]
        pairs = (
            (each.get("field") or each.get("name"), each) for each in changes if isinstance(each, Mapping)
        )
    elif isinstance(changes, Mapping):
        pairs = changes.items()
    else:
        yield from _compared_states(payload)
        return
    for name, change in pairs:
        states = _states(change)
        if isinstance(name, str) and states:
            yield _change(name, *states)


def _compared_states(payload: Mapping[str, Any]) -> Iterator[str]:
    """Yield a phrase for each field that differs in `{"old": {…}, "new": {…}}`."""
    states = _states(payload)
    if states is None:
        return
    old, new = states
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys([*old, *new]):
            if old.get(name) != new.get(name):
                yield _change(name, old.get(name), new.get(name))


def _states(change: Any) -> tuple[Any, Any] | None:
    """Return the values before and after a change, or None if it has another form."""
    if isinstance(change, list) and len(change) == 2:
        return change[0], change[1]
    if isinstance(change, Mapping):
        for before, after in STATES:
            if before in change or after in change:
                return change.get(before), change.get(after)
    return None


def _change(name: str, old: Any, new: Any) -> str:
    return f"{_display(name)}: {_display(old)} → {_display(new)}"


def _scalars(payload: Any) -> Iterator[str]:
    """Yield the scalar values with their names, the outermost first."""
    levels: deque[tuple[str, Any]] = deque([("", payload)])
    for _ in range(MAX_EXAMINED_VALUES):
        if not levels:
            return
        name, value = levels.popleft()
        if isinstance(value, Mapping):
            levels.extend(islice(value.items(), MAX_EXAMINED_VALUES))
        elif isinstance(value, list):
            levels.extend((name, member) for member in islice(value, MAX_EXAMINED_VALUES))
        elif value not in (None, ""):
            yield f"{_display(name)}: {_display(value)}" if name else _display(value)


def _display(value: Any) -> str:
    """Return a value in one short line: texts as they are, other values as JSON."""
    if value is None:
        return "–"
    if isinstance(value, (Mapping, list)):
        return f"{len(value)} {'field' if isinstance(value, Mapping) else 'value'}{'s' * (len(value) != 1)}"
    return truncate(value if isinstance(value, str) else json.dumps(value), MAX_VALUE_CHARACTERS)
