"""The time of one `enqueue`, into the buffer and into the spool."""

import json
import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

from ingest.client import LogClient
from ingest.wire import sqs

CALLS = 20_000
# The duration of a request to SQS inside AWS.
REQUEST_SECONDS = 0.01
URL = "http://127.0.0.1/123456789012/logs"
FIELDS: dict[str, Any] = {
    "account_id": 7,
    "user_id": 12,
    "type": "update",
    "sub_type": "invoice",
    "url": "/invoices/4711",
    "payload": {"id": 4711, "changes": {"status": ["open", "paid"], "note": "x" * 600}},
    "submitter_country": "Bulgaria",
    "submitter_platform": "Windows",
    "submitter_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0 Safari/537.36",
}


class AcceptingSqs:
    """A fake SQS that accepts each batch after REQUEST_SECONDS."""

    def close(self) -> None:
        """Do nothing, as there are no connections."""

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        """Accept a batch."""
        time.sleep(REQUEST_SECONDS)
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}


def median_microseconds(call: Callable[[], object]) -> float:
    """Return the median duration of CALLS calls."""
    seconds = []
    for _ in range(CALLS):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds) * 1_000_000


def main() -> None:
    """Print the medians, and their ratios to that of json.dumps."""
    logging.getLogger("ingest").setLevel(logging.CRITICAL)
    sqs.client = lambda **_: AcceptingSqs()  # type: ignore[assignment]  # other methods are never called
    size = len(json.dumps(FIELDS))
    base = median_microseconds(lambda: json.dumps(FIELDS))
    print(f"\nenqueue of a log of {size:,} bytes, medians of {CALLS:,}; json.dumps of it {base:.0f} µs")
    with LogClient(URL, max_logs=CALLS * 2) as client:
        print_row("in the buffer", median_microseconds(lambda: client.enqueue(**FIELDS)), base)
    with tempfile.TemporaryDirectory() as folder, LogClient(URL, spool_dir=folder, durable=True) as client:
        print_row("durable", median_microseconds(lambda: client.enqueue(**FIELDS)), base)


def print_row(name: str, median: float, base: float) -> None:
    """Print a median, and its ratio to `base`."""
    print(f"{name:<16}{median:6.0f} µs   {median / base:5.1f} times json.dumps")
