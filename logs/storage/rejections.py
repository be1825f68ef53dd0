"""Why messages were rejected, under their log ids."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from pynamodb.attributes import ListAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.models import Model

from logs.models import LogsTableMeta, TimeAttribute
from logs.storage import dynamodb

# As long as the dead-letter queue keeps the message.
RETENTION = timedelta(days=14)


@dynamodb.share_client
class RejectedItem(Model):
    """A message that the writer rejected, without its values. Without index keys it is in no index.

    The log ids that the site reads have 32 hex digits, so no page shows it as a log.
    """

    class Meta(LogsTableMeta):
        pass

    id = UnicodeAttribute(hash_key=True)
    error_code = UnicodeAttribute()
    error_fields: ListAttribute[str] = ListAttribute()
    rejected_at = TimeAttribute()
    expires_at = TTLAttribute()


def item_id(log_id: str) -> str:
    """Return the id of the item for a rejected message with this log id."""
    return f"rejected#{log_id}"


def put(log_id: str, code: str, fields: Collection[str]) -> None:
    """Store why a message was rejected. It replaces an earlier reason for the same log id.

    `fields` has names of fields. Costs one PutItem. Raises botocore's BotoCoreError and ClientError.
    """
    now = datetime.now(UTC)
    item = RejectedItem(
        item_id(log_id),
        error_code=code,
        error_fields=list(fields),
        rejected_at=now,
        expires_at=now + RETENTION,
    )
    dynamodb.put(item.get_save_kwargs_from_instance())
