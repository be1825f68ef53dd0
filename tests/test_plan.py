"""The planner as a table of cases: index, keys, times and sentence."""

from datetime import UTC, datetime, timedelta

import pytest

from logs.filters import LogFilter, Order
from logs.index_choice import Stream
from logs.models import MAX_SHARDS
from logs.pages.sentence import sentence
from logs.plan import MICROSECOND, Direction, Key, Position, Span, make_plan
from logs.plan_error import plan_error
from logs.times import to_text

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
SECOND = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("log_filter", "stream", "words"),
    [
        (LogFilter(), Stream("SortingIndex", "OK"), "All logs, newest first."),
        (LogFilter(order=Order.OLDEST), Stream("SortingIndex", "OK"), "All logs, oldest first."),
        (LogFilter(account_id=("7",)), Stream("AccountIndex", "7"), "Logs of account 7, newest first."),
        (LogFilter(type=("login",)), Stream("TypeIndex", "login"), "Logs of type login, newest first."),
        (
            LogFilter(account_id=("7",), type=("login",)),
            Stream("AccountTypeIndex", "7#login"),
            "Logs of type login of account 7, newest first.",
        ),
        (
            LogFilter(account_id=("7",), type=("a#b",)),
            Stream("AccountTypeIndex", "7#a#b"),
            "Logs of type a#b of account 7, newest first.",
        ),
        (
            LogFilter(start=FIRST, end=SECOND),
            Stream("SortingIndex", "OK"),
            "All logs on 1 Nov 2026 (UTC), newest first.",
        ),
        (
            LogFilter(start=FIRST, end=SECOND + timedelta(minutes=90)),
            Stream("SortingIndex", "OK"),
            "All logs from 1 Nov 2026 00:00 to 2 Nov 2026 01:30 UTC, newest first.",
        ),
        (
            LogFilter(account_id=("7",), start=FIRST.replace(second=5, microsecond=250000)),
            Stream("AccountIndex", "7"),
            "Logs of account 7 from 1 Nov 2026 00:00:05.250000 UTC on, newest first.",
        ),
        (
            LogFilter(type=("login",), end=SECOND),
            Stream("TypeIndex", "login"),
            "Logs of type login before 2 Nov 2026 00:00 UTC, newest first.",
        ),
    ],
)
def test_filter_uses_the_narrowest_index_and_a_sentence(
    log_filter: LogFilter, stream: Stream, words: str
) -> None:
    plan = make_plan(log_filter)
    assert plan.streams == (stream,)
    assert sentence(plan) == words


def test_range_excludes_its_end() -> None:
    plan = make_plan(LogFilter(start=FIRST, end=SECOND))
    assert plan.low == FIRST
    assert plan.high == SECOND - timedelta(microseconds=1)


def test_range_that_ends_before_its_start_is_rejected() -> None:
    with pytest.raises(ValueError, match="ends at"):
        make_plan(LogFilter(start=SECOND, end=FIRST))


def test_fingerprint_differs_for_each_filter() -> None:
    filters = [
        LogFilter(),
        LogFilter(account_id=("7",)),
        LogFilter(type=("7",)),
        LogFilter(account_id=("7",), type=("login",)),
        LogFilter(start=FIRST),
        LogFilter(end=FIRST),
        LogFilter(order=Order.OLDEST),
    ]
    assert len({log_filter.fingerprint for log_filter in filters}) == len(filters)
    assert LogFilter(account_id=("7",)).fingerprint == LogFilter(account_id=("7",)).fingerprint


@pytest.mark.parametrize(
    ("log_filter", "streams", "words"),
    [
        (
            LogFilter(account_id=("7",), type=("login", "logout")),
            [Stream("AccountTypeIndex", "7#login"), Stream("AccountTypeIndex", "7#logout")],
            "Logs of type login or logout of account 7, newest first.",
        ),
        (
            LogFilter(account_id=("7", "8", "7")),
            [Stream("AccountIndex", "7"), Stream("AccountIndex", "8")],
            "Logs of account 7 or 8, newest first.",
        ),
        (
            LogFilter(type=("a", "b", "c"), sub_type=("12",), order=Order.OLDEST),
            [Stream("TypeIndex", "a"), Stream("TypeIndex", "b"), Stream("TypeIndex", "c")],
            "Logs of type a, b or c, oldest first, filtered by subtype 12.",
        ),
        (
            LogFilter(url="/pay", payload_size_min=5000, q="card"),
            [Stream("SortingIndex", "OK")],
            (
                "All logs, newest first, filtered by a URL with “/pay”, a payload of at least 5,000 bytes "
                "and “card” in any text."
            ),
        ),
    ],
)
def test_each_value_is_a_stream(log_filter: LogFilter, streams: list[Stream], words: str) -> None:
    plan = make_plan(log_filter)
    assert list(plan.streams) == streams
    assert sentence(plan) == words


def test_fingerprint_ignores_the_order_of_values() -> None:
    assert LogFilter(account_id=("7", "8")).fingerprint == LogFilter(account_id=("8", "7")).fingerprint


def at(seconds: int) -> datetime:
    return FIRST + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("order", "direction", "stream", "low", "high"),
    [
        # The cut is a log of stream "b" at second 5. Later times are after it.
        (Order.OLDEST, Direction.NEXT, "a", at(5) + MICROSECOND, None),
        (Order.OLDEST, Direction.NEXT, "c", at(5), None),
        (Order.OLDEST, Direction.PREVIOUS, "a", None, at(5)),
        (Order.OLDEST, Direction.PREVIOUS, "c", None, at(5) - MICROSECOND),
        # Newest first mirrors these cases.
        (Order.NEWEST, Direction.NEXT, "a", None, at(5)),
        (Order.NEWEST, Direction.NEXT, "c", None, at(5) - MICROSECOND),
        (Order.NEWEST, Direction.PREVIOUS, "a", at(5) + MICROSECOND, None),
        (Order.NEWEST, Direction.PREVIOUS, "c", at(5), None),
    ],
)
def test_cut_divides_every_stream(
    order: Order, direction: Direction, stream: str, low: datetime | None, high: datetime | None
) -> None:
    plan = make_plan(LogFilter(account_id=("a", "b", "c"), order=order))
    key = Key(to_text(at(5)), "0" * 32, "b")
    position = Position(direction, key)
    assert plan.span(Stream("AccountIndex", stream), position) == Span(low, high)
    assert plan.span(Stream("AccountIndex", "b"), position) == Span(None, None, key)


def test_stream_with_nothing_after_the_cut_is_not_read() -> None:
    plan = make_plan(LogFilter(account_id=("a", "b"), start=at(5), end=at(6), order=Order.NEWEST))
    cut = Position(Direction.NEXT, Key(to_text(at(5)), "0" * 32, "a"))
    assert plan.span(Stream("AccountIndex", "b"), cut) is None


@pytest.mark.parametrize("moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_span_accepts_the_first_and_last_datetime(moment: datetime) -> None:
    plan = make_plan(LogFilter(account_id=("a", "b", "c")))
    for direction in Direction:
        position = Position(direction, Key(to_text(moment), "0" * 32, "b"))
        for stream in plan.streams:
            plan.span(stream, position)


@pytest.mark.parametrize("shards", [1, 2, 49, MAX_SHARDS])
def test_shards_are_not_counted_as_combinations(shards: int) -> None:
    assert plan_error(LogFilter()) is None
    assert len(make_plan(LogFilter(), shards).streams) == (1 if shards == 1 else shards + 1)
    assert len(make_plan(LogFilter(account_id=values(50)), shards).streams) == 50


def values(count: int) -> tuple[str, ...]:
    return tuple(map(str, range(count)))


@pytest.mark.parametrize(
    ("log_filter", "parameters", "words"),
    [
        (LogFilter(account_id=values(51)), ("account_id",), "51 accounts make 51 combinations"),
        (LogFilter(type=values(60)), ("type",), "60 types make 60 combinations"),
        (
            LogFilter(type=tuple(f"\u00e9{n}" for n in range(26))),
            ("type",),
            "26 types with composed and decomposed accents make 52 combinations",
        ),
        (
            LogFilter(account_id=("7",), type=values(51)),
            ("type",),
            "1 account and 51 types make 51 combinations",
        ),
        (
            LogFilter(account_id=values(10), type=values(6)),
            ("account_id", "type"),
            "10 accounts and 6 types make 60 combinations",
        ),
        (LogFilter(start=SECOND, end=FIRST), ("to",), "the time range ends at"),
    ],
)
def test_plan_error_names_the_parameters(
    log_filter: LogFilter, parameters: tuple[str, ...], words: str
) -> None:
    error = plan_error(log_filter)
    assert error
    assert error.parameters == parameters
    assert words in error.text
