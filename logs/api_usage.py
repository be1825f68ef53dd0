"""The usage of the JSON API: reserved before a request reads, and settled afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from django.http import HttpRequest

from logs import conf
from logs.form_fields import MAX_LIMIT
from logs.pages.export import MAX_BYTES
from logs.reading.budget import Budget, Cost

# An eventually consistent read of 8 KB is one read unit:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
BYTES_PER_UNIT = 8192
ITEMS_PER_UNIT = 8  # in an index, at 1 KB each
# A rare text costs 5,050 read units per million logs.
SEARCHED_PER_UNIT = 200
# A log has at most 1 MiB, as SQS allows.
LOG_BOUND = Cost(examined=1, read_units=2**20 / BYTES_PER_UNIT)
# Counts of all values take 8 read units a day, and the directory one for a few days.
COUNTS_READ_UNITS = 5_000.0


@contextmanager
def metered(request: HttpRequest, bound: Cost) -> Iterator[Cost]:
    """Reserve the bound in the request's rate limit; settle the cost afterwards.

    The block adds to the cost that this yields. If it raises, the cost is unknown and the whole reservation
    counts.
    """
    auth = getattr(request, "auth", None)
    cost = Cost()
    if reserve := getattr(auth, "reserve", None):
        reserve(bound.examined, bound.read_units)
    yield cost
    if settle := getattr(auth, "settle", None):
        settle(cost.examined, cost.read_units)


def page_bound(*, with_payloads: bool = False) -> Cost:
    """Return the most that a page may cost, with the payloads of its rows."""
    budget = conf.budget()
    read_units = (
        budget.examined / ITEMS_PER_UNIT + budget.searched / SEARCHED_PER_UNIT + _payload_units(budget)
    )
    if with_payloads:
        read_units += _payload_units(rows_budget())
    return Cost(examined=budget.examined, read_units=read_units)


def rows_budget() -> Budget:
    """Return the budget of the payloads of a page's rows. A response holds no more bytes."""
    page = conf.budget()
    return replace(
        page, payloads=min(page.payloads, MAX_LIMIT), payload_bytes=min(page.payload_bytes, MAX_BYTES)
    )


def _payload_units(budget: Budget) -> float:
    return budget.payloads / 2 + budget.payload_bytes / BYTES_PER_UNIT


def counts_bound() -> Cost:
    """Return the most that counts may cost."""
    return _numbers_bound(conf.count_budget())


def groups_bound() -> Cost:
    """Return the most that groups may cost."""
    return _numbers_bound(conf.budget())


def _numbers_bound(budget: Budget) -> Cost:
    return Cost(examined=budget.examined, read_units=budget.examined / ITEMS_PER_UNIT + COUNTS_READ_UNITS)
