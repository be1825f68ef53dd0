"""docs/costs.md matches the measured write units and bytes, and its sums add up."""

import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.sizes import attributes_size, item_size
from ingest import messages
from ingest.writing import items
from logs.models import INDEXES, PROJECTED, LogItem
from logsite.local.samples import samples
from tests.templates import all_resources, of_type

ROOT = Path(__file__).resolve().parent.parent
DOCS = (ROOT / "docs" / "costs.md").read_text()
SENT_AT = datetime(2026, 11, 23, tzinfo=UTC)
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html
OVERHEAD_BYTES = 100
AVERAGE = "A usual one (500 samples, mean)"
NO_OBJECT = {"object_type": None, "object_id": None}
KINDS: dict[str, dict[str, Any]] = {
    "A log of no one, without an object": {"user_id": 0, **NO_OBJECT},
    "A log of a user": NO_OBJECT,
    "A log of a user about an object": {"object_type": "invoice", "object_id": 4711},
    "Every field of the context at its limit": {
        "summary": "s" * 160,
        "submitter_ip": "2001:db8:1111:2222:3333:4444:5555:6666",
        "trace_id": "a" * 32,
        **dict.fromkeys(("user_name", "account_name", "object_name"), "n" * 200),
        **dict.fromkeys(("request_id", "object_type", "object_id"), "i" * 200),
    },
}
NOISE = {
    "A payload of 1,000 bytes of noise": 1_000,
    "A payload of 5,000 bytes of noise": 5_000,
    "A payload of 100,000 bytes of noise": 100_000,
}


def rows(columns: int) -> Iterator[list[str]]:
    """Yield the rows of the tables with this number of columns."""
    for line in DOCS.split("## Cost of a log")[1].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == columns:
            yield cells


def number(text: str) -> float:
    return float(text.strip("*").replace(",", ""))


def make_item(n: int, log: dict[str, Any]) -> LogItem:
    envelope = messages.Envelope("m", f"{n:032x}", SENT_AT, SENT_AT, "AIDAIENQZJOLO23YVJ4VO")
    return items.to_item(messages.parse(json.dumps(log, default=str)), envelope)


def write_units(item: LogItem) -> float:
    """Put an item. Return the write units that DynamoDB reports."""
    operation = {**item.get_save_kwargs_from_instance(), "ReturnConsumedCapacity": "TOTAL"}
    response = LogItem._get_connection().connection.dispatch("PutItem", operation)
    units: float = response["ConsumedCapacity"]["CapacityUnits"]
    return units


def stored_bytes(item: LogItem) -> int:
    """Return the bytes that an item uses in the table and in its indexes."""
    total = item_size(item) + OVERHEAD_BYTES
    attributes = item.serialize()
    for index in INDEXES.values():
        keys = {key["AttributeName"] for key in index._get_schema()["key_schema"]}
        if not keys <= attributes.keys():
            continue  # the index is sparse
        names = {"id", *PROJECTED, *keys} & attributes.keys()
        total += attributes_size({name: attributes[name] for name in names}) + OVERHEAD_BYTES
    return total


def make_noisy_log(length: int) -> dict[str, Any]:
    generator = random.Random(1)
    payload = "".join(generator.choice("abcdefghij klmn {}:,0123456789") for _ in range(length))
    [log] = samples(1, SENT_AT)
    return {**log, "payload": payload}


@pytest.mark.usefixtures("logs_table")
def test_costs_page_matches_an_average_log() -> None:
    log_items = [make_item(n, log) for n, log in enumerate(samples(500, SENT_AT))]
    units = sum(map(write_units, log_items)) / len(log_items)
    size = sum(map(item_size, log_items)) / len(log_items)
    stored = sum(map(stored_bytes, log_items)) / len(log_items)
    assert row(AVERAGE) == [f"{units:g}", f"{size:,.0f}", f"{stored:,.0f}"]


@pytest.mark.usefixtures("logs_table")
@pytest.mark.parametrize("kind", NOISE)
def test_costs_page_matches_long_payloads(kind: str) -> None:
    item = make_item(1, make_noisy_log(NOISE[kind]))
    units, size, stored = map(number, row(kind))
    assert write_units(item) == units
    # The compressed size depends on the version of zlib.
    assert [item_size(item), stored_bytes(item)] == pytest.approx([size, stored], rel=0.01)


@pytest.mark.usefixtures("logs_table")
@pytest.mark.parametrize("kind", KINDS)
def test_costs_page_matches_logs_with_a_context(kind: str) -> None:
    [log] = samples(1, SENT_AT)
    item = make_item(1, {**log, **KINDS[kind]})
    units, size, stored = map(number, row(kind))
    assert (write_units(item), item_size(item), stored_bytes(item)) == (units, size, stored)


def row(kind: str) -> list[str]:
    """Return the cells of one log in the table of sizes."""
    [cells] = [cells[1:] for cells in rows(4) if cells[0] == kind]
    return cells


def test_costs_page_has_only_measured_logs() -> None:
    kinds = [cells[0] for cells in rows(4) if cells[0] not in ("log", ":---")]
    assert kinds == [AVERAGE, *KINDS, *NOISE]


def test_costs_page_adds_up() -> None:
    total = 0.0
    sums = 0
    for what, quantity, _, price, dollars in rows(5):
        if what.startswith(("for", ":")):
            continue
        if what == "**Together**":
            assert number(dollars) == pytest.approx(total, abs=0.001)
            total, sums = 0.0, sums + 1
            continue
        assert f"{number(quantity) * number(price):.2f}" == dollars, what
        total += number(dollars)
    assert sums == 2


def test_costs_page_uses_the_measured_sizes() -> None:
    [units, size, stored] = row(AVERAGE)
    quantities = {what: number(quantity) for what, quantity, *_ in rows(5) if re.match("DynamoDB", what)}
    assert quantities[f"DynamoDB: writing ({units} units a log)"] == number(units)
    assert quantities[f"DynamoDB: keeping this month's logs ({stored} bytes a log)"] == number(stored) / 1000
    assert quantities["DynamoDB: writing"] == pytest.approx(10 * number(units))
    # Only the table is charged, without its indexes: https://aws.amazon.com/dynamodb/pricing/on-demand/
    table = number(size) + OVERHEAD_BYTES
    recovery = "DynamoDB: point-in-time recovery of the table"
    what = f"{recovery} ({table:.0f} bytes a log; indexes are not charged)"
    assert (quantities[what], quantities[recovery]) == (table / 1000, table / 100)


def test_costs_page_matches_the_deployed_resources() -> None:
    resources = all_resources()
    alarms = [each["Properties"] for each in of_type(resources, "AWS::CloudWatch::Alarm").values()]
    watched = [part for each in alarms for part in each.get("Metrics", [each]) if "Expression" not in part]
    quantities = {what: number(quantity) for what, quantity, *_ in rows(5) if what.startswith("CloudWatch")}
    assert quantities["CloudWatch: metrics that alarms watch"] == len(watched)
    dashboards = of_type(resources, "AWS::CloudWatch::Dashboard")
    assert quantities["CloudWatch: the dashboard"] == len(dashboards)
    # Detailed metrics of API Gateway would add CloudWatch metrics for each method.
    settings = json.loads((ROOT / "zappa_settings.json").read_text())
    assert [each["cloudwatch_metrics_enabled"] for each in settings.values() if each.get("throttling")] == [
        False
    ] * 2
