"""The write units that DynamoDB reports, for a limit."""

import time
from collections.abc import Callable
from typing import Any

from logs.storage import dynamodb, statements

OPERATIONS = {statements.OPERATION, "BatchWriteItem", "DeleteItem", "PutItem", "UpdateItem"}


def watch(report: Callable[[float], None]) -> None:
    """Call a function with the write units of each response of the shared client.

    DynamoDB omits those of statements that wrote nothing because the key exists. Each counts as one.
    """

    def after_call(model: Any, parsed: dict[str, Any], **_: Any) -> None:
        if model.name in OPERATIONS:
            failures = sum("Error" in each for each in parsed.get("Responses", ()))
            report(max(dynamodb.capacity_units(parsed), float(failures)))

    dynamodb.shared_connection().client.meta.events.register("after-call.dynamodb", after_call)


class Limit:
    """A token bucket: at most some write units per second, on average.

    It holds the units of one second. A request is sent if the bucket is not empty, and spends its units when
    DynamoDB has reported them, so the bucket may owe some.
    """

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._per_second = per_second
        self._clock, self._sleep = clock, sleep
        self._level = per_second
        self._updated = clock()

    def spend(self, units: float) -> None:
        """Take units out of the bucket."""
        self._level -= units

    def wait(self) -> None:
        """Wait until the bucket is not empty."""
        self._fill()
        while self._level <= 0:
            self._sleep(max(-self._level / self._per_second, 0.001))
            self._fill()

    def _fill(self) -> None:
        now = self._clock()
        self._level = min(self._per_second, self._level + (now - self._updated) * self._per_second)
        self._updated = now
