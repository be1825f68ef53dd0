"""Time zones by their names."""

from datetime import UTC, datetime

import pytest

from logs import zones


@pytest.mark.parametrize(
    ("text", "name", "label"),
    [
        ("UTC", "UTC", "UTC"),
        ("utc", "UTC", "UTC"),
        ("Europe/Berlin", "Europe/Berlin", "Berlin time"),
        (" europe/berlin ", "Europe/Berlin", "Berlin time"),
        ("berlin", "Europe/Berlin", "Berlin time"),
        ("New York", "America/New_York", "New York time"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires", "Buenos Aires time"),
    ],
)
def test_name_is_a_zone(text: str, name: str, label: str) -> None:
    zone = zones.parse(text)
    assert zones.name(zone) == name
    assert zones.label(zone) == label
    assert zones.parse(name) == zone


@pytest.mark.parametrize(
    "text", ["", "Europe", "Atlantis", "../etc/passwd", "/etc/localtime", "+02:00", "x\0", "a" * 9_999]
)
def test_other_text_is_no_zone(text: str) -> None:
    with pytest.raises(zones.UnknownZone):
        zones.parse(text)


@pytest.mark.parametrize(
    ("name", "offset"),
    [("UTC", "+0"), ("Europe/Berlin", "+1"), ("Asia/Kathmandu", "+5:45"), ("America/St_Johns", "-3:30")],
)
def test_offset_is_that_of_the_moment(name: str, offset: str) -> None:
    assert zones.offset(zones.parse(name), datetime(2026, 11, 24, tzinfo=UTC)) == offset
