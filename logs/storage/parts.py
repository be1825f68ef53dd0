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
    if there are parts. Raises PynamoDB's and botocore's errors.
    """
    usage = Usage()
    if not (ids := documents.part_ids(item.id, item.document)):
        return usage
    table = PartItem.Meta.table_name
    keys = [{"id": part_id} for part_id in ids]
    parts: dict[str, bytes] = {}
    while keys:
        # Consistent: a part that was written a moment ago must not be missed.
        response = usage.add(dynamodb.batch_get(PartItem, keys, consistent=True))
        items = [PartItem.from_raw_data(raw) for raw in response["Responses"].get(table, [])]
        parts |= {part.id: part.document for part in items}
        # DynamoDB leaves out what exceeds 16 MB, and what it throttles.
        unprocessed = response.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
        keys = [{"id": key["id"]["S"]} for key in unprocessed]
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
