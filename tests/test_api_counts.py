"""`GET /api/logs/counts`: numbers by bucket and by value, and how certain they are."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from logs import times
from logs.digests import builder
from logs.models import ROW_ATTRIBUTES, LogItem
from logs.pages.count_schemas import MAX_VALUES
from logs.reading import count_scope
from logs.storage.horizon import HORIZON
from logsite.local.samples import samples
from tests.api import LOGS, fetch, problem, program
from tests.digests import built_logs, store_late
from tests.items import make_item, store

pytestmark = pytest.mark.usefixtures("digests_table")

COUNTS = f"{LOGS}/counts"
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
YESTERDAY = TODAY - timedelta(days=1)
DAY = timedelta(days=1)
RANGE = f"from={YESTERDAY:%Y-%m-%dT%H:%M:%S}&to={TODAY:%Y-%m-%dT%H:%M:%S}"


def exact(number: int) -> dict[str, Any]:
    return {"count": number, "status": "exact"}


SHOWN = {*ROW_ATTRIBUTES} - {"id", "created_at", "account_id", "user_id", "payload_size"}
UNAVAILABLE = {"count": None, "status": "unavailable"}


def test_counts_by_hour_are_exact() -> None:
    items = built_logs(150)
    answer = fetch(program(), f"{COUNTS}?{RANGE}")
    assert answer["bucket"] == "hour"
    assert len(answer["buckets"]) == 24
    assert answer["buckets"][0] == {"start": times.to_text(YESTERDAY), **exact(60)}
    assert [each["count"] for each in answer["buckets"][:4]] == [60, 60, 30, 0]
    assert all(each["status"] == "exact" for each in answer["buckets"])
    assert answer["total"] == exact(len(items))
    assert answer["fields"] == {"type": {"values": [{"value": "login", **exact(150)}], "rest": 0}}
    assert (answer["queries"], answer["examined"]) == (1, 0)


def test_counts_without_digests_are_exact_within_the_budget() -> None:
    store(make_item(n, created_at=YESTERDAY + timedelta(minutes=n)) for n in range(90))
    answer = fetch(program(), f"{COUNTS}?{RANGE}")
    assert [each["count"] for each in answer["buckets"][:3]] == [60, 30, 0]
    assert answer["total"] == exact(90)
    assert answer["examined"] == 90


def test_counts_over_the_budget_are_lower_bounds(settings: Any) -> None:
    settings.LOGS_MAX_EXAMINED = 50
    store(make_item(n, created_at=YESTERDAY + timedelta(minutes=n)) for n in range(90))
    answer = fetch(program(), f"{COUNTS}?{RANGE}")
    numbers = [(each["count"], each["status"]) for each in answer["buckets"][:3]]
    # The newest 50 of minutes 0 to 89 were read.
    assert numbers == [(20, "at_least"), (30, "exact"), (0, "exact")]
    assert answer["total"] == {"count": 50, "status": "at_least"}
    [value] = answer["fields"]["type"]["values"]
    assert value == {"value": "login", "count": 50, "status": "at_least"}
    assert answer["fields"]["type"]["rest"] is None


def test_bucket_without_a_counted_log_is_unavailable(settings: Any) -> None:
    settings.LOGS_MAX_EXAMINED = 50
    store(make_item(n, created_at=YESTERDAY + timedelta(minutes=2 * n)) for n in range(90))
    buckets = fetch(program(), f"{COUNTS}?{RANGE}")["buckets"]
    assert [(each["count"], each["status"]) for each in buckets[:3]] == [
        (None, "unavailable"),
        (20, "at_least"),
        (30, "exact"),
    ]


@pytest.mark.parametrize("query", ["q=path", "payload.status=paid", "q=path&account_id=7"])
def test_counts_of_a_text_are_unavailable(query: str) -> None:
    built_logs(20)
    answer = fetch(program(), f"{COUNTS}?{RANGE}&{query}")
    assert answer["total"] == UNAVAILABLE
    assert {each["status"] for each in answer["buckets"]} == {"unavailable"}
    assert answer["fields"] == {"type": {"values": [], "rest": None}}
    assert answer["read_units"] == 0


def various_logs() -> list[LogItem]:
    """Store and build logs with several values. Return those that tokens of the API may read."""
    items = [
        make_item(
            n,
            created_at=YESTERDAY - timedelta(days=n % 3) + timedelta(minutes=n),
            account_id=["7", "8", "9", "_logsite"][n % 4],
            type=["login", "update", "export"][n % 3],
            user_id=str(n % 5),
            sub_type=f"s{n % 2}",
            submitter_country="Japan" if n % 7 else "Germany",
        )
        for n in range(240)
    ]
    store(items)
    builder.build()
    return [item for item in items if item.account_id != "_logsite"]


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [
        ("account_id=7", "account_id", "7"),
        ("type=login", "type", "login"),
        ("user_id=3", "user_id", "3"),
        ("sub_type=s1", "sub_type", "s1"),
        ("submitter_country=Japan", "submitter_country", "Japan"),
    ],
)
def test_counts_of_a_filter_equal_its_logs(query: str, field: str, value: str) -> None:
    expected = sum(getattr(item, field) == value for item in various_logs())
    for bucket in ("hour", "day"):
        answer = fetch(program(), f"{COUNTS}?{query}&bucket={bucket}")
        assert answer["total"] == exact(expected)


def test_counts_of_fields_are_largest_first() -> None:
    items = various_logs()
    names = ("type", "sub_type", "account_id", "user_id")
    query = "&".join(f"fields={name}" for name in names)
    answer = fetch(program(), f"{COUNTS}?bucket=day&{query}")
    assert list(answer["fields"]) == list(names)
    for name in names:
        values = answer["fields"][name]["values"]
        numbers = [each["count"] for each in values]
        assert numbers == sorted(numbers, reverse=True)
        assert {each["value"]: each["count"] for each in values} == Counter(
            getattr(item, name) for item in items
        )
        assert answer["fields"][name]["rest"] == 0


def test_days_over_the_limit_are_lower_bounds(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(count_scope, "MAX_DAYS", 2)
    settings.LOGS_MAX_EXAMINED = 1
    store(make_item(n, created_at=YESTERDAY - n % 4 * DAY) for n in range(40))
    builder.build()
    buckets = fetch(program(), f"{COUNTS}?account_id=7&bucket=day&to={TODAY:%Y-%m-%d}T00:00")["buckets"]
    assert [each["status"] for each in buckets] == ["unavailable", "at_least", "exact", "exact"]
    assert [each["count"] for each in buckets] == [None, 1, 10, 10]


def test_smaller_values_of_a_field_are_the_rest() -> None:
    store(make_item(n, created_at=YESTERDAY + timedelta(minutes=n), user_id=str(n // 2)) for n in range(140))
    builder.build()
    field = fetch(program(), f"{COUNTS}?{RANGE}&bucket=day&fields=user_id")["fields"]["user_id"]
    assert len(field["values"]) == MAX_VALUES
    assert field["rest"] == 140 - 2 * MAX_VALUES


def test_counts_without_a_range_cover_all_logs() -> None:
    items = built_logs(5)
    old = make_item(99, created_at=TODAY - 10 * DAY)
    store_late(old)
    answer = fetch(program(), COUNTS)
    assert answer["bucket"] == "day"
    assert answer["buckets"][0]["start"] == times.to_text(TODAY - 10 * DAY)
    assert answer["total"] == exact(len(items) + 1)


def test_counts_of_an_empty_table_are_zero() -> None:
    answer = fetch(program(), COUNTS)
    assert (answer["buckets"], answer["total"]) == ([], exact(0))
    assert answer["fields"] == {"type": {"values": [], "rest": 0}}


def test_counts_of_own_accounts_need_a_superuser(superuser_client: Client) -> None:
    seen = various_logs()
    assert fetch(program(), COUNTS)["total"] == exact(len(seen))
    assert fetch(superuser_client, COUNTS)["total"] == exact(240)
    error = problem(program(), f"{COUNTS}?account_id=_logsite", 400)
    assert list(error["fields"]) == ["account_id"]


def test_counts_need_the_permission(staff_client: Client) -> None:
    problem(Client(), COUNTS, 401)
    problem(staff_client, COUNTS, 403)


@pytest.mark.parametrize(
    ("query", "parameter", "text"),
    [
        ("bucket=week", "bucket", "“week” is not a bucket: write hour or day."),
        (
            "fields=url",
            "fields",
            "“url” is not a counted field: write type, sub_type, account_id or user_id.",
        ),
        ("cursor=x", "cursor", "There is no filter “cursor”."),
        ("limit=5", "limit", "There is no filter “limit”."),
        ("order=oldest", "order", "There is no filter “order”."),
        ("account_id=", "account_id", "This is empty"),
        ("from=2026-02-01&to=2026-01-01", "to", "This must be after the beginning"),
        ("from=2020-01-01&bucket=hour", "bucket", "at most 2,000 are possible."),
        ("bucket=hour&bucket=day", "bucket", "This is given more than once"),
        ("case=1", "case", "This needs q"),
    ],
)
def test_wrong_parameter_is_an_error(query: str, parameter: str, text: str) -> None:
    error = problem(program(), f"{COUNTS}?{query}", 400)
    assert list(error["fields"]) == [parameter]
    assert text in error["fields"][parameter][0]


def test_final_slash_needs_no_redirect() -> None:
    assert fetch(program(), f"{COUNTS}/")["total"] == exact(0)
    assert program().post(COUNTS).status_code == 405


def test_samples_of_a_month_cost_two_requests() -> None:
    now = datetime.now(UTC)
    items = []
    for number, log in enumerate(samples(5_000, now)):
        fields = {name: str(log[name]) for name in SHOWN if name in log}
        account, user = str(log["account_id"]), str(log["user_id"])
        moment = times.parse(log["created_at"])
        items.append(make_item(number, created_at=moment, account_id=account, user_id=user, **fields))
    store(items)
    late = [item for item in items if item.created_at > now - timedelta(hours=1)]
    for item in late:
        store_late(item, written_at=now - 2 * HORIZON)
    builder.build()
    # Digests begin on the day of the oldest log.
    oldest = min(item.created_at for item in items)
    start = oldest.replace(hour=0, minute=0, second=0, microsecond=0)
    answer = fetch(program(), f"{COUNTS}?from={quote(times.to_text(start))}")
    assert answer["bucket"] == "day"
    expected = Counter((item.created_at - start) // DAY for item in items)
    assert [each["count"] for each in answer["buckets"]] == [
        expected[day] for day in range(len(answer["buckets"]))
    ]
    assert answer["total"] == exact(len(items))
    assert answer["queries"] <= 2
    assert answer["read_units"] <= 40
