"""The write units, dollars and bytes of one log.

They are counted, not timed. `tests/test_log_costs.py` compares them with the engine's counts and with
docs/costs.md.
"""

import json
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from statistics import mean
from typing import Any

from ingest import messages
from ingest.wire.context_fields import MAX_ID_BYTES, MAX_SUMMARY_CHARACTERS
from ingest.wire.fields import MAX_KEY_BYTES
from ingest.writing import items
from logs.models import INDEXES, LogItem
from logs.pages.monthly_cost import WRITING
from logs.storage.item_size import index_sizes, item_size, stored_bytes, write_units
from logsite.local.samples import samples

SENT_AT = datetime(2026, 11, 23, tzinfo=UTC)
SAMPLES = 500

AVERAGE = f"A usual one ({SAMPLES} samples, mean)"
LARGEST = f"The largest of {SAMPLES} samples"
_NO_OBJECT = {"object_type": None, "object_id": None}
_CONTEXT = {
    "summary": "s" * MAX_SUMMARY_CHARACTERS,
    "submitter_ip": "2001:db8:1111:2222:3333:4444:5555:6666",
    "trace_id": "a" * 32,
    **dict.fromkeys(items.NAMES, "n" * items.MAX_NAME_BYTES),
    **dict.fromkeys(("request_id", "object_type", "object_id"), "i" * MAX_ID_BYTES),
}
_TEXTS = (
    *("sub_type", "url", "submitter_id", "submitter_agent"),
    *("submitter_country", "submitter_city", "submitter_platform", "submitter_browser"),
)
# By the name of a row: the fields that differ from the first sample.
KINDS: dict[str, dict[str, Any]] = {
    "A log of no one, without an object": {"user_id": 0, **_NO_OBJECT},
    "A log of a user": _NO_OBJECT,
    "A log of a user about an object": {"object_type": "invoice", "object_id": 4711},
    "Every field of the context at its limit": _CONTEXT,
    "Every field at its limit": {
        **_CONTEXT,
        **dict.fromkeys(("account_id", "user_id", "type"), "k" * MAX_KEY_BYTES),
        **dict.fromkeys(_TEXTS, "t" * items.MAX_TEXT_BYTES),
        "payload": "p" * items.MAX_PAYLOAD_BYTES,
    },
}
NOISE = {f"A payload of {length:,} bytes of noise": length for length in (1_000, 5_000, 100_000)}


def make_item(log: dict[str, Any], number: int = 1) -> LogItem:
    """Return the item of a log."""
    envelope = messages.Envelope("m", f"{number:032x}", SENT_AT, SENT_AT, "AIDAIENQZJOLO23YVJ4VO")
    return items.to_item(messages.parse(json.dumps(log, default=str)), envelope)


def sample_items() -> list[LogItem]:
    """Return the items of the sample logs."""
    return [make_item(log, number) for number, log in enumerate(samples(SAMPLES, SENT_AT))]


def kind_item(kind: str) -> LogItem:
    """Return the item of a row of KINDS or NOISE."""
    [log] = samples(1, SENT_AT)
    return make_item(log | (KINDS[kind] if kind in KINDS else {"payload": _noise(NOISE[kind])}))


def _noise(length: int) -> str:
    generator = random.Random(1)  # noqa: S311  sample data is no secret
    return "".join(generator.choice("abcdefghij klmn {}:,0123456789") for _ in range(length))


def cost_cells(log_items: Iterable[LogItem]) -> list[str]:
    """Return the mean costs of logs as texts.

    They are write units, dollars per million logs, bytes, and bytes with the indexes.
    """
    columns = zip(
        *((write_units(item), item_size(item), stored_bytes(item)) for item in log_items), strict=True
    )
    units, size, stored = map(mean, columns)
    return [f"{units:g}", f"{units * WRITING.price:.3f}", f"{size:,.0f}", f"{stored:,.0f}"]


def index_cells(log_items: Iterable[LogItem], *, largest: bool = False) -> list[str]:
    """Return the mean or most bytes of an entry in each index, as texts."""
    all_sizes = [index_sizes(item) for item in log_items]
    combine = max if largest else mean
    return [f"{combine([sizes[name] for sizes in all_sizes if name in sizes]):,.0f}" for name in INDEXES]


def cost_rows() -> Iterator[list[str]]:
    """Yield the rows of the table of costs."""
    yield [AVERAGE, *cost_cells(sample_items())]
    for kind in (*KINDS, *NOISE):
        yield [kind, *cost_cells([kind_item(kind)])]


def index_rows() -> Iterator[list[str]]:
    """Yield the rows of the table of bytes in each index."""
    log_items = sample_items()
    yield [AVERAGE, *index_cells(log_items)]
    yield [LARGEST, *index_cells(log_items, largest=True)]
    for kind in list(KINDS)[-2:]:
        yield [kind, *index_cells([kind_item(kind)])]


def main() -> None:
    """Print the two tables of docs/costs.md."""
    titles = ["write units", "dollars per million", "item, bytes", "with its indexes, bytes"]
    for names, table in ((titles, cost_rows()), (list(INDEXES), index_rows())):
        print(f"\n| log | {' | '.join(names)} |\n|:---{'|---:' * len(names)}|")
        for cells in table:
            print(f"| {' | '.join(cells)} |")
