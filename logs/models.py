"""The PynamoDB models of the logs table. No Django here, though Django takes the file for its own."""

import os
import threading
import zlib
from datetime import datetime
from functools import cache
from typing import Any

from pynamodb.attributes import (
    Attribute,
    BinaryAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.connection import Connection, TableConnection
from pynamodb.constants import PAY_PER_REQUEST_BILLING_MODE, STRING
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection
from pynamodb.models import Model
from pynamodb.settings import get_settings_value

from logs import times


class TimeAttribute(Attribute[datetime]):
    """A moment in the one spelling of `logs.times`, so that the index sorts by time."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        return times.to_text(value)

    def deserialize(self, value: str) -> datetime:
        return times.parse(value)


class TableMeta:
    """What every table of ours shares: on-demand billing, and limits short enough for a page.

    PynamoDB's own limits (15 s to connect, 30 s to read, 3 retries) would let a page hang.
    """

    billing_mode = PAY_PER_REQUEST_BILLING_MODE
    connect_timeout_seconds = 1
    read_timeout_seconds = 3
    max_retry_attempts = 2
    max_pool_connections = 32


class Table(Model):
    """A table of ours. All of them share one client.

    PynamoDB makes a client for each model, at 0.1 s and a handshake with DynamoDB each, and without a lock.
    """

    @classmethod
    def _get_connection(cls) -> TableConnection:
        table = super()._get_connection()
        with _MAKING:
            table.connection._client = shared().client
        return table


_MAKING = threading.Lock()


@cache
def shared() -> Connection:
    """Return the connection whose client all tables share, to PynamoDB's own `host` where one is set."""
    return Connection(
        host=get_settings_value("host"),
        connect_timeout_seconds=TableMeta.connect_timeout_seconds,
        read_timeout_seconds=TableMeta.read_timeout_seconds,
        max_retry_attempts=TableMeta.max_retry_attempts,
        max_pool_connections=TableMeta.max_pool_connections,
    )


# Everything that a list of logs shows. Never the payload: a 5 KB log then costs 9 write units, not 25.
PROJECTED = [
    "account_id",
    "user_id",
    "type",
    "sub_type",
    "url",
    "submitter_id",
    "submitter_country",
    "submitter_city",
    "submitter_platform",
    "submitter_browser",
    "expires_at",
    "payload_size",
]

# The attributes of a log that a list of logs shows, in the order of the CSV columns.
ROW_ATTRIBUTES = ("created_at", "id", *(name for name in PROJECTED if name != "expires_at"))


def _projection(*keys: str) -> IncludeProjection:
    """Project the listing's attributes; those that are keys of the index are there anyway."""
    return IncludeProjection([name for name in PROJECTED if name not in keys])


class AccountIndex(GlobalSecondaryIndex["LogItem"]):
    """One account, in time order."""

    class Meta:
        index_name = "AccountIndex"
        projection = _projection("account_id")

    account_id = UnicodeAttribute(hash_key=True)
    created_at = TimeAttribute(range_key=True)


class TypeIndex(GlobalSecondaryIndex["LogItem"]):
    """One type, in time order."""

    class Meta:
        index_name = "TypeIndex"
        projection = _projection("type")

    type = UnicodeAttribute(hash_key=True)
    created_at = TimeAttribute(range_key=True)


class AccountTypeIndex(GlobalSecondaryIndex["LogItem"]):
    """One type of one account, in time order."""

    class Meta:
        index_name = "AccountTypeIndex"
        projection = _projection()

    account_type = UnicodeAttribute(hash_key=True, attr_name="account_id#type")
    created_at = TimeAttribute(range_key=True)


class SortingIndex(GlobalSecondaryIndex["LogItem"]):
    """Everything, in time order."""

    class Meta:
        index_name = "SortingIndex"
        projection = _projection()

    status = UnicodeAttribute(hash_key=True)
    created_at = TimeAttribute(range_key=True)


class LogsTableMeta(TableMeta):
    """The table that holds the logs, and what belongs to them."""

    table_name = os.environ.get("LOGS_TABLE", "LogsTable")


class PartItem(Table):
    """A piece of a log that is too large for one item. It has no index key, and so stands in no index."""

    class Meta(LogsTableMeta):
        pass

    id = UnicodeAttribute(hash_key=True)
    document = BinaryAttribute(legacy_encoding=False)
    expires_at = TTLAttribute(null=True)


class ChoicesItem(Table):
    """The one item that holds the types and sub types seen so far. It has no index key either."""

    class Meta(LogsTableMeta):
        pass

    id = UnicodeAttribute(hash_key=True, default="choices")
    types = UnicodeSetAttribute(default=set)
    sub_types = UnicodeSetAttribute(default=set)


class LogItem(Table):
    """One log as it lies in the table. `logs.document` says what is inside `document`."""

    # What was lost of it, in words: set by the reader, never stored.
    damage: str | None = None

    class Meta(LogsTableMeta):
        pass

    id = UnicodeAttribute(hash_key=True)
    account_id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    type = UnicodeAttribute()
    sub_type = UnicodeAttribute()
    url = UnicodeAttribute()
    payload = UnicodeAttribute(null=True)
    submitter_id = UnicodeAttribute(null=True)
    submitter_country = UnicodeAttribute(null=True)
    submitter_city = UnicodeAttribute(null=True)
    submitter_platform = UnicodeAttribute(null=True)
    submitter_browser = UnicodeAttribute(null=True)
    submitter_agent = UnicodeAttribute(null=True)
    created_at = TimeAttribute()

    # Ours, not the sender's.
    account_type = UnicodeAttribute(attr_name="account_id#type")
    status = UnicodeAttribute()
    received_at = TimeAttribute()
    expires_at = TTLAttribute(null=True)
    payload_size = NumberAttribute(null=True)
    payload_type = UnicodeAttribute(null=True)
    document = BinaryAttribute(null=True, legacy_encoding=False)
    sender = UnicodeAttribute(null=True)

    account_index = AccountIndex()
    type_index = TypeIndex()
    account_type_index = AccountTypeIndex()
    sorting_index = SortingIndex()


# The partition key of SortingIndex where nothing is spread over shards.
STATUS = "OK"


def shard_status(log_id: str, shards: int) -> str:
    """Return the partition key of SortingIndex for a log, spread over that many shards by its id.

    One partition key takes 1,000 write units a second at most. The hash is the same in every process.
    """
    return STATUS if shards <= 1 else f"{STATUS}#{zlib.crc32(log_id.encode()) % shards}"


def shard_statuses(shards: int) -> list[str]:
    """Return every partition key of SortingIndex that up to `shards` shards were written with."""
    return [STATUS] if shards <= 1 else [STATUS, *(f"{STATUS}#{number}" for number in range(shards))]


def account_type_key(account_id: str, type_: str) -> str:
    """Return the partition key of AccountTypeIndex; unambiguous, as no account holds a `#`."""
    return f"{account_id}#{type_}"


INDEXES: dict[str, GlobalSecondaryIndex[Any]] = {
    index.Meta.index_name: index
    for index in (
        LogItem.account_index,
        LogItem.type_index,
        LogItem.account_type_index,
        LogItem.sorting_index,
    )
}


def partition_key(item: LogItem, index: str) -> str:
    """Return an item's partition key in an index, as far as the item was read with it."""
    name = LogItem._dynamo_to_python_attr(INDEXES[index]._hash_key_attribute().attr_name)
    key: str = getattr(item, name)
    return key
