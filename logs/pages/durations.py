"""How long something took, and how long ago it was, in words. No Django."""

from datetime import datetime, timedelta

SECOND = timedelta(seconds=1)
# Seconds and name of each unit.
UNITS = (
    (31_557_600, "year"),
    (2_629_800, "month"),
    (86_400, "day"),
    (3_600, "hour"),
    (60, "minute"),
    (1, "second"),
)


def display_duration(duration: timedelta) -> str:
    """Return a duration in its largest unit, rounded down: `7 minutes`."""
    seconds = int(abs(duration) / SECOND)
    size, name = next((unit for unit in UNITS if seconds >= unit[0]), UNITS[-1])
    number = seconds // size
    return f"{number} {name}{'' if number == 1 else 's'}"


def display_distance(moment: datetime, now: datetime) -> str:
    """Return how far a moment is from now, such as `2 days ago`."""
    if abs(now - moment) < SECOND:
        return "now"
    duration = display_duration(now - moment)
    return f"{duration} ago" if moment < now else f"in {duration}"
