"""Rate limit of warnings: an outage must not flood the application's log."""

import logging
import time
from dataclasses import dataclass

logger = logging.getLogger("ingest.client")

# Warnings of the same kind are logged at most this often.
WARNING_INTERVAL_SECONDS = 30.0


@dataclass(frozen=True)
class SendWarning:
    """A warning, to be logged after the lock is released.

    The application's log handler may call `enqueue` itself, which acquires the lock.
    """

    kind: str
    text: str


class RateLimitedLogger:
    """Logs at most one warning of each kind per WARNING_INTERVAL_SECONDS."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def log(self, warning: SendWarning) -> None:
        """Log a warning, unless one of its kind was logged recently."""
        now = time.monotonic()
        last = self._last.get(warning.kind)
        if last is None or now - last >= WARNING_INTERVAL_SECONDS:
            self._last[warning.kind] = now
            logger.warning("%s", warning.text)
