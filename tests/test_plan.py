"""The planner as a table of cases: which index, which key, which times, which words."""

from datetime import UTC, datetime, timedelta

import pytest

from logs.plan import LogFilter, Order, Stream, make_plan

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
SECOND = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "stream", "sentence"),
    [
        (LogFilter(), Stream("SortingIndex", "OK"), "All logs, newest first."),
        (LogFilter(order=Order.OLDEST), Stream("SortingIndex", "OK"), "All logs, oldest first."),
        (LogFilter(account_id="7"), Stream("AccountIndex", "7"), "Logs of account 7, newest first."),
        (LogFilter(type="login"), Stream("TypeIndex", "login"), "Logs of type login, newest first."),
        (
            LogFilter(account_id="7", type="login"),
            Stream("AccountTypeIndex", "7#login"),
            "Logs of type login of account 7, newest first.",
        ),
        (
            LogFilter(account_id="7", type="a#b"),
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
            LogFilter(account_id="7", start=FIRST.replace(second=5, microsecond=250000)),
            Stream("AccountIndex", "7"),
            "Logs of account 7 from 1 Nov 2026 00:00:05.250000 UTC on, newest first.",
        ),
        (
            LogFilter(type="login", end=SECOND),
            Stream("TypeIndex", "login"),
            "Logs of type login before 2 Nov 2026 00:00 UTC, newest first.",
        ),
    ],
)
def test_a_filter_becomes_the_narrowest_query_and_a_sentence(
    asked: LogFilter, stream: Stream, sentence: str
) -> None:
    plan = make_plan(asked)
    assert plan.stream == stream
    assert plan.sentence() == sentence


def test_the_end_of_a_range_is_not_in_it() -> None:
    plan = make_plan(LogFilter(start=FIRST, end=SECOND))
    assert plan.low == FIRST
    assert plan.high == SECOND - timedelta(microseconds=1)


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends at"):
        make_plan(LogFilter(start=SECOND, end=FIRST))


def test_every_difference_in_a_filter_is_one_in_its_fingerprint() -> None:
    filters = [
        LogFilter(),
        LogFilter(account_id="7"),
        LogFilter(type="7"),
        LogFilter(account_id="7", type="login"),
        LogFilter(start=FIRST),
        LogFilter(end=FIRST),
        LogFilter(order=Order.OLDEST),
    ]
    assert len({asked.fingerprint for asked in filters}) == len(filters)
    assert LogFilter(account_id="7").fingerprint == LogFilter(account_id="7").fingerprint
