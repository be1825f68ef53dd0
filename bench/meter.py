"""The requests to DynamoDB, and the units that they consume."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from logs.storage import dynamodb

READS = {"BatchGetItem", "GetItem", "Query", "Scan"}


@dataclass
class Meter:
    """Requests by operation, read units and write units."""

    requests: Counter[str] = field(default_factory=Counter)
    read_units: float = 0.0
    write_units: float = 0.0

    def add(self, model: Any, parsed: dict[str, Any], **_: Any) -> None:
        """Count a response of botocore."""
        self.requests[model.name] += 1
        units = dynamodb.capacity_units(parsed)
        if model.name in READS:
            self.read_units += units
        else:
            self.write_units += units


@contextmanager
def metered() -> Iterator[Meter]:
    """Count the requests of PynamoDB's models within the block."""
    meter = Meter()
    events = dynamodb.shared_connection().client.meta.events
    events.register("after-call.dynamodb", meter.add)
    try:
        yield meter
    finally:
        events.unregister("after-call.dynamodb", meter.add)
