"""Numbers in tests: compare them with a brute-force count."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, tzinfo

from logs.digests.moments import to_moment
from logs.filters import LogFilter
from logs.models import LogItem, is_own_account
from logs.pages.facets import FIELDS
from logs.pages.numbers import read_numbers
from logs.plan import make_plan
from logs.reading.count_result import Count, CountResult


def assert_numbers(
    items: Iterable[LogItem], log_filter: LogFilter, zone: tzinfo = UTC, shards: int = 1
) -> CountResult:
    """Return the numbers of a page. Raise AssertionError unless they agree with a count of all logs.

    Exact numbers equal it, and lower bounds are not greater.
    """
    result = read_numbers(make_plan(log_filter, shards), zone).result
    matching = [item for item in items if _matches(item, log_filter, result)]
    expected = Counter(result.bucket_of(to_moment(item.created_at)) for item in matching)
    by_type = Counter((result.bucket_of(to_moment(item.created_at)), item.type) for item in matching)
    assert sum(expected.values()) == len(matching)
    for moment, count in result.buckets.items():
        _compare(count, expected[moment])
        for type_ in result.types[moment].values:
            number, is_exact = result.types[moment].number(type_)
            _compare(Count(number, is_exact and count.is_exact), by_type[moment, type_])
    for field in FIELDS:
        numbers = Counter(getattr(item, field) or "" for item in matching)
        for value in numbers | result.values[field].values:
            _compare(result.value(field, value), numbers[value])
    return result


def _matches(item: LogItem, log_filter: LogFilter, result: CountResult) -> bool:
    return (
        not is_own_account(item.account_id)
        and result.start <= to_moment(item.created_at) < result.end
        and all(getattr(item, name) in value for name, value in log_filter.values.items())
    )


def _compare(count: Count, expected: int) -> None:
    assert count.number <= expected
    assert not count.is_exact or count.number == expected
