"""Digests in tests: an empty table, late logs, small segments, and a builder that is killed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from pynamodb.signals import pre_dynamodb_send

from logs import times
from logs.digests import blocks, builder, day_build, directory, erasure, segment_writer
from logs.digests.directory import Directory
from logs.models import LogItem
from logs.storage import dynamodb, late_items
from logs.storage.digest_items import DAYS, DigestItem
from tests.items import make_item, store

# The last day that is built whole: a builder leaves out the last five minutes. It is the same for all tests
# of a run, which may begin or end just after midnight.
YESTERDAY = (datetime.now(UTC) - timedelta(minutes=6)).replace(hour=0, minute=0, second=0, microsecond=0)
YESTERDAY -= timedelta(days=1)


def empty_digests_table() -> None:
    """Delete the table of digests and create it again."""
    DigestItem.delete_table()
    DigestItem.create_table()
    dynamodb.enable_ttl(DigestItem, DigestItem.expires_at.attr_name)


def built_logs(number: int, **fields: Any) -> list[LogItem]:
    """Store logs of yesterday, one a minute, and build their digests. Their urls are /path/<number>."""
    items = [
        make_item(each, created_at=YESTERDAY + timedelta(minutes=each), **{"url": f"/path/{each}", **fields})
        for each in range(number)
    ]
    store(items)
    builder.build()
    return items


@contextmanager
def small_segments(logs: int = 30, chunk_blocks: int = 3) -> Iterator[None]:
    """Let segments, chunks and blocks have few logs."""
    with (
        patch.object(day_build, "MAX_LOGS", logs),
        patch.object(day_build, "MIN_LOGS", max(1, logs // 3)),
        patch.object(segment_writer, "MAX_CHUNK_BLOCKS", chunk_blocks),
        patch.object(blocks, "MAX_LOGS", 4),
        patch.object(blocks, "MAX_LOG_TEXT", 400),
        patch.object(erasure, "WAIT_SECONDS", 0),
    ):
        yield


class Killed(BaseException):
    """The builder was killed."""


@contextmanager
def killed_after(calls: int) -> Iterator[None]:
    """Let the builder end at one of its requests to the table of digests, as if it was killed."""
    left = calls
    save, delete = DigestItem.save, DigestItem.delete
    commit = type(DigestItem.batch_write()).commit

    def count() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    def counted(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            count()
            return method(*args, **kwargs)

        return call

    with (
        patch.object(DigestItem, "save", counted(save)),
        patch.object(DigestItem, "delete", counted(delete)),
        patch.object(type(DigestItem.batch_write()), "commit", counted(commit)),
    ):
        yield


@contextmanager
def before_request(number: int, call: Callable[[], Any]) -> Iterator[None]:
    """Call a function once, before one of the requests of the block to DynamoDB, numbered from 0."""
    left = number

    def count(sender: object, **_: Any) -> None:
        nonlocal left
        left -= 1
        if left == -1:
            call()

    with pre_dynamodb_send.connected_to(count):
        yield


def kill() -> None:
    """End the process, as far as the code can notice."""
    raise Killed


def store_late(item: LogItem, written_at: datetime | None = None) -> None:
    """Write a late item, then its log, as the writer does."""
    written = times.to_text(written_at or datetime.now(UTC))
    DigestItem(
        late_items.partition(item.status),
        late_items.sort_key(item),
        written_at=written,
        expires_at=item.expires_at,
    ).save()
    item.save()


def generations() -> set[str]:
    """Return the generations that have items."""
    return {item.partition for item in DigestItem.scan() if "#" in item.partition and "20" in item.partition}


def directories() -> list[Directory]:
    """Return the directories of all days."""
    items = DigestItem.query(DAYS)
    return [directory.from_item(item) for item in items if item.written_at is None]


def listed_generations() -> set[str]:
    """Return the generations that the directory lists."""
    listed = set()
    for each in directories():
        listed |= {segment.generation for segment in each.segments} | {each.wide}
    return listed - {""}
