"""The table of exports: one item for each export that runs in the background."""

import os

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.models import Model

from logs.models import TableMeta, TimeAttribute
from logs.storage import dynamodb


class ExportsTableMeta(TableMeta):
    """The table of exports. An empty name switches exports in the background off."""

    table_name = os.environ.get("EXPORTS_TABLE", "LogsExports")


@dynamodb.share_client
class ExportItem(Model):
    """One export of one user, and how far it has come."""

    class Meta(ExportsTableMeta):
        pass

    owner = UnicodeAttribute(hash_key=True)
    # Begins with the time, so that the newest exports of a user are read first.
    id = UnicodeAttribute(range_key=True)
    # One of `logs.exports.jobs.State`.
    state = UnicodeAttribute()
    # The filter, the format and its options, as JSON.
    spec = UnicodeAttribute()
    file_name = UnicodeAttribute()
    created_at = TimeAttribute()
    expires_at = TTLAttribute()
    # The number of rows that counts promise, if it is exact.
    expected_rows = NumberAttribute(null=True)
    # How far the export has come, as JSON: `logs.exports.chunks.Checkpoint`.
    checkpoint = UnicodeAttribute(null=True)
    rows = NumberAttribute(default=0)
    size = NumberAttribute(default=0)
    # The parts, as JSON: pairs of a claim and the number of its parts.
    parts = UnicodeAttribute(default="[]")
    # Each worker has a number of its own, and works until this time unless it renews it.
    claim = NumberAttribute(default=0)
    leased_until = NumberAttribute(default=0)
    # Workers in a row that wrote nothing.
    attempts = NumberAttribute(default=0)
    ended_at = TimeAttribute(null=True)
    # Why the export failed.
    reason = UnicodeAttribute(null=True)


def is_on() -> bool:
    """Return whether there is a table of exports: EXPORTS_TABLE is not empty."""
    return bool(ExportItem.Meta.table_name)
