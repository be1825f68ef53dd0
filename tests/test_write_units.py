"""Write units as DynamoDB reports them, and their limit."""

import pytest

from logs.models import LogItem
from logs.storage import dynamodb, item_size, write_units
from tests.items import make_item

pytestmark = pytest.mark.usefixtures("logs_table")


def test_watch_reports_the_units_of_writes() -> None:
    reported: list[float] = []
    write_units.watch(reported.append)
    item = make_item(1, object_type="invoice", object_id="1")
    raw = [dynamodb.serialize(item)]
    assert dynamodb.insert(LogItem, raw) == [None]
    LogItem.get(item.id)
    assert reported == [item_size.write_units(item)]
    assert dynamodb.insert(LogItem, raw) != [None]
    assert reported[1] >= 1


def test_limit_allows_its_units_per_second() -> None:
    now, sent = 100.0, 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    limit = write_units.Limit(50, clock=lambda: now, sleep=sleep)
    while True:
        limit.wait()
        if now >= 110:
            break
        limit.spend(7)
        sent += 7
    # The bucket was full at the beginning.
    assert 50 * 10 <= sent <= 50 * 11 + 7
    now += 1_000
    for _ in range(8):
        limit.wait()
        limit.spend(7)
    waited = now
    limit.wait()
    assert now > waited  # a pause fills the bucket for one second only
