"""Walks with users, objects, several values and exclusions, compared with plain Python."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from logs.filters import LogFilter, Order
from logs.models import LogItem, shard_status
from logs.plan import make_plan
from logs.reader import read_around
from logs.reading.budget import Budget
from tests.conftest import empty_logs_table
from tests.items import START, make_item, store
from tests.oracle import assert_exact, matching
from tests.walks import all_ids, ids, walk, walk_back

SHARDS = 3
OBJECTS = [("invoice", "1"), ("invoice", "2"), ("user", "1:2"), (None, None)]
IPS = ["203.0.113.7", "2001:db8::7", None]


def make_logs() -> list[LogItem]:
    """Return logs of a few accounts, users and objects. Many share one time, and many lack a value."""
    chance = random.Random(13)
    items = []
    for number in range(120):
        object_type, object_id = chance.choice(OBJECTS)
        values = {
            "object_type": object_type,
            "object_id": object_id,
            "user_name": chance.choice(["Anna Petrova", "José", None]),
            "request_id": chance.choice(["r1", "r2", "r3", None]),
            "trace_id": chance.choice(["a" * 32, None]),
            "submitter_ip": chance.choice(IPS),
            "submitter_country": chance.choice(["Germany", "Bulgaria", "", None]),
            "submitter_city": chance.choice(["Washington, D.C.", "Sofia", None]),
        }
        items.append(
            make_item(
                number,
                account_id=chance.choice("789"),
                user_id=chance.choice("0123"),
                type=chance.choice(["login", "logout", "view"]),
                sub_type=chance.choice(["password", "token", ""]),
                status=shard_status(make_item(number).id, SHARDS),
                created_at=START + timedelta(seconds=chance.randrange(12)),
                **{name: value for name, value in values.items() if value is not None},
            )
        )
    return items


@pytest.fixture(scope="module")
def items(dynamodb_engine: str) -> Iterator[list[LogItem]]:
    """Store the logs once for all tests."""
    empty_logs_table()
    store(items := make_logs())
    yield items
    empty_logs_table()


FILTERS = {
    "user": LogFilter(user_id=("1",)),
    "users": LogFilter(user_id=("1", "3", "nobody")),
    "no_one": LogFilter(user_id=("0",)),
    "no_one_and_a_user": LogFilter(user_id=("0", "2")),
    "no_one_of_accounts": LogFilter(user_id=("0",), account_id=("7", "8")),
    "no_one_of_a_type": LogFilter(user_id=("0",), type=("login",)),
    "user_of_accounts_and_type": LogFilter(user_id=("1", "2"), account_id=("7", "9"), type=("login",)),
    "object": LogFilter(object=("invoice:1",)),
    "objects": LogFilter(object=("invoice:2", "user:1:2")),
    "object_of_an_account": LogFilter(object=("invoice:1",), account_id=("7",)),
    "object_and_no_one": LogFilter(object=("invoice:1", "invoice:2"), user_id=("0", "1")),
    "object_without_types": LogFilter(object=("invoice:1", "user:1:2"), not_type=("login", "view")),
    "without_type": LogFilter(not_type=("login",)),
    "without_types_of_accounts": LogFilter(account_id=("7", "8"), not_type=("login", "view")),
    "type_without_account": LogFilter(type=("login", "view"), not_account_id=("8",), not_type=("logout",)),
    "account_and_type_without_user": LogFilter(
        account_id=("7", "8"), type=("login", "view"), not_user_id=("0", "1")
    ),
    "user_without_subtype": LogFilter(user_id=("1", "2"), not_sub_type=("token",), not_user_id=("3",)),
    "without_missing_subtype": LogFilter(not_sub_type=("",)),
    "without_country": LogFilter(not_submitter_country=("Germany",)),
    "without_missing_country": LogFilter(not_submitter_country=("", "Germany")),
    "countries": LogFilter(submitter_country=("Germany", "Bulgaria")),
    "missing_country": LogFilter(submitter_country=("", "Bulgaria")),
    "city": LogFilter(submitter_city=("Washington, D.C.",)),
    "addresses": LogFilter(submitter_ip=("203.0.113.7", "2001:db8::7")),
    "missing_address": LogFilter(submitter_ip=("",)),
    "request": LogFilter(request_id=("r1",)),
    "requests_in_a_range": LogFilter(
        request_id=("r1", "r3"), start=START + timedelta(seconds=3), end=START + timedelta(seconds=9)
    ),
    "trace": LogFilter(trace_id=("a" * 32,)),
    "user_name": LogFilter(user_name="Petr"),
    "user_name_and_subtypes": LogFilter(user_name="Anna", sub_type=("password", "")),
}


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize(("order", "budget"), [(Order.NEWEST, Budget()), (Order.OLDEST, Budget(examined=20))])
def test_filter_yields_each_log_once_both_ways(
    name: str, order: Order, budget: Budget, items: list[LogItem]
) -> None:
    plan = make_plan(replace(FILTERS[name], order=order), SHARDS)
    expected = matching(items, plan.filter)
    assert 0 < len(expected) < len(items)

    forth = walk(plan, 7, budget=budget)

    assert_exact(forth, expected, order)
    back = walk_back(plan, 7, forth[-1].previous, budget)
    assert all_ids(back) + ids(forth[-1]) == all_ids(forth)


@pytest.mark.parametrize("name", ["users", "no_one", "objects", "object_of_an_account", "without_type"])
@pytest.mark.parametrize("is_matching", [True, False])
@pytest.mark.parametrize("order", list(Order))
def test_page_around_a_log_has_its_neighbours(
    name: str, is_matching: bool, order: Order, items: list[LogItem]
) -> None:
    plan = make_plan(replace(FILTERS[name], order=order), SHARDS)
    matches = matching(items, plan.filter)
    middle = (
        matches[len(matches) // 2] if is_matching else next(each for each in items if each not in matches)
    )

    page = read_around(plan, LogItem.get(middle.id), 9)

    around = ids(page)
    assert around.count(middle.id) == 1
    before = all_ids(walk_back(plan, 9, page.previous))
    after = all_ids(walk(plan, 9, page.next)) if page.next else []
    others = [log_id for log_id in before + around + after if log_id != middle.id]
    assert sorted(others) == sorted(each.id for each in matches if each.id != middle.id)
