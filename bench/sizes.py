"""The write units that compression saves, by the threshold of the payload size.

They are those of the table without its indexes, and are counted, not timed. The logs are the samples, with a
list of some length added to each payload.
"""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime

from ingest import messages
from ingest.writing import items
from logs.storage.item_size import item_size, units
from logsite.local.samples import samples

LOGS = 3_000
THRESHOLDS = (128, 256, 512, 768, 1024, 10**9)
LENGTHS = (1, 5, 10, 20, 40)
SENT_AT = datetime(2026, 11, 23, tzinfo=UTC)


def bodies(length: int) -> Iterator[str]:
    """Yield bodies of messages whose payload contains a list of fewer than `length` entries."""
    chance = random.Random(1)  # noqa: S311  sample data is no secret
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


def main() -> None:
    """Print the mean write units per log for each threshold."""
    envelope = messages.Envelope("m", "0" * 32, SENT_AT, SENT_AT, "AIDAIENQZJOLO23YVJ4VO")
    print("\nWrite units per log without indexes, by the payload size above which it is compressed")
    print(
        f"{'payload':>9}"
        + "".join(f"{threshold if threshold < 10**9 else 'never':>9}" for threshold in THRESHOLDS)
    )
    for length in LENGTHS:
        parsed = [messages.parse(body) for body in bodies(length)]
        mean = sum(len(items.payload_text(message.payload)[0] or "") for message in parsed) / len(parsed)
        means = []
        for threshold in THRESHOLDS:
            sizes = [
                item_size(items.to_item(message, envelope, max_payload_bytes=threshold)) for message in parsed
            ]
            means.append(sum(map(units, sizes)) / len(sizes))
        print(f"{mean:9.0f}" + "".join(f"{mean_units:9.3f}" for mean_units in means))
