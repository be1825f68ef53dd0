"""Durations in words."""

from datetime import UTC, datetime, timedelta

import pytest

from logs.pages.durations import display_distance, display_duration

NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 seconds"),
        (1, "1 second"),
        (119, "1 minute"),
        (7 * 60, "7 minutes"),
        (3600, "1 hour"),
        (47 * 3600, "1 day"),
        (40 * 86400, "1 month"),
        (800 * 86400, "2 years"),
    ],
)
def test_duration_is_in_its_largest_unit(seconds: float, text: str) -> None:
    assert display_duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.9, "now"), (172800, "2 days ago"), (-180, "in 3 minutes")])
def test_distance_names_past_and_future(seconds: float, text: str) -> None:
    assert display_distance(NOW - timedelta(seconds=seconds), NOW) == text
