"""The time that an application passes: a naive datetime is local time, a text without offset is UTC."""

import os
import time
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest
from django.test import RequestFactory
from django.utils import timezone as django_timezone

from ingest import django
from ingest.testing import RecordingClient
from tests.factories import make_fields

SOFIA = zoneinfo.ZoneInfo("Europe/Sofia")


class NoOffset(tzinfo):
    """A time zone without an offset, so its times are naive."""

    def utcoffset(self, moment: datetime | None) -> None:
        return None

    dst = utcoffset

    def tzname(self, moment: datetime | None) -> None:
        return None


class OtherDatetime(datetime):
    """As in pandas, whose `astimezone` does not convert naive times."""

    def astimezone(self, zone: tzinfo | None = None) -> Any:
        raise TypeError("Cannot convert tz-naive Timestamp")


@pytest.fixture
def recording() -> RecordingClient:
    return RecordingClient()


@pytest.fixture(autouse=True)
def _sofia(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the system's time zone: two hours ahead of UTC, three in summer."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Sofia"
    time.tzset()
    yield
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def naive(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, fold=fold)  # type: ignore[arg-type]  # noqa: DTZ001  naive on purpose


CASES = [
    (naive(2026, 11, 23, 22, 44), "2026-11-23T20:44:00.000000+00:00"),
    (naive(2026, 7, 1, 12, 0, 0, 5), "2026-07-01T09:00:00.000005+00:00"),
    (naive(2026, 10, 25, 3, 30), "2026-10-25T00:30:00.000000+00:00"),  # twice on this day
    (naive(2026, 10, 25, 3, 30, fold=1), "2026-10-25T01:30:00.000000+00:00"),
    (naive(2026, 3, 29, 3, 30), "2026-03-29T01:30:00.000000+00:00"),  # skipped on this day
    (naive(2900, 1, 1, 2, 0, 0, 123457), "2900-01-01T00:00:00.123457+00:00"),
    (naive(1, 1, 1), "0001-01-01T00:00:00.000000+00:00"),
    (naive(9999, 12, 31, 23), "9999-12-31T23:00:00.000000+00:00"),
    (naive(2026, 11, 23, 22).replace(tzinfo=NoOffset()), "2026-11-23T20:00:00.000000+00:00"),
    (OtherDatetime(2026, 11, 23, 22), "2026-11-23T20:00:00.000000+00:00"),
    (date(2026, 11, 23), "2026-11-22T22:00:00.000000+00:00"),
    (datetime(2026, 11, 23, 22, tzinfo=UTC), "2026-11-23T22:00:00.000000+00:00"),
    (datetime(2026, 11, 23, 22, tzinfo=SOFIA), "2026-11-23T20:00:00.000000+00:00"),
    (datetime(2026, 11, 23, 22, tzinfo=timezone(timedelta(hours=-5))), "2026-11-24T03:00:00.000000+00:00"),
    (1764000000, "2025-11-24T16:00:00.000000+00:00"),
    (1764000000.25, "2025-11-24T16:00:00.250000+00:00"),
]


@pytest.mark.parametrize(("value", "expected"), CASES)
def test_naive_time_is_local_time(recording: RecordingClient, value: object, expected: str) -> None:
    recording.enqueue(**make_fields(created_at=value))
    recording.enqueue_many([make_fields(created_at=value)])
    assert [log["created_at"] for log in recording.logs] == [expected, expected]


@pytest.mark.parametrize("text", ["2026-11-23T22:44:00", "2026-11-23 22:44", "2026-11-23"])
def test_text_without_an_offset_stays_utc(recording: RecordingClient, text: str) -> None:
    recording.enqueue(**make_fields(created_at=text))
    assert recording.logs[0]["created_at"] == text


def test_naive_time_in_a_payload_stays_naive(recording: RecordingClient) -> None:
    moment = naive(2026, 11, 23, 22, 44)
    recording.enqueue(
        **make_fields(payload={"at": [moment]}, paid_at=moment, opened=OtherDatetime(2026, 1, 2))
    )
    assert recording.logs[0]["payload"] == {"at": ["2026-11-23T22:44:00.000000"]}
    assert recording.logs[0]["paid_at"] == "2026-11-23T22:44:00.000000"
    assert recording.logs[0]["opened"] == "2026-01-02T00:00:00.000000"


@pytest.mark.parametrize("value", [True, float("nan"), 1764000000000, -(10**20), [1], b"x", time.gmtime(0)])
def test_other_values_are_no_time(recording: RecordingClient, value: object) -> None:
    with pytest.raises(ValueError, match="created_at: must be an ISO 8601 time"):
        recording.enqueue(**make_fields(created_at=value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (naive(2026, 11, 23, 22, 44), "2026-11-23T13:44:00.000000+00:00"),
        (date(2026, 11, 23), "2026-11-22T15:00:00.000000+00:00"),
        (naive(1, 1, 1), "0001-01-01T00:00:00.000000+00:00"),
        (datetime(2026, 11, 23, 22, tzinfo=UTC), "2026-11-23T22:00:00.000000+00:00"),
        ("2026-11-23T22:44:00", "2026-11-23T22:44:00"),
    ],
)
def test_naive_time_is_in_djangos_current_zone(
    recording: RecordingClient, monkeypatch: pytest.MonkeyPatch, value: object, expected: str
) -> None:
    monkeypatch.setattr(django, "client", lambda: recording)
    with django_timezone.override("Asia/Tokyo"):
        django.log_request(
            RequestFactory().get("/"), type="visit", created_at=value, payload=naive(2026, 1, 1)
        )
    assert recording.logs[0]["created_at"] == expected
    assert recording.logs[0]["payload"] == "2026-01-01T00:00:00.000000"


def test_django_client_reads_times_in_djangos_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RecordingClient, "attach_zone", staticmethod(django.DjangoLogClient.attach_zone))
    client = RecordingClient()
    with django_timezone.override("Asia/Tokyo"):
        client.enqueue(**make_fields(created_at=naive(2026, 11, 23, 9)))
        client.enqueue_many([make_fields(created_at=naive(2026, 11, 23, 9))])
    assert [log["created_at"] for log in client.logs] == ["2026-11-23T00:00:00.000000+00:00"] * 2


def test_missing_time_is_now(recording: RecordingClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(django, "client", lambda: recording)
    django.log_request(RequestFactory().get("/"), type="visit", created_at=None)
    moment = datetime.fromisoformat(recording.logs[0]["created_at"])
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)
