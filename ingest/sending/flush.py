"""The flush protocol: a caller waits until the sender thread has sent everything."""

import threading
from collections.abc import Callable


class FlushRequests:
    """The callers that wait in `flush`.

    They wait for the condition of the sender thread. Its lock must be held for each method.
    """

    def __init__(self, condition: threading.Condition) -> None:
        self._condition = condition
        self._waiting = 0

    def __bool__(self) -> bool:
        """Return whether a caller waits, so that batches are sent without delay."""
        return self._waiting > 0

    def wait(self, is_idle: Callable[[], bool], timeout: float | None) -> bool:
        """Wait up to `timeout` seconds until `is_idle`. Return whether it is. None waits without a limit."""
        self._waiting += 1
        self._condition.notify_all()
        try:
            return self._condition.wait_for(is_idle, timeout)
        finally:
            self._waiting -= 1
