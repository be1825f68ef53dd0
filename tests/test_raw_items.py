"""A log from a raw item equals PynamoDB's."""

from datetime import UTC, datetime

from bench.log_costs import KINDS, kind_item, sample_items
from logs.models import ROW_ATTRIBUTES, LogItem
from logs.storage.raw_items import is_expired, row_texts, stored_texts, to_log


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


def test_row_texts_are_those_of_the_attributes() -> None:
    for item in [*sample_items()[:20], *map(kind_item, KINDS)]:
        raw = item.serialize()
        texts = dict(zip(ROW_ATTRIBUTES, row_texts(to_log(raw), ROW_ATTRIBUTES), strict=True))
        values = {name: getattr(item, name) for name in ROW_ATTRIBUTES}
        assert texts.pop("created_at") == raw["created_at"]["S"]
        assert texts == {name: None if (value := values[name]) is None else str(value) for name in texts}
        assert row_texts(item, ROW_ATTRIBUTES[1:]) == list(texts.values())


def test_stored_texts_are_those_of_the_model() -> None:
    for item in [*sample_items()[:20], *map(kind_item, KINDS)]:
        raw = item.serialize()
        expected = {name: value["S"] for name, value in raw.items() if "S" in value}
        expected |= {name: value["S"] for name, value in raw.get("context", {}).get("M", {}).items()}
        assert stored_texts(to_log(raw)) == stored_texts(item) == expected


def test_no_unknown_attribute_replaces_a_stored_text() -> None:
    raw = kind_item("A log of a user").serialize()
    expected = stored_texts(to_log(raw))
    context = {**raw["context"]["M"], "id": {"S": "x"}, "type": {"S": "x"}, "summary": {"NULL": True}}

    texts = stored_texts(to_log({**raw, "user_name": {"S": "x"}, "context": {"M": context}}))

    assert texts == {name: text for name, text in expected.items() if name != "summary"}


def test_raw_item_expires_at_its_time() -> None:
    raw = {"id": {"S": "0"}, "expires_at": {"N": "1800000000"}}
    assert [is_expired(raw, now) for now in (1799999999.9, 1800000000.0)] == [False, True]
    assert not is_expired({"expires_at": {"NULL": True}}, 1800000000.0)
