"""Late items in the table of digests, one for each late log.

`logs.storage.horizon` describes when a log is late.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from logs import times
from logs.models import STATUS, LogItem
from logs.storage import dynamodb
from logs.storage.digest_items import DAYS, DigestItem, is_on
from logs.storage.horizon import LATE_AFTER

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
MAX_REQUEST = 25
# Between the time and the id in a sort key.
SEPARATOR = "#"


def is_late(log: LogItem, now: datetime) -> bool:
    """Return whether a log is late if its writing begins now."""
    created_at: datetime = log.created_at
    return created_at < now - LATE_AFTER


def partition(status: str) -> str:
    """Return the partition of a sorting shard's late items.

    It is `days` for `OK`, and `days#3` for `OK#3`.
    """
    return DAYS + status.removeprefix(STATUS)


def sort_key(log: LogItem) -> str:
    """Return the sort key of a log's late item."""
    return f"{times.to_text(log.created_at)}{SEPARATOR}{log.id}"


def put(logs: Sequence[LogItem]) -> list[LogItem]:
    """Put the late items of logs; return the logs that DynamoDB did not process.

    The logs have different ids. A late item replaces an earlier one of the same log, and expires with the
    log. Costs one BatchWriteItem for 25 logs, and one write unit for each log. Does nothing if digests are
    switched off or their table does not exist. Raises botocore's BotoCoreError and ClientError.
    """
    if not is_on():
        return []
    by_key = {sort_key(log): log for log in logs}
    written_at = times.to_text(datetime.now(UTC))
    items = [
        dynamodb.serialize(
            DigestItem(partition(log.status), key, written_at=written_at, expires_at=log.expires_at)
        )
        for key, log in by_key.items()
    ]
    unprocessed = []
    for start in range(0, len(items), MAX_REQUEST):
        try:
            unprocessed += dynamodb.batch_put(DigestItem, items[start : start + MAX_REQUEST])
        except ClientError as error:
            if error.response["Error"].get("Code") != "ResourceNotFoundException":
                raise
            return []
    return [by_key[item["sort"]["S"]] for item in unprocessed]
