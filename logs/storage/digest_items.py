"""The table of digests: one model for all its items.

| partition | sort | content |
|---|---|---|
| `days` | day | the directory of a day: its segments, and counts by hour |
| `days`, `days#0` … | created_at#id | a late item |
| day#generation | `s…`, `b…`, `c` | signatures, blocks and counts of one segment |
| `builder` | `state` | how far the builder has come, and the format of the scheduled builder |
| `builder` | `check#` and a day | the next run of the builder checks this day |
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from pynamodb.attributes import BinaryAttribute, NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from logs.models import TableMeta
from logs.storage import dynamodb

logger = logging.getLogger(__name__)

# The errors of a missing table, and of a role without the permission to read it.
UNAVAILABLE_CODES = ("ResourceNotFoundException", "AccessDeniedException")
# The partition of the directory. With sorting shards, late items have partitions of their own.
DAYS = "days"


class DigestsTableMeta(TableMeta):
    """The table of digests. An empty name switches digests off."""

    table_name = os.environ.get("DIGESTS_TABLE", "LogsDigests")


@dynamodb.share_client
class DigestItem(Model):
    """One item of the table of digests. Its content is in `data`, as the partition describes."""

    class Meta(DigestsTableMeta):
        pass

    partition = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True)
    data = BinaryAttribute(null=True, legacy_encoding=False)
    version = NumberAttribute(null=True)
    # Of a late item: when the writer put it. Of the builder's state: when a run finished.
    written_at = UnicodeAttribute(null=True)
    # Of the builder's state: the format of the scheduled builder, and its Python.
    format = UnicodeAttribute(null=True)
    expires_at = TTLAttribute(null=True)


def has_version(version: int) -> Condition:
    """Return the condition that an item has this version. 0 is an item without one, or no item."""
    return DigestItem.version == version if version else DigestItem.version.does_not_exist()


def is_on() -> bool:
    """Return whether digests are written and read: DIGESTS_TABLE is not empty."""
    return bool(DigestItem.Meta.table_name)


class DigestsUnavailable(Exception):
    """Digests are off, their table is missing, or reading it is not allowed."""


@contextmanager
def digests_unavailable() -> Iterator[None]:
    """Raise DigestsUnavailable if there are no digests to read.

    Log a warning unless they are off. Other errors stay, such as a timeout.
    """
    if not is_on():
        raise DigestsUnavailable
    try:
        yield
    except PynamoDBException as error:
        if error.cause_response_code not in UNAVAILABLE_CODES:
            raise
        logger.warning("Digests are not used: %s", error)
        raise DigestsUnavailable from error
