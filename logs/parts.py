"""The part items of a log that is too large for one: written before it, read with it, deleted with it."""

from datetime import timedelta

from pynamodb.transactions import TransactWrite

from logs import document
from logs.models import LogItem, PartItem

# TTL deletes in no order: a log that is still there must not have lost its parts.
OUTLIVES = timedelta(days=7)


def save(item: LogItem) -> bytes | None:
    """Write the parts of an item that has its whole document; return what goes into the item itself.

    The same item gives the same parts, so writing them again changes nothing. Raises botocore's
    BotoCoreError and ClientError.
    """
    if item.document is None:
        return None
    head, parts = document.split(item.id, item.document)
    expires_at = item.expires_at + OUTLIVES if item.expires_at else None
    for part_id, chunk in parts.items():
        part = PartItem(part_id, document=chunk, expires_at=expires_at)
        # Not part.save(): PynamoDB would wrap the errors.
        PartItem._get_connection().connection.dispatch("PutItem", part.get_save_kwargs_from_instance())
    return head


def make_whole(item: LogItem) -> None:
    """Join the document of an item that was read; where that cannot be, leave none and say so in `damage`.

    Costs one BatchGetItem where there are parts, else nothing. Raises PynamoDB's and botocore's errors.
    """
    ids = document.part_ids(item.id, item.document)
    if not ids:
        return
    # Consistent: a part that is there must not be missed because it was written a moment ago.
    found = {part.id: part.document for part in PartItem.batch_get(ids, consistent_read=True)}
    try:
        item.document = document.join(item.id, item.document, found)
    except document.Damaged as error:
        item.document, item.damage = None, str(error)


def delete(log_id: str) -> None:
    """Delete the log of that id (32 hex digits) and its parts with it: all of them or none.

    Raises LogItem.DoesNotExist, PynamoDB's and botocore's errors.
    """
    item = LogItem.get(log_id, consistent_read=True)
    with TransactWrite(connection=LogItem._get_connection().connection) as transaction:
        transaction.delete(LogItem(item.id))
        for part_id in document.part_ids(item.id, item.document):
            transaction.delete(PartItem(part_id))
