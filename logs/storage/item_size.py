"""The size of logs in the table and its indexes, and their write units."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from pynamodb.attributes import Attribute

from logs.models import INDEXES, PROJECTED, LogItem
from logs.storage import documents

WRITE_UNIT_BYTES = 1024
# AWS stores these with each item: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html
OVERHEAD_BYTES = 100


@dataclass(frozen=True)
class Sizes:
    """The mean sizes of some logs.

    `item_bytes` are those of the item, `stored_bytes` those with the entries in its indexes and AWS's
    overhead. `write_units` are of the item and its entries, `entry_units` of one entry by index.
    """

    logs: int
    item_bytes: float
    stored_bytes: float
    write_units: float
    entry_units: Mapping[str, float]


def mean_sizes(items: Sequence[LogItem]) -> Sizes:
    """Return the mean sizes of at least one log. Each part of a log in several items counts as full."""
    entries = [index_sizes(item) for item in items]
    parts = [_part_bytes(item) for item in items]
    return Sizes(
        logs=len(items),
        item_bytes=fmean(map(item_size, items)) + fmean(parts),
        stored_bytes=fmean(map(stored_bytes, items)) + fmean(parts),
        write_units=fmean(map(write_units, items)) + fmean(map(units, parts)),
        entry_units={
            name: fmean(units(each[name]) for each in entries if name in each)
            for name in INDEXES
            if any(name in each for each in entries)
        },
    )


def item_size(item: LogItem) -> int:
    """Return the size of an item in bytes, as DynamoDB counts it."""
    return attributes_size(item.serialize())


def attributes_size(attributes: Mapping[str, dict[str, Any]]) -> int:
    """Return the size in bytes of attributes in DynamoDB's JSON."""
    return sum(len(name.encode()) + _value_size(value) for name, value in attributes.items())


def index_sizes(item: LogItem) -> dict[str, int]:
    """Return the bytes of an item's entry in each index that it is in."""
    attributes = item.serialize()
    sizes = {}
    for name, index in INDEXES.items():
        keys = {each.attr_name for each in index.Meta.attributes.values() if _is_key(each)}
        if keys <= attributes.keys():  # two indexes are sparse
            names = {"id", *PROJECTED, *keys} & attributes.keys()
            sizes[name] = attributes_size({each: attributes[each] for each in names})
    return sizes


def write_units(item: LogItem) -> int:
    """Return the write units of an item in the table and in its indexes."""
    return sum(map(units, [item_size(item), *index_sizes(item).values()]))


def units(size: int) -> int:
    """Return the write units of a size in bytes: one for each KB begun."""
    return math.ceil(size / WRITE_UNIT_BYTES)


def stored_bytes(item: LogItem) -> int:
    """Return the bytes that an item uses in the table and in its indexes."""
    sizes = [item_size(item), *index_sizes(item).values()]
    return sum(sizes) + OVERHEAD_BYTES * len(sizes)


def _is_key(attribute: Attribute[Any]) -> bool:
    return attribute.is_hash_key or attribute.is_range_key


def _part_bytes(item: LogItem) -> int:
    return len(documents.part_ids(item.id, item.document)) * documents.CHUNK_BYTES


def _value_size(value: dict[str, Any]) -> int:
    [(kind, content)] = value.items()
    if kind == "N":
        return len(content) // 2 + 1
    if kind == "M":
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
        return 3 + len(content) + attributes_size(content)
    return len(content if kind == "B" else content.encode())
