"""Searches with digests equal a brute-force search, whatever was built, late, deleted or killed."""

import json
import random
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from logs import cursor, reader
from logs.digests import builder, day_build, directory, erasure, segment_writer
from logs.filters import LogFilter, Order
from logs.json_path import PathFilter
from logs.models import LogItem, shard_status
from logs.plan import END, PageQuery, Position, make_plan
from logs.reading import digest_read, merge
from logs.reading.budget import Budget
from logs.reading.digest_read import DigestRead
from logs.reading.page import Page
from logs.storage import documents
from tests.digests import (
    Killed,
    directories,
    empty_digests_table,
    generations,
    killed_after,
    listed_generations,
    small_segments,
    store_late,
)
from tests.items import make_item, store
from tests.noise import noise

NOW = datetime.now(UTC).replace(microsecond=0)
# Words of several languages, with other forms of the same letters, JSON's special characters and emoji.
WORDS = [
    *(
        "Invoice",
        "payment",
        "STRASSE",
        "Straße",
        "straße",
        "Плащане",
        "отказано".upper(),
        "отказано",
        "İstanbul",
    ),
    *("istanbul", "ΟΔΟΣ", "οδος", "caf\u00e9", "cafe\u0301", "CAFÉ", "東京都庁", "東京", "paid 💶", "💶💶"),
    *('said "no"', "C:\\Temp", "a/b", "x", "ab", "100.0", "1e2", "null"),
]


def fold(text: str) -> str:
    """Return the text as the rule of the search folds it."""
    return unicodedata.normalize("NFC", text.casefold()).replace("i\u0307", "i")


def accent_forms(text: str) -> set[str]:
    """Return a text with its accents as they are, composed and decomposed."""
    return {text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)}


class World:
    """A table of random logs, their texts as their pages show them, and all that may happen to them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.shards = self.random.choice([1, 1, 2, 3, 8])
        self.texts: dict[str, list[str]] = {}
        self.items: dict[str, LogItem] = {}
        self._number = seed * 100_000
        # Few moments, so that many logs share one. If they are two, several chunks begin at the same one.
        start = (NOW - timedelta(days=4)).replace(hour=0, minute=0, second=0)
        seconds = [self.random.randrange(3 * 24 * 3600) for _ in range(39 if seed % 3 else 1)]
        self._moments = [start + timedelta(seconds=each) for each in [0, *seconds]]

    def make(self) -> LogItem:
        """Return a new log with a random text at a random moment."""
        self._number += 1
        url = f"/{self._words(2)}"
        fields: dict[str, Any] = {}
        texts = [url]
        match self.random.randrange(5):
            case 0:
                fields["payload"] = self._words(3)
                texts.append(fields["payload"])
            case 1 | 2:
                value = {self._words(1): self._words(4), "status": self._words(1)}
                is_ascii = self.random.random() < 0.5
                text = json.dumps(value, ensure_ascii=is_ascii, separators=(",", ":"))
                fields |= {"payload": text, "payload_type": self.random.choice(["json", "text"])}
                members = [f'"{name}": "{member}"' for name, member in value.items()]
                texts.append("{" + ",\n".join(members) + "}")
            case 3:
                extra = {"note": self._words(4)}
                fields["document"] = documents.pack({"extra": json.dumps(extra, ensure_ascii=False)})
                texts.append(f'{{"note": "{extra["note"]}"}}')
            case 4:
                long_text = " ".join(self._words(5) for _ in range(20))
                fields["document"] = documents.pack({"payload": long_text})
                texts.append(long_text)
        if self.random.random() < 0.3:
            fields["user_name"] = self._words(2)
            texts.append(fields["user_name"])
        if "payload" in fields or "document" in fields:
            fields["payload_size"] = 10
        if self.random.random() < 0.5:
            fields["expires_at"] = NOW + timedelta(days=self.random.choice([-1, 3, 9, 30]))
        item = make_item(
            self._number,
            url=url,
            created_at=self.random.choice(self._moments),
            account_id=self.random.choice(["7", "8", "_logsite"]),
            submitter_ip=self.random.choice(["10.0.0.1", "10.0.0.2", "10.0.0.3"]),
            **fields,
        )
        item.status = shard_status(item.id, self.shards)
        self.items[item.id], self.texts[item.id] = item, texts
        return item

    def _words(self, number: int) -> str:
        return " ".join(self.random.choice(WORDS) for _ in range(number))

    def happen(self) -> None:
        """Let one of many things happen."""
        match self.random.randrange(9):
            case 0 | 1:
                builder.build()
            case 2 | 3:
                for _ in range(self.random.randrange(1, 8)):
                    store_late(self.make())
            case 4:
                victim = self.random.choice(list(self.items))
                erasure.delete(victim)
                del self.items[victim]
            case 5:
                with suppress(Killed), killed_after(self.random.randrange(6)):
                    builder.build()
            case 6:
                self._age_a_segment()
            case 7:
                builder.build(NOW - timedelta(days=9), NOW, rebuild=self.random.random() < 0.5)
            case 8:
                late = self.random.choice(list(self.items.values()))
                store_late(late)  # redelivered

    def _age_a_segment(self) -> None:
        """Let a segment have the format of another version."""
        days = [each for each in directories() if each.segments]
        if days:
            day = self.random.choice(days).day

            def edit(current: directory.Directory) -> directory.Directory:
                first, *rest = current.segments
                return replace(current, segments=(replace(first, format="0"), *rest))

            directory.update(day, edit)

    def order(self, order: Order) -> list[str]:
        """Return the ids of all visible logs in the order of the listing without a text."""
        plan = make_plan(LogFilter(order=order), self.shards)
        page = reader.read_page(plan, None, 10_000)
        return [item.id for item in page.items]

    def expected(self, log_filter: LogFilter) -> list[str]:
        """Return the ids of the logs that match, by brute force."""
        return [log_id for log_id in self.order(log_filter.order) if self._matches(log_id, log_filter)]

    def _matches(self, log_id: str, log_filter: LogFilter) -> bool:
        item = self.items[log_id]
        return (
            (log_filter.q is None or any(fold(log_filter.q) in fold(text) for text in self.texts[log_id]))
            and (not log_filter.submitter_ip or item.submitter_ip in log_filter.submitter_ip)
            and (not log_filter.account_id or item.account_id in log_filter.account_id)
            and (
                log_filter.user_name is None
                or any(form in (item.user_name or "") for form in accent_forms(log_filter.user_name))
            )
            and (log_filter.start is None or item.created_at >= log_filter.start)
            and (log_filter.end is None or item.created_at < log_filter.end)
        )

    def filter(self) -> LogFilter:
        """Return a random filter."""
        rng = self.random
        log_filter = LogFilter(order=rng.choice(list(Order)))
        text = rng.choice(rng.choice(list(self.texts.values())))
        start = rng.randrange(len(text))
        needle = text[start : start + rng.randrange(1, 40)].strip() or "x"
        match rng.randrange(5):
            case 0 | 1:
                log_filter = replace(log_filter, q=rng.choice([needle, needle.upper(), rng.choice(WORDS)]))
            case 2:
                log_filter = replace(log_filter, submitter_ip=(rng.choice(["10.0.0.1", "10.0.0.2"]),))
            case 3:
                log_filter = replace(log_filter, q=needle, submitter_ip=("10.0.0.3",))
            case 4:
                word = rng.choice(WORDS)
                log_filter = replace(log_filter, user_name=rng.choice([word, word[1:] or "x"]))
        if rng.random() < 0.3:
            begin, end = sorted(rng.sample(self._moments, 2))
            if begin < end:
                log_filter = replace(log_filter, start=begin, end=end)
        return log_filter


@pytest.fixture
def tables(logs_table: None) -> Iterator[None]:
    """Empty both tables, and let segments be small."""
    empty_digests_table()
    with small_segments():
        yield
    empty_digests_table()


def walk(
    world: World, log_filter: LogFilter, limit: int, *, is_back: bool, happens: bool = False
) -> list[str]:
    """Return the ids of all pages in the filter's order. Each position passes through a cursor."""
    plan = make_plan(log_filter, world.shards)
    budget = Budget(examined=world.random.choice([20, 50_000]), payloads=world.random.choice([3, 2_000]))
    query = PageQuery(plan, END if is_back else None, limit)
    walked: list[str] = []
    for _ in range(2_000):
        result = reader.read(query, budget)
        if query.start and result.query.start is None:
            return walked[::-1]  # nothing was before the last page, so this is the first one again
        items = result.page.items
        walked += [item.id for item in (items[::-1] if is_back else items)]
        position: Position | None = result.page.previous if is_back else result.page.next
        if position is None:
            return walked[::-1] if is_back else walked
        if happens and world.random.random() < 0.3:
            builder.build(NOW - timedelta(days=9), NOW, rebuild=world.random.random() < 0.5)
        plan, start = cursor.resolve(cursor.encode(position, result.plan), plan)
        query = PageQuery(plan, start, limit)
    raise AssertionError("the walk did not end")


@pytest.mark.parametrize("seed", range(10))
def test_search_equals_brute_force(seed: int, tables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(seed)
    if seed % 2:
        # Windows end between chunks that begin at one moment.
        monkeypatch.setattr(digest_read, "FIRST_WINDOW", 20)
    monkeypatch.setenv("LOGS_SORTING_SHARDS", str(world.shards))
    store([world.make() for _ in range(world.random.randrange(20, 120) if seed % 3 else 150)])
    for _ in range(4):
        for _ in range(world.random.randrange(3)):
            world.happen()
        log_filter = world.filter()
        limit = world.random.choice([1, 3, 10, 50])
        expected = world.expected(log_filter)
        for is_back in (False, True):
            assert walk(world, log_filter, limit, is_back=is_back) == expected, log_filter
        happens = walk(world, log_filter, limit, is_back=False, happens=True)
        assert happens == expected, log_filter


@pytest.mark.parametrize("order", Order)
def test_spent_budget_repeats_no_late_log(order: Order, tables: None) -> None:
    start = (NOW - timedelta(days=2)).replace(hour=0, minute=0, second=0)
    # Many blocks share one moment.
    minutes = [*range(30), *[30] * 30]
    store(make_item(n, created_at=start + timedelta(minutes=each)) for n, each in enumerate(minutes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(day_build, "MAX_LOGS", 1_000)
        patch.setattr(segment_writer, "MAX_CHUNK_BLOCKS", 40)
        builder.build()
    for number, minute in enumerate((3, 9, 30)):
        store_late(make_item(900 + number, created_at=start + timedelta(minutes=minute)))
    plan = make_plan(LogFilter(q="login", order=order))
    query, walked = PageQuery(plan, None, 20), []
    for _ in range(100):
        page = reader.read(query, Budget(searched=1)).page
        walked += [item.id for item in page.items]
        if page.next is None:
            break
        query = PageQuery(plan, page.next, 20)
    expected = reader.read_page(make_plan(LogFilter(order=order)), None, 200).items
    assert walked == [item.id for item in expected]


def test_next_run_deletes_what_a_killed_builder_left(tables: None) -> None:
    store([make_item(number, created_at=NOW - timedelta(days=2, seconds=number)) for number in range(100)])
    for calls in range(40):
        with suppress(Killed), killed_after(calls):
            builder.build(NOW - timedelta(days=9), NOW, rebuild=True)
        builder.build()
        assert generations() == listed_generations()


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("late", [0, 120])
def test_value_in_one_moment_of_many_chunks_is_shown_once(
    order: Order, late: int, tables: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digest_read, "FIRST_WINDOW", 20)
    monkeypatch.setattr(merge, "first_page_size", lambda *_, **__: 5)
    start = NOW - timedelta(days=2)
    hours = [-1] * 10 + [0] * 130 + [1] * 10
    store(
        make_item(
            n,
            created_at=start + timedelta(hours=hour),
            submitter_ip="10.0.0.1" if n % 10 == 0 else "10.0.0.2",
        )
        for n, hour in enumerate(hours)
    )
    builder.build()
    for number in range(late):
        moment = start + timedelta(seconds=number)
        store_late(make_item(900 + number, created_at=moment, submitter_ip="10.0.0.1"))
    plan, position, walked = make_plan(LogFilter(submitter_ip=("10.0.0.1",), order=order)), None, []
    for _ in range(100):
        page = reader.read(PageQuery(plan, position, 20), Budget()).page
        walked += [item.id for item in page.items]
        position = page.next
        if position is None:
            break
    assert len(walked) == len(set(walked)) == 15 + late


def walk_pages(log_filter: LogFilter, budget: Budget) -> Iterator[Page]:
    """Yield the pages of a filter, each with its cost."""
    plan, position = make_plan(log_filter), None
    for _ in range(200):
        page = reader.read(PageQuery(plan, position, 20), budget).page
        yield page
        position = page.next
        if position is None:
            return


def test_large_logs_are_fetched_within_the_budget(tables: None) -> None:
    start = NOW - timedelta(days=2)
    for number in range(20):
        document = documents.pack({"payload": noise(30_000, seed=number)})
        make_item(
            number,
            created_at=start + timedelta(seconds=number),
            payload=None,
            document=document,
            payload_size=30_000,
        ).save()
    builder.build()
    pages = list(walk_pages(LogFilter(q="in"), Budget(payload_bytes=100_000)))
    assert sum(len(page.items) for page in pages) == 20
    assert all(page.cost.payload_bytes <= 130_000 for page in pages)


def test_spent_budget_reads_no_more_blocks(tables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "first_page_size", lambda *_, **__: 2)
    start = NOW - timedelta(days=2)
    store(
        make_item(n, created_at=start + timedelta(seconds=n), user_name="Ann Smith" if n % 9 == 0 else "Bob")
        for n in range(60)
    )
    builder.build()
    log_filter = LogFilter(user_name="Smith")
    monkeypatch.setattr(DigestRead, "_entries", lambda *_: pytest.fail("blocks were read"))
    pages = list(walk_pages(log_filter, Budget(searched=1)))
    assert sum(len(page.items) for page in pages) == 7


def test_path_filter_for_an_empty_text_reads_all_blocks(tables: None) -> None:
    start = NOW - timedelta(days=2)
    for number in range(10):
        payload = '["",1]' if number == 5 else '["a",1]'
        item = make_item(number, created_at=start + timedelta(seconds=number), payload=payload)
        item.payload_type, item.payload_size = "json", len(payload)
        item.save()
    builder.build()
    [page] = walk_pages(LogFilter(paths=(PathFilter("payload", "0", ("",)),)), Budget())
    assert [item.id for item in page.items] == [make_item(5).id]
