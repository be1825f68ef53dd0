"""The PynamoDB models of the logs table. No Django here, though the file has the name of Django's models."""

import json
import os
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pynamodb.attributes import (
    Attribute,
    BinaryAttribute,
    MapAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.constants import PAY_PER_REQUEST_BILLING_MODE, STRING
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection
from pynamodb.models import Model

from logs import times

# Accounts that begin with this are Logsite's own, such as `_logsite` with its audit trail. The writer accepts
# them from Logsite's own senders only. Only superusers read their logs.
OWN_PREFIX = "_"


def is_own_account(account_id: str) -> bool:
    """Return whether an account is one of Logsite's own."""
    return account_id.startswith(OWN_PREFIX)


class TimeAttribute(Attribute[datetime]):
    """A moment in the format of `logs.times`, so that the index sorts by time."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        return times.to_text(value)

    def deserialize(self, value: str) -> datetime:
        return times.parse(value)


class SeenAttribute(Attribute[dict[str, list[int]]]):
    """Values with the times of their first and last logs, as JSON.

    The times are epoch seconds: `{"login": [1800000000, 1800003600]}`.
    """

    attr_type = STRING

    def serialize(self, value: dict[str, list[int]]) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def deserialize(self, value: str) -> dict[str, list[int]]:
        values: dict[str, list[int]] = json.loads(value)
        return values


class TableMeta:
    """The settings of every table: on-demand billing, and timeouts short enough for a page.

    PynamoDB's defaults (15 s to connect, 30 s to read, 3 retries) would let a page hang.
    """

    billing_mode = PAY_PER_REQUEST_BILLING_MODE
    connect_timeout_seconds = 1
    read_timeout_seconds = 3
    max_retry_attempts = 2
    max_pool_connections = 32


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
    "context",
]

# The fields of the attribute `context`. A projection cannot be changed later, so new fields are added here:
# DynamoDB projects the map whole, and a filter expression reaches `context.request_id`.
CONTEXT_FIELDS = (
    "summary",
    "user_name",
    "account_name",
    "submitter_ip",
    "request_id",
    "trace_id",
    "object_type",
    "object_id",
    "object_name",
)

# The attributes of a log that a list of logs shows, in the order of the CSV columns.
ROW_ATTRIBUTES = (
    "created_at",
    "id",
    *(name for name in PROJECTED if name not in ("expires_at", "context")),
    *CONTEXT_FIELDS,
)


def _projection(*keys: str) -> IncludeProjection:
    """Project the attributes of a row. DynamoDB always projects the keys, so they are not named again."""
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
    """All logs, in time order."""

    class Meta:
        index_name = "SortingIndex"
        projection = _projection()

    status = UnicodeAttribute(hash_key=True)
    created_at = TimeAttribute(range_key=True)


class UserIndex(GlobalSecondaryIndex["LogItem"]):
    """One user, in time order. Logs of no one are not in it."""

    class Meta:
        index_name = "UserIndex"
        projection = _projection()

    user_key = UnicodeAttribute(hash_key=True)
    created_at = TimeAttribute(range_key=True)


class ObjectIndex(GlobalSecondaryIndex["LogItem"]):
    """One object, in time order. Logs without an object are not in it."""

    class Meta:
        index_name = "ObjectIndex"
        projection = _projection()

    object_key = UnicodeAttribute(hash_key=True)
    created_at = TimeAttribute(range_key=True)


class LogsTableMeta(TableMeta):
    """The logs table: logs, their parts, and the choices."""

    table_name = os.environ.get("LOGS_TABLE", "LogsTable")


class PartItem(Model):
    """A part of a log that exceeds one item. Without index keys it is in no index."""

    class Meta(LogsTableMeta):
        pass

    id = UnicodeAttribute(hash_key=True)
    document = BinaryAttribute(legacy_encoding=False)
    expires_at = TTLAttribute(null=True)


class ChoicesItem(Model):
    """The one item with the values of some attributes seen in logs. It has no index keys.

    `incomplete` names the attributes from which a value was evicted or deleted. Each update increments
    `version`.
    """

    class Meta(LogsTableMeta):
        pass

    id = UnicodeAttribute(hash_key=True, default="choices")
    types = SeenAttribute(attr_name="types_seen", default=dict)
    sub_types = SeenAttribute(attr_name="sub_types_seen", default=dict)
    countries = SeenAttribute(attr_name="countries_seen", default=dict)
    platforms = SeenAttribute(attr_name="platforms_seen", default=dict)
    browsers = SeenAttribute(attr_name="browsers_seen", default=dict)
    incomplete = UnicodeSetAttribute(default=set)
    version = NumberAttribute(default=0)


class Context(MapAttribute[str, str]):
    """Who, from where, on what, in which request: the fields of CONTEXT_FIELDS."""

    summary = UnicodeAttribute(null=True)
    user_name = UnicodeAttribute(null=True)
    account_name = UnicodeAttribute(null=True)
    submitter_ip = UnicodeAttribute(null=True)
    request_id = UnicodeAttribute(null=True)
    trace_id = UnicodeAttribute(null=True)
    object_type = UnicodeAttribute(null=True)
    object_id = UnicodeAttribute(null=True)
    object_name = UnicodeAttribute(null=True)


def make_context(values: Mapping[str, str | None]) -> Context | None:
    """Return the context with the values that are not None, or None without any."""
    fields = {name: value for name, value in values.items() if value is not None}
    if not fields:
        return None
    # Without __init__, which sets each field through a descriptor.
    context = Context.__new__(Context)
    context.attribute_values = fields
    return context


def _context_field(name: str) -> property:
    """Return a property that reads a field of an item's context, or None."""
    return property(lambda item: getattr(item.context, name, None))


class LogItem(Model):
    """One log. `logs.storage.documents` describes the content of `document`."""

    # Why parts of the log are lost: set when it is read, never stored.
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
    context = Context(null=True)  # type: ignore[no-untyped-call]  # PynamoDB's maps have no annotations
    summary = _context_field("summary")
    user_name = _context_field("user_name")
    account_name = _context_field("account_name")
    submitter_ip = _context_field("submitter_ip")
    request_id = _context_field("request_id")
    trace_id = _context_field("trace_id")
    object_type = _context_field("object_type")
    object_id = _context_field("object_id")
    object_name = _context_field("object_name")

    # Set by the writer, not by the sender.
    account_type = UnicodeAttribute(attr_name="account_id#type")
    status = UnicodeAttribute()
    # Without these keys, a log is not in UserIndex and not in ObjectIndex.
    user_key = UnicodeAttribute(null=True)
    object_key = UnicodeAttribute(null=True)
    received_at = TimeAttribute()
    # Of a redriven message only: the time of its first delivery, as its sender claims.
    first_sent_at = TimeAttribute(null=True)
    # Of an imported log only. Its `received_at` is its `created_at`.
    imported_at = TimeAttribute(null=True)
    expires_at = TTLAttribute(null=True)
    payload_size = NumberAttribute(null=True)
    payload_type = UnicodeAttribute(null=True)
    document = BinaryAttribute(null=True, legacy_encoding=False)
    sender = UnicodeAttribute(null=True)

    @property
    def is_expired(self) -> bool:
        """Return whether the retention of the log has passed. TTL deletes it within days of that."""
        return self.expires_at is not None and self.expires_at <= datetime.now(UTC)

    account_index = AccountIndex()
    type_index = TypeIndex()
    account_type_index = AccountTypeIndex()
    sorting_index = SortingIndex()
    user_index = UserIndex()
    object_index = ObjectIndex()


# The partition key of SortingIndex with one shard.
STATUS = "OK"
# The most sorting shards that the writer, the site and the templates accept. A page without account and type
# sends one query to each shard and to STATUS at once: 51 queries of half a read unit at least.
MAX_SHARDS = 50


def shard_status(log_id: str, shards: int) -> str:
    """Return the partition key of a log in SortingIndex. The id chooses the shard.

    One partition key takes 1,000 write units a second. The hash is the same in every process.
    """
    return STATUS if shards <= 1 else f"{STATUS}#{zlib.crc32(log_id.encode()) % shards}"


def shard_statuses(shards: int) -> list[str]:
    """Return every partition key of SortingIndex that 1 to `shards` shards were written with."""
    return [STATUS] if shards <= 1 else [STATUS, *(f"{STATUS}#{number}" for number in range(shards))]


def account_type_key(account_id: str, type_: str) -> str:
    """Return the partition key of AccountTypeIndex. It is unambiguous: no account contains a `#`."""
    return f"{account_id}#{type_}"


# The user of a log of the system, of a cron job or of a failed login.
NO_ONE = "0"


def user_key(user_id: str) -> str | None:
    """Return the partition key of UserIndex, or None for no one."""
    return None if user_id == NO_ONE else user_id


def object_key(object_type: str | None, object_id: str | None) -> str | None:
    """Return the partition key of ObjectIndex, or None without an object.

    It is unambiguous: no type contains a `:`.
    """
    return f"{object_type}:{object_id}" if object_type and object_id else None


INDEXES: dict[str, GlobalSecondaryIndex[Any]] = {
    index.Meta.index_name: index
    for index in (
        LogItem.account_index,
        LogItem.type_index,
        LogItem.account_type_index,
        LogItem.sorting_index,
        LogItem.user_index,
        LogItem.object_index,
    )
}


def partition_attribute(index: str) -> tuple[str, str]:
    """Return the name of an index's partition key, in LogItem and in the table."""
    attributes: dict[str, Attribute[Any]] = INDEXES[index].Meta.attributes
    return next((name, each.attr_name) for name, each in attributes.items() if each.is_hash_key)


def partition_key(item: LogItem, index: str) -> str:
    """Return the partition key of an item in an index.

    It is empty if the item is not in the index. The item must have been read with that attribute.
    """
    key: str | None = getattr(item, partition_attribute(index)[0])
    return key or ""
