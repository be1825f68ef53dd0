"""How many write units of the table compression saves, by the size from which payloads are compressed.

Counted, not timed: the sample logs, their payloads widened by a list of some lengths, as items in DynamoDB.
"""

import json
import math
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ingest import messages
from ingest.writing import items as writer
from logs.models import LogItem
from logsite.local.samples import samples

LOGS = 3_000
THRESHOLDS = (128, 256, 512, 768, 1024, 10**9)
LENGTHS = (1, 5, 10, 20, 40)
WRITE_UNIT_BYTES = 1024
SENT_AT = datetime(2026, 11, 23, tzinfo=UTC)


def bodies(length: int) -> Iterator[str]:
    """Give messages with a payload that holds a list of fewer than `length` entries."""
    chance = random.Random(1)  # noqa: S311  no secret
    for log in samples(LOGS, SENT_AT):
        if log.get("payload") is None:
            continue
        entries = [
            {
                "sku": f"{chance.getrandbits(32):08x}",
                "name": chance.choice(["chair", "table", "lamp"]),
                "price": chance.randrange(10_000) / 100,
            }
            for _ in range(chance.randrange(length))
        ]
        yield json.dumps({**log, "payload": {"request": log["payload"], "entries": entries}}, default=str)


def size(item: LogItem) -> int:
    """Count an item's bytes as DynamoDB does: names and values."""
    return size_of(item.serialize())


def size_of(attributes: Mapping[str, dict[str, Any]]) -> int:
    """Count the bytes of attributes as they are sent to DynamoDB."""
    return sum(len(name.encode()) + _size(value) for name, value in attributes.items())


def _size(value: dict[str, Any]) -> int:
    [(kind, held)] = value.items()
    if kind == "N":
        return len(held) // 2 + 1
    return len(held if kind == "B" else held.encode())


def main() -> None:
    """Print the mean write units of a log for each threshold."""
    envelope = messages.Envelope("m", "0" * 32, SENT_AT, "AIDAIENQZJOLO23YVJ4VO")
    used = writer.MAX_PAYLOAD_BYTES
    print("\nWrite units a log, without its indexes, by the payload size from which it is compressed")
    print(
        f"{'payload':>9}"
        + "".join(f"{threshold if threshold < 10**9 else 'never':>9}" for threshold in THRESHOLDS)
    )
    for length in LENGTHS:
        parsed = [messages.parse(body) for body in bodies(length)]
        mean = sum(len(writer.payload_text(message.payload)[0] or "") for message in parsed) / len(parsed)
        units = []
        for threshold in THRESHOLDS:
            writer.MAX_PAYLOAD_BYTES = threshold
            items = [writer.to_item(message, envelope) for message in parsed]
            units.append(sum(math.ceil(size(item) / WRITE_UNIT_BYTES) for item in items) / len(items))
        print(f"{mean:9.0f}" + "".join(f"{mean_units:9.3f}" for mean_units in units))
    writer.MAX_PAYLOAD_BYTES = used
