"""A segment that lacks many late logs is built again, once they are settled."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from logs.digests import builder, directory
from logs.digests.directory import Directory
from logs.digests.moments import to_moment
from logs.storage.digest_items import DAYS, DigestItem
from tests.digests import YESTERDAY, directories, empty_digests_table, store_late
from tests.items import make_item, store


def ago(**duration: int) -> datetime:
    """Return the time before a duration. It is now that counts: a suite takes minutes."""
    return datetime.now(UTC) - timedelta(**duration)


@pytest.fixture(autouse=True)
def segment(logs_table: None) -> Iterator[None]:
    """Build a segment of 100 logs of YESTERDAY, as if an hour ago."""
    empty_digests_table()
    store(make_item(number, created_at=YESTERDAY + timedelta(seconds=number)) for number in range(100))
    builder.build()

    def an_hour_ago(current: Directory) -> Directory:
        began = to_moment(ago(hours=1))
        return replace(current, segments=tuple(replace(each, began=began) for each in current.segments))

    directory.update(YESTERDAY.date(), an_hour_ago)
    yield
    empty_digests_table()


def store_late_logs(number: int, minutes: int) -> None:
    """Store late logs that were written some minutes ago."""
    for index in range(number):
        item = make_item(1_000 + index, created_at=YESTERDAY + timedelta(seconds=index))
        store_late(item, ago(minutes=minutes))


def late_items() -> int:
    """Return the number of late items."""
    return sum(item.written_at is not None for item in DigestItem.query(DAYS))


def test_many_settled_late_logs_are_built() -> None:
    store_late_logs(20, minutes=30)
    assert builder.build().logs == 120
    assert late_items() == 0
    assert builder.build().logs == 0


@pytest.mark.parametrize(("number", "minutes"), [(19, 30), (20, 1)])
def test_few_or_unsettled_late_logs_are_kept(number: int, minutes: int) -> None:
    store_late_logs(number, minutes)
    assert builder.build().logs == 0
    assert late_items() == number
    assert [segment.logs for each in directories() for segment in each.segments] == [100]
