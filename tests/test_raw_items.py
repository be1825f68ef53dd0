"""A log from a raw item equals PynamoDB's."""

from datetime import UTC, datetime

from bench.log_costs import KINDS, kind_item, sample_items
from logs.models import LogItem
from logs.storage.raw_items import to_log


def test_log_of_a_raw_item_equals_that_of_pynamodb() -> None:
    changed = kind_item("A log of no one, without an object")
    changed.expires_at = changed.first_sent_at = datetime(2026, 11, 26, tzinfo=UTC)
    changed.document = b"\0z"
    for item in [*sample_items()[:50], *map(kind_item, KINDS), changed]:
        raw = item.serialize()
        log = to_log(raw)
        assert log.serialize() == raw
        assert log.attribute_values.keys() == LogItem.from_raw_data(item.serialize()).attribute_values.keys()


def test_raw_item_may_have_nulls_and_unknown_attributes() -> None:
    raw = kind_item("A log of a user").serialize()
    nulls = {"payload": {"NULL": True}, "document": {"NULL": True}, "context": {"NULL": True}}

    log = to_log({**raw, **nulls, "later": {"S": "x"}})

    assert not log.attribute_values.keys() & {*nulls, "later"}
    assert log.summary is None
    assert log.id == raw["id"]["S"]
