"""The index that answers a filter, and its partitions. Pure: no I/O and no Django."""

import hashlib
from dataclasses import dataclass
from itertools import product
from typing import Any

from logs.conditions import all_forms
from logs.filters import FILTERS, KEYS, LogFilter, Source
from logs.models import (
    NO_ONE,
    AccountIndex,
    AccountTypeIndex,
    ObjectIndex,
    SortingIndex,
    TypeIndex,
    UserIndex,
    account_type_key,
    shard_statuses,
)

# The indexes, the narrowest first, with the filters that each answers. All other filters are post-filters.
INDEX_FILTERS: dict[str, tuple[str, ...]] = {
    ObjectIndex.Meta.index_name: ("object",),
    UserIndex.Meta.index_name: ("user_id",),
    AccountTypeIndex.Meta.index_name: ("account_id", "type"),
    AccountIndex.Meta.index_name: ("account_id",),
    TypeIndex.Meta.index_name: ("type",),
    SortingIndex.Meta.index_name: (),
}
# The writer stores no longer account, type, user or object.
MAX_KEY_BYTES = 500


@dataclass(frozen=True)
class Stream:
    """One partition of one index: the logs under one key, in time order."""

    index: str
    key: str

    @property
    def tag(self) -> str:
        """Return 8 hex digits that identify this stream within its plan."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:8]


def narrowest_index(log_filter: LogFilter) -> str:
    """Return the name of the narrowest index. The logs of no one are not in UserIndex."""
    used = {name for name in KEYS if getattr(log_filter, name)}
    if NO_ONE in log_filter.user_id:
        used.remove("user_id")
    return next(index for index, names in INDEX_FILTERS.items() if used.issuperset(names))


def post_filters(log_filter: LogFilter, index: str) -> dict[str, Any]:
    """Return the values that an index does not answer, by filter.

    An expression must not name the keys of its index, so exclusions from these keys are left out as well: no
    value is both included and excluded.
    """
    return {
        name: value
        for name, value in log_filter.values.items()
        if FILTERS[name].source is not Source.DOCUMENT and FILTERS[name].included not in INDEX_FILTERS[index]
    }


def streams(log_filter: LogFilter, shards: int) -> tuple[Stream, ...]:
    """Return a partition for each combination of values, or for each shard."""
    index = narrowest_index(log_filter)
    values = [key_forms(getattr(log_filter, name)) for name in INDEX_FILTERS[index]]
    match index:
        case SortingIndex.Meta.index_name:
            keys = shard_statuses(shards)
        case AccountTypeIndex.Meta.index_name:
            keys = [account_type_key(account, type_) for account, type_ in product(*values)]
        case _:
            [keys] = values
    return tuple(Stream(index, key) for key in keys)


def sorting_streams(shards: int) -> tuple[Stream, ...]:
    """Return the partitions that hold all logs."""
    return tuple(Stream(SortingIndex.Meta.index_name, key) for key in shard_statuses(shards))


def key_forms(values: tuple[str, ...]) -> list[str]:
    """Return values in all forms of accents: each form is a partition."""
    return [form for form in all_forms(values) if form in values or len(form.encode()) <= MAX_KEY_BYTES]
