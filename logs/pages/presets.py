"""Time ranges of one click. They are relative, so a bookmark means the same range tomorrow."""

from typing import NamedTuple


class Preset(NamedTuple):
    """A time range as text, and the text of its button."""

    text: str
    range: str


PRESETS = (
    Preset("15 min", "-15m"),
    Preset("1 h", "-1h"),
    Preset("24 h", "-24h"),
    Preset("7 days", "-7d"),
    Preset("30 days", "-30d"),
    Preset("Today", "today"),
    Preset("Yesterday", "yesterday"),
    Preset("This week", "this week"),
    Preset("Last month", "last month"),
)
