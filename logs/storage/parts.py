"""The part items of a log that exceeds one item."""

from datetime import timedelta

from logs.models import LogItem, PartItem
from logs.storage import documents, dynamodb
from logs.storage.dynamodb import Usage

# TTL deletes items in no order: a log that still exists must still have its parts.
OUTLIVES = timedelta(days=7)


def save(item: LogItem) -> bytes | None:
    """Write the parts of an item; return the document for the item itself.

    Idempotent: the same item has the same parts. Raises botocore's BotoCoreError and ClientError.
    """
    if item.document is None:
        return None
    head, parts = documents.split(item.id, item.document)
    expires_at = item.expires_at + OUTLIVES if item.expires_at else None
    for part_id, chunk in parts.items():
        part = PartItem(part_id, document=chunk, expires_at=expires_at)
        dynamodb.put(part.get_save_kwargs_from_instance())
    return head


def join(item: LogItem) -> Usage:
    """Join the document of an item that was read from the table. Return the usage.

    If parts are missing or damaged, the document becomes None and `damage` says why. Costs one BatchGetItem
    for 100 parts and for 16 MB. Raises PynamoDB's and botocore's errors.
    """
    usage = Usage()
    if not (ids := documents.part_ids(item.id, item.document)):
        return usage
    # Consistent: a part that was written a moment ago must not be missed.
    keys = [{"id": part_id} for part_id in ids]
    raw_items = dynamodb.batch_get_all(PartItem, keys, consistent=True, usage=usage)
    parts = {part.id: part.document for part in map(PartItem.from_raw_data, raw_items)}
    try:
        item.document = documents.join(item.id, item.document, parts)
    except documents.Damaged as error:
        item.document, item.damage = None, str(error)
    return usage


def delete(log_id: str) -> None:
    """Delete a log and its parts in one transaction. The id has 32 hex digits.

    Raises LogItem.DoesNotExist, PynamoDB's and botocore's errors.
    """
    item = LogItem.get(log_id, consistent_read=True)
    with dynamodb.transaction() as transaction:
        transaction.delete(LogItem(item.id))
        for part_id in documents.part_ids(item.id, item.document):
            transaction.delete(PartItem(part_id))
