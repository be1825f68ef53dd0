"""A deleted log leaves no text in any table, and no number in the counts."""

import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import boto3
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from logs import counter, reader
from logs.digests import builder, directory, erasure, state
from logs.filters import LogFilter
from logs.models import LogItem, PartItem
from logs.plan import PageQuery, make_plan
from logs.reading.budget import Budget
from logs.reading.count_result import Bucket
from logs.storage import documents, parts
from logs.storage.digest_items import DigestItem, DigestsTableMeta
from tests.digests import (
    YESTERDAY,
    Killed,
    before_request,
    built_logs,
    generations,
    kill,
    listed_generations,
    small_segments,
    store_late,
)
from tests.interleaving import interleave
from tests.items import logs, make_item
from tests.noise import noise
from tests.test_digests_unavailable import refused

pytestmark = pytest.mark.usefixtures("digests_table")

SECRET = "TopSecret4711"
DAY = timedelta(days=1)
OTHERS = 30


@pytest.fixture(autouse=True)
def wait_times(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the times that deletions wait for a builder at work. They do not wait."""
    waits: list[float] = []
    monkeypatch.setattr("logs.digests.erasure.time.sleep", waits.append)
    return waits


def contents() -> Iterator[str]:
    """Yield all texts of all tables, with decompressed binary values."""
    client = boto3.client("dynamodb")
    for table in client.list_tables()["TableNames"]:
        for page in client.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                for value in item.values():
                    yield from texts(value)


def texts(value: dict[str, Any]) -> Iterator[str]:
    for kind, content in value.items():
        if kind == "M":
            for member in content.values():
                yield from texts(member)
        elif kind == "B":
            yield content.decode(errors="replace")
            for start in (0, 1, documents.HEADER_BYTES, documents.HEADER_BYTES + 1):
                with suppress(zlib.error):
                    yield zlib.decompressobj().decompress(content[start:]).decode(errors="replace")
        else:
            yield str(content)


def assert_gone(text: str = SECRET) -> None:
    """Raise AssertionError if any item of any table contains a text, in any letter case."""
    assert not [content for content in contents() if text.lower() in content.lower()]


def search(text: str) -> list[str]:
    """Return the ids of the logs that contain a text."""
    page = reader.read(PageQuery(make_plan(LogFilter(q=text)), None, 200), Budget()).page
    return [item.id for item in page.items]


def assert_counted() -> None:
    """Raise AssertionError unless hours and days are counted exactly."""
    number = len(logs())
    for bucket in Bucket:
        result, _ = counter.counts(make_plan(LogFilter()), bucket, ("type", "account_id"))
        assert (result.total.number, result.total.is_exact) == (number, True)
    for fields in (("type",), ("type", "account_id")):
        result, _ = counter.counts(make_plan(LogFilter(account_id=("7",))), Bucket.DAY, fields)
        assert result.total.number == number


def delete(log_id: str) -> None:
    call_command("delete_log", log_id, interactive=False, stdout=StringIO())


def secret_log(number: int = 10, text: str = SECRET, **fields: Any) -> LogItem:
    """Return a log of yesterday with the text in its payload, between the others."""
    fields = {"payload": text, "payload_size": len(text), **fields}
    moment = YESTERDAY + timedelta(minutes=number, seconds=30)
    return make_item(1_000 + number, created_at=moment, **fields)


def packed(text: str) -> dict[str, Any]:
    """Return the fields of a log with a text in its document."""
    return {"payload": None, "document": documents.pack({"payload": text}), "payload_size": len(text)}


@pytest.mark.parametrize(
    "fields",
    [{}, packed(f"{SECRET} " * 200), packed(f"{SECRET} {noise(30_000)}"), packed(SECRET + noise(900_000))],
    ids=["small", "document", "large", "parts"],
)
def test_deleted_text_is_in_no_table(fields: dict[str, Any]) -> None:
    item = secret_log(**fields)
    if head := parts.save(item):
        item.document = head
    item.save()
    others = built_logs(OTHERS)
    assert search(SECRET) == [item.id]
    with pytest.raises(AssertionError):
        assert_gone()
    delete(item.id)
    assert_gone()
    assert not [each.id for each in PartItem.scan() if each.id.startswith(item.id)]
    assert search("path") == [each.id for each in reversed(others)]
    assert_counted()
    builder.build()
    assert_gone()
    assert generations() == listed_generations()


def test_deleted_late_log_is_in_no_table() -> None:
    built_logs(OTHERS)
    item = secret_log()
    store_late(item)
    assert search(SECRET) == [item.id]
    delete(item.id)
    assert_gone()
    assert not [each for each in DigestItem.scan() if item.id in each.sort]
    assert_counted()


def test_late_log_of_a_segment_without_logs() -> None:
    make_item(1, created_at=YESTERDAY).save()
    builder.build(YESTERDAY, YESTERDAY + DAY / 2, rebuild=True)
    builder.build()
    item = secret_log(20 * 60)
    store_late(item)
    assert_counted()
    delete(item.id)
    assert_gone()
    assert_counted()


def test_deleted_log_without_digests_yet() -> None:
    item = secret_log()
    item.save()
    delete(item.id)
    assert_gone()
    assert_counted()


def test_deleted_text_leaves_a_segment_of_another_format() -> None:
    item = secret_log()
    item.save()
    others = built_logs(OTHERS)

    def age(current: directory.Directory) -> directory.Directory:
        return replace(current, segments=tuple(replace(each, format="0") for each in current.segments))

    directory.update(YESTERDAY.date(), age)
    delete(item.id)
    assert_gone()
    builder.build()
    assert generations() == listed_generations()
    assert search("path") == [each.id for each in reversed(others)]
    assert_counted()


def test_deletion_drops_all_segments_of_another_format() -> None:
    with small_segments(30):
        built_logs(70)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(directory, "FORMAT", "0")
            delete(make_item(40).id)
        assert directory.read(YESTERDAY.date()).segments == ()
        assert_counted()
        builder.build()
        assert sum(each.logs for each in directory.read(YESTERDAY.date()).segments) == 69
    assert_counted()
    assert generations() == listed_generations()


def test_next_build_finishes_a_killed_deletion() -> None:
    items = [secret_log(number, f"secret {number} end") for number in range(40)]
    for item in items:
        item.save()
    built_logs(OTHERS)
    for number, item in enumerate(items):
        with before_request(number, kill):
            try:
                erasure.delete(item.id)
            except Killed:
                is_killed = True
            else:
                is_killed = False
        builder.build()
        is_stored = LogItem.count(item.id) > 0
        assert search(f"secret {number} end") == ([item.id] if is_stored else [])
        if is_stored:
            erasure.delete(item.id)
        else:
            assert_counted()
        assert_gone(f"secret {number} end")
        if not is_killed:
            break
    else:
        raise AssertionError("the deletion has more requests than the test has logs")
    builder.build()
    assert_counted()
    assert generations() == listed_generations()
    assert state.read()[1] == []


def test_deletion_while_a_segment_is_built() -> None:
    built_logs(5)
    for number in range(60):
        item = secret_log(number % 30)
        item.save()
        is_deleted = False

        def delete_now(item: LogItem = item) -> None:
            nonlocal is_deleted
            is_deleted = True
            erasure.delete(item.id)

        with before_request(number, delete_now):
            builder.build(YESTERDAY, YESTERDAY + DAY, rebuild=True)
        if not is_deleted:
            break
        assert_gone()
        builder.build()
        assert_gone()
        assert_counted()
    else:
        raise AssertionError("the build has more requests than the test expects")


def test_segment_that_is_built_during_a_deletion() -> None:
    built_logs(5)
    for number in range(40):
        item = secret_log(number)
        item.save()
        builder.build(YESTERDAY, YESTERDAY + DAY, rebuild=True)
        is_built = False

        def build_now() -> None:
            nonlocal is_built
            is_built = True
            builder.build(YESTERDAY, YESTERDAY + DAY, rebuild=True)

        with before_request(number, build_now):
            erasure.delete(item.id)
        assert_gone()
        assert search(SECRET) == []
        builder.build()
        assert_counted()
        if not is_built:
            break
    else:
        raise AssertionError("the deletion has more requests than the test expects")


def test_deletions_and_builders_at_the_same_time() -> None:
    built_logs(5)
    for seed in range(14):
        items = [secret_log(number) for number in (2 * seed, 2 * seed + 1)]
        for item in items:
            item.save()
        builder.build(YESTERDAY, YESTERDAY + DAY, rebuild=True)
        interleave(
            seed,
            partial(erasure.delete, items[0].id),
            partial(builder.build, YESTERDAY, YESTERDAY + DAY, rebuild=True),
            partial(erasure.delete, items[1].id) if seed % 2 else builder.build,
        )
        builder.build()
        if seed % 2 == 0:
            erasure.delete(items[1].id)
        assert_gone()
        assert_counted()


def test_deletion_deletes_the_items_of_a_builder_at_work(
    wait_times: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    built_logs(5)
    item = secret_log()
    item.save()
    generation = directory.new_generation(YESTERDAY.date())
    directory.update(YESTERDAY.date(), lambda current: current.with_pending(generation))

    def put(seconds: float) -> None:
        wait_times.append(seconds)
        if len(wait_times) < 4:
            DigestItem(generation, f"b{len(wait_times):06}", data=SECRET.encode()).save()

    put(0)
    monkeypatch.setattr("logs.digests.erasure.time.sleep", put)
    erasure.delete(item.id)
    assert_gone()
    assert len(wait_times) == 4


def test_deletion_without_the_table_of_digests() -> None:
    built_logs(5)
    item = secret_log()
    item.save()
    DigestItem.delete_table()
    try:
        delete(item.id)
        assert_gone()
    finally:
        DigestItem.create_table()


def test_deletion_with_digests_off() -> None:
    item = secret_log()
    item.save()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DigestsTableMeta, "table_name", "")
        delete(item.id)
    assert_gone()


def test_deletion_without_permission_keeps_the_log() -> None:
    item = secret_log()
    item.save()
    with (
        refused(DigestItem, "AccessDeniedException"),
        pytest.raises(CommandError, match="AccessDeniedException"),
    ):
        delete(item.id)
    assert LogItem.count(item.id) == 1


def test_interrupted_deletion_of_a_stored_log_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    item = secret_log()
    item.save()
    built_logs(5)
    monkeypatch.setattr(parts, "delete", lambda log_id: kill())
    with suppress(Killed):
        erasure.delete(item.id)
    builder.build()
    assert directory.read(YESTERDAY.date()).erasures
    assert_counted()
    monkeypatch.setattr(erasure, "MAX_DURATION", 0)
    builder.build()
    assert not directory.read(YESTERDAY.date()).erasures
    assert search(SECRET) == [item.id]
    assert_counted()
