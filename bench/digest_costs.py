"""The cost of building digests, and of the runs of the builder.

Requests, units and bytes are counted, not timed. `tests/test_digest_costs.py` compares them with
docs/costs.md.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench.log_costs import make_item
from bench.meter import Meter, metered
from logs.digests import builder, day_build, state
from logs.digests.moments import day_of, day_start, to_moment, to_time
from logs.models import LogItem
from logs.pages.monthly_cost import READING, WRITING
from logs.storage import tables
from logs.storage.digest_items import DigestItem
from logs.storage.horizon import HORIZON
from logs.storage.item_size import OVERHEAD_BYTES, attributes_size
from logsite.local.samples import samples

# The smallest segment during a day, and how many logs wait for it on average.
SEGMENT_LOGS = day_build.MIN_LOGS
WAITING_LOGS = SEGMENT_LOGS // 2
SEGMENT = f"{SEGMENT_LOGS:,} sample logs in one segment"
IDLE, WAITING = "No new logs", f"{WAITING_LOGS:,} logs wait for a segment"
DAY = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class BuildCosts:
    """What digests of one segment cost: requests, units and stored bytes for one log."""

    requests: float
    read_units: float
    write_units: float
    stored_bytes: float

    @property
    def dollars_per_million(self) -> float:
        """Return the dollars of building the digests of a million logs, without storage."""
        return self.read_units * READING.price + self.write_units * WRITING.price

    def cells(self) -> list[str]:
        """Return the cells of a table."""
        return [
            *(f"{self.requests:.3f}", f"{self.read_units:.2f}", f"{self.write_units:.2f}"),
            *(f"{self.dollars_per_million:.2f}", f"{self.stored_bytes:,.0f}"),
        ]


def sample_items(
    count: int, start: datetime, interval: timedelta, until: datetime = DAY
) -> Iterator[LogItem]:
    """Yield the items of the sample logs before `until`, at other times."""
    for number, log in enumerate(samples(count, until)):
        item = make_item(log, number)
        item.created_at = start + number * interval
        yield item


def put(items: Iterable[LogItem]) -> None:
    """Write items into the table of logs."""
    with LogItem.batch_write() as batch:
        for item in items:
            batch.save(item)


def segment_costs() -> BuildCosts:
    """Return the costs of a segment of sample logs. Both tables must be empty."""
    put(sample_items(SEGMENT_LOGS, DAY, timedelta(days=1) / SEGMENT_LOGS))
    with metered() as meter:
        result = builder.build()
    if (result.logs, result.segments) != (SEGMENT_LOGS, 1):
        raise RuntimeError(f"the digests have {result.logs} logs in {result.segments} segments")
    return per_log(meter, SEGMENT_LOGS)


def per_log(meter: Meter, logs: int) -> BuildCosts:
    """Return the costs of one of some logs. The table has no other digests."""
    stored = sum(
        attributes_size(item.serialize()) + OVERHEAD_BYTES
        for item in DigestItem.scan()
        if item.partition != state.PARTITION
    )
    units = (meter.requests.total(), meter.read_units, meter.write_units, stored)
    return BuildCosts(*(each / logs for each in units))


def idle_run() -> Meter:
    """Return the cost of a run without new logs. Builds the digests of all others before."""
    builder.build()
    with metered() as meter:
        builder.build()
    return meter


def waiting_run() -> Meter:
    """Return the cost of a run while logs wait for a segment.

    It reads their entries in the index.
    """
    limit = to_moment(datetime.now(UTC)) - HORIZON // timedelta(microseconds=1)
    start = day_start(day_of(limit))
    interval = timedelta(microseconds=(limit - start) // (WAITING_LOGS + 1))
    put(sample_items(WAITING_LOGS, to_time(start), interval, DAY + timedelta(days=1)))
    return idle_run()


def run_cells(meter: Meter) -> list[str]:
    """Return the cells of a run of the builder."""
    requests = ", ".join(f"{number} {name}" for name, number in sorted(meter.requests.items()))
    return [requests, f"{meter.read_units:g}", f"{meter.write_units:g}"]


def main() -> None:
    """Print the tables of docs/costs.md. An engine must be running, without tables."""
    for model in (LogItem, DigestItem):
        tables.ensure(model)
    costs = segment_costs()
    runs = {IDLE: idle_run(), WAITING: waiting_run()}
    print("\n| for one log | requests | read units | write units | dollars per million | bytes |")
    print(f"|:---{'|---:' * 5}|\n| {' | '.join([SEGMENT, *costs.cells()])} |")
    print("\n| run of the builder | requests | read units | write units |\n|:---|:---|---:|---:|")
    for name, meter in runs.items():
        print(f"| {' | '.join([name, *run_cells(meter)])} |")
