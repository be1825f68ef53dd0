"""The cost of a month, by the prices and the arithmetic of docs/costs.md. No Django."""

from collections.abc import Iterator
from dataclasses import dataclass

from logs.storage.item_size import OVERHEAD_BYTES

MILLION = 1_000_000
GIGABYTE = 1_000_000_000


@dataclass(frozen=True)
class Price:
    """The dollars for one unit."""

    unit: str
    price: float


# Those of us-east-1, without the free tiers. docs/costs.md links their pages.
PRICES_OF = "us-east-1, November 2026"
WRITING = Price("million write units", 0.625)
READING = Price("million read units", 0.125)
STORAGE = Price("GB", 0.25)
RECOVERY = Price("GB", 0.20)
SQS = Price("million requests", 0.40)
INVOCATIONS = Price("million invocations", 0.20)
LAMBDA = Price("GB-seconds", 0.0000166667)
API_GATEWAY = Price("million requests", 3.50)
LOG_LINES = Price("GB", 0.50)
METRICS = Price("metrics", 0.30)
ALARMS = Price("metrics", 0.10)
DASHBOARDS = Price("dashboard", 3.00)

DAYS = 30
# SQS charges to send, to receive and to delete a message.
REQUESTS = 3
# Lambda polls an empty queue by so many pollers, for 20 s each.
POLLS_PER_MONTH = 5 * DAYS * 24 * 3600 / 20
# Assumed: memory, seconds and log lines of the writer, and what a page of the site takes.
WRITER_GB, WRITER_SECONDS, WRITER_LINE_BYTES = 0.5, 0.1, 1_200
PAGES_PER_MONTH, PAGE_GB, PAGE_SECONDS, PAGE_UNITS = 10_000, 1, 0.2, 6
WRITER_METRICS, WATCHED_METRICS = 6, 26
# Of digests: runs of the builder, units and bytes of a log, units of a run, and the builder's assumed time.
RUNS_PER_MONTH = DAYS * 24 * 12
DIGEST_READ_UNITS, DIGEST_WRITE_UNITS, DIGEST_BYTES = 0.56, 0.26, 257
RUN_READ_UNITS, RUN_WRITE_UNITS, RUN_GB, RUN_SECONDS = 63, 1, 0.5, 1
BUILDER_METRICS = 4


@dataclass(frozen=True)
class Month:
    """The logs of a month of 30 days, or of a part of it.

    `part` is the part that has passed.
    `logs` is how many were written, `stored` how many are kept. The bytes and units are those of one log, as
    in `item_size.Sizes`. `batch` is how many logs a request to SQS has, and an invocation of the writer.
    """

    logs: float
    stored: float
    item_bytes: float
    stored_bytes: float
    write_units: float
    part: float = 1
    batch: int = 1
    writer_seconds: float = WRITER_SECONDS


@dataclass(frozen=True)
class Line:
    """A line of the bill: a quantity and its price."""

    text: str
    quantity: float
    price: Price

    @property
    def dollars(self) -> float:
        """Return the dollars, in cents as the lines are added."""
        return round(self.quantity * self.price.price, 2)


def total(lines: list[Line]) -> float:
    """Return the dollars of all lines together."""
    return round(sum(line.dollars for line in lines), 2)


def log_lines(month: Month) -> Iterator[Line]:
    """Yield the lines of a month without digests."""
    units, recovered = month.write_units, month.item_bytes + OVERHEAD_BYTES
    calls = month.logs / month.batch
    pages = PAGES_PER_MONTH * month.part
    yield Line(f"DynamoDB: writing ({units:.4g} units a log)", month.logs * units / MILLION, WRITING)
    yield Line(
        f"DynamoDB: keeping {month.stored:,.0f} logs ({month.stored_bytes:,.0f} bytes a log)",
        month.stored * month.stored_bytes / GIGABYTE * month.part,
        STORAGE,
    )
    yield Line(
        f"DynamoDB: point-in-time recovery of the table ({recovered:,.0f} bytes a log)",
        month.stored * recovered / GIGABYTE * month.part,
        RECOVERY,
    )
    yield Line("SQS: a request to send, to receive and to delete each log", REQUESTS * calls / MILLION, SQS)
    yield Line("SQS: Lambda polls an empty queue", POLLS_PER_MONTH * month.part / MILLION, SQS)
    yield Line("Lambda: invocations of the writer", calls / MILLION, INVOCATIONS)
    yield Line("Lambda: the writer's time (assumed)", calls * WRITER_GB * month.writer_seconds, LAMBDA)
    yield Line("CloudWatch: log lines (assumed)", calls * WRITER_LINE_BYTES / GIGABYTE, LOG_LINES)
    yield Line("CloudWatch: the writer's own metrics", WRITER_METRICS * month.part, METRICS)
    yield Line("CloudWatch: metrics that alarms watch", WATCHED_METRICS * month.part, ALARMS)
    yield Line("CloudWatch: the dashboard", month.part, DASHBOARDS)
    yield Line("The site: pages through API Gateway (assumed)", pages / MILLION, API_GATEWAY)
    yield Line("The site: pages on Lambda (assumed)", pages * PAGE_GB * PAGE_SECONDS, LAMBDA)
    yield Line("The site: pages of DynamoDB (assumed)", pages * PAGE_UNITS / MILLION, READING)


def digest_lines(month: Month) -> Iterator[Line]:
    """Yield the further lines of a month with digests."""
    runs = RUNS_PER_MONTH * month.part
    yield Line("Digests: reading each log once", month.logs * DIGEST_READ_UNITS / MILLION, READING)
    yield Line("Digests: the runs' own reads", runs * RUN_READ_UNITS / MILLION, READING)
    yield Line("Digests: writing", month.logs * DIGEST_WRITE_UNITS / MILLION, WRITING)
    yield Line("Digests: the runs' own writes", runs * RUN_WRITE_UNITS / MILLION, WRITING)
    yield Line("Digests: keeping", month.stored * DIGEST_BYTES / GIGABYTE * month.part, STORAGE)
    yield Line("Digests: invocations of the builder", runs / MILLION, INVOCATIONS)
    yield Line("Digests: the builder's time (assumed)", runs * RUN_GB * RUN_SECONDS, LAMBDA)
    yield Line("Digests: the builder's own metrics", BUILDER_METRICS * month.part, METRICS)
