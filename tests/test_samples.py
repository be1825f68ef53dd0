"""The sample logs: realistic, valid, and the same each time."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from ingest import messages
from logs import times
from logsite.local.samples import samples

UNTIL = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def test_samples_have_unique_ids() -> None:
    logs = list(samples(5000, UNTIL))
    assert len({log["id"] for log in logs}) == len(logs) == 5000


def test_samples_are_the_same_for_any_count() -> None:
    first = list(samples(300, UNTIL))
    assert list(samples(300, UNTIL)) == first
    assert list(samples(600, UNTIL))[:300] == first


def test_samples_cover_the_last_30_days() -> None:
    moments = [times.parse(log["created_at"]) for log in samples(5000, UNTIL)]
    assert all(UNTIL - timedelta(days=30) <= moment < UNTIL for moment in moments)
    assert len({moment.date() for moment in moments}) >= 30
    assert max(moments) > UNTIL - timedelta(hours=2)


def test_samples_are_valid_messages() -> None:
    for log in samples(5000, UNTIL):
        messages.validate(log)


def test_samples_vary_in_type_account_and_payload() -> None:
    logs = list(samples(5000, UNTIL))
    types = Counter(log["type"] for log in logs)
    assert len(types) >= 10
    assert min(types.values()) >= 20
    assert len({log["account_id"] for log in logs}) >= 10
    assert any(log["user_id"] == 0 for log in logs)
    payload_types = {type(log.get("payload")) for log in logs}
    assert {dict, str, type(None)} <= payload_types


def test_samples_have_other_ids_for_another_time() -> None:
    first, other = (
        {log["id"] for log in samples(300, moment)} for moment in (UNTIL, UNTIL + timedelta(days=1))
    )
    assert not first & other


def test_samples_share_requests_and_have_histories() -> None:
    logs = list(samples(5000, UNTIL))
    requests = Counter(log["request_id"] for log in logs if "request_id" in log)
    histories = Counter((log["object_type"], log["object_id"]) for log in logs if "object_id" in log)
    assert sum(count == 3 for count in requests.values()) >= 50
    assert max(histories.values()) >= 10
    named = {(log["user_id"], log["user_name"]) for log in logs if log["user_id"]}
    assert len(named) == len({user for user, _ in named}) >= 30
