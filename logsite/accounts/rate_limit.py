"""The rate limits of the JSON API: usage per minute, in DynamoDB.

The usage is that of a token, or of a user with all sessions. A request reserves the most that it may read,
and gives the rest back afterwards. Each is one UpdateItem, and the reservation is conditional. Parallel
requests therefore exceed a limit by one reservation at most.
"""

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings

from logsite.accounts.store import UsageItem, conditional_write

WINDOW_SECONDS = 60


class RateLimitExceeded(Exception):
    """One of the limits is exceeded. `seconds` is the time until the next minute."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"The rate limit is exceeded. Retry after {seconds} s.")
        self.seconds = seconds


@dataclass(frozen=True)
class Reservation:
    """Items and read units that a request may use in a minute."""

    key: str
    expires_at: datetime
    examined: int
    read_units: float

    def settle(self, examined: int, read_units: float) -> None:
        """Replace the reserved usage by the actual one. Costs one UpdateItem."""
        UsageItem(self.key).update(
            [
                UsageItem.examined.add(examined - self.examined),
                UsageItem.read_units.add(read_units - self.read_units),
                UsageItem.expires_at.set(self.expires_at),
            ]
        )


def reserve(name: str, examined: int, read_units: float) -> Reservation:
    """Count a request and reserve its usage. Raise RateLimitExceeded. Costs one UpdateItem."""
    now = _now()
    minute = int(now // WINDOW_SECONDS)
    expires_at = datetime.fromtimestamp((minute + 2) * WINDOW_SECONDS, UTC)
    reservation = Reservation(f"{name}#{minute}", expires_at, examined, read_units)
    seconds_left = int(WINDOW_SECONDS - now % WINDOW_SECONDS) + 1
    is_first = UsageItem.requests.does_not_exist()
    has_room = (
        (UsageItem.requests < settings.LOGS_API_REQUESTS_PER_MINUTE)
        & (UsageItem.examined < settings.LOGS_API_EXAMINED_PER_MINUTE)
        & (UsageItem.read_units < settings.LOGS_API_READ_UNITS_PER_MINUTE)
    )
    with conditional_write(RateLimitExceeded(seconds_left)):
        UsageItem(reservation.key).update(
            [
                UsageItem.requests.add(1),
                UsageItem.examined.add(examined),
                UsageItem.read_units.add(read_units),
                UsageItem.expires_at.set(expires_at),
            ],
            is_first | has_room,
        )
    return reservation


def user_name(username: str) -> str:
    """Return the name under which a user's requests count. No token has it."""
    return f"user#{hashlib.sha256(username.encode()).hexdigest()}"


def _now() -> float:
    return time.time()
