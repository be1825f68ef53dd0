"""What a log costs, as docs/costs.md says: measured units and bytes, and sums that add up."""

import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.sizes import size, size_of
from ingest import messages
from ingest.writing import items as writer
from logs.models import INDEXES, PROJECTED, LogItem
from logsite.local.samples import samples
from tests.templates import all_resources, of_type

ROOT = Path(__file__).resolve().parent.parent
DOCS = (ROOT / "docs" / "costs.md").read_text()
SENT_AT = datetime(2026, 11, 23, tzinfo=UTC)
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html
OVERHEAD_BYTES = 100
USUAL = "A usual one (500 samples, mean)"
NOISE = {
    "A payload of 1,000 bytes of noise": 1_000,
    "A payload of 5,000 bytes of noise": 5_000,
    "A payload of 100,000 bytes of noise": 100_000,
}


def rows(columns: int) -> Iterator[list[str]]:
    """Give the rows of the tables with so many columns."""
    for line in DOCS.split("## Cost of a log")[1].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == columns:
            yield cells


def number(text: str) -> float:
    return float(text.strip("*").replace(",", ""))


def an_item(n: int, log: dict[str, Any]) -> LogItem:
    known = messages.Envelope("m", f"{n:032x}", SENT_AT, "AIDAIENQZJOLO23YVJ4VO")
    return writer.to_item(messages.parse(json.dumps(log, default=str)), known)


def write_units(item: LogItem) -> float:
    """Put an item; return what DynamoDB says that it cost."""
    operation = {**item.get_save_kwargs_from_instance(), "ReturnConsumedCapacity": "TOTAL"}
    answer = LogItem._get_connection().connection.dispatch("PutItem", operation)
    units: float = answer["ConsumedCapacity"]["CapacityUnits"]
    return units


def kept_bytes(item: LogItem) -> int:
    """Return what is stored of an item, in the table and in the indexes."""
    total = size(item) + OVERHEAD_BYTES
    held = item.serialize()
    for index in INDEXES.values():
        keys = {key["AttributeName"] for key in index._get_schema()["key_schema"]}
        names = {"id", *PROJECTED, *keys} & held.keys()
        total += size_of({name: held[name] for name in names}) + OVERHEAD_BYTES
    return total


def a_noisy_one(length: int) -> dict[str, Any]:
    chance = random.Random(1)
    noise = "".join(chance.choice("abcdefghij klmn {}:,0123456789") for _ in range(length))
    [log] = samples(1, SENT_AT)
    return {**log, "payload": noise}


@pytest.mark.usefixtures("logs_table")
def test_a_usual_log_costs_what_the_table_says() -> None:
    items = [an_item(n, log) for n, log in enumerate(samples(500, SENT_AT))]
    units = sum(map(write_units, items)) / len(items)
    held = sum(map(size, items)) / len(items)
    kept = sum(map(kept_bytes, items)) / len(items)
    assert said(USUAL) == [f"{units:g}", f"{held:,.0f}", f"{kept:,.0f}"]


@pytest.mark.usefixtures("logs_table")
@pytest.mark.parametrize("kind", NOISE)
def test_a_long_payload_costs_what_the_table_says(kind: str) -> None:
    item = an_item(1, a_noisy_one(NOISE[kind]))
    units, held, kept = map(number, said(kind))
    assert write_units(item) == units
    # Another zlib compresses a little otherwise.
    assert [size(item), kept_bytes(item)] == pytest.approx([held, kept], rel=0.01)


def said(kind: str) -> list[str]:
    [found] = [cells[1:] for cells in rows(4) if cells[0] == kind]
    return found


def test_nothing_is_said_that_is_not_measured() -> None:
    kinds = [cells[0] for cells in rows(4) if cells[0] not in ("log", ":---")]
    assert kinds == [USUAL, *NOISE]


def test_the_dollars_are_what_the_numbers_give() -> None:
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


def test_the_dollars_stand_on_what_was_measured() -> None:
    [units, held, kept] = said(USUAL)
    quantities = {what: number(quantity) for what, quantity, *_ in rows(5) if re.match("DynamoDB", what)}
    assert quantities[f"DynamoDB: writing ({units} units a log)"] == number(units)
    assert quantities[f"DynamoDB: keeping this month's logs ({kept} bytes a log)"] == number(kept) / 1000
    assert quantities["DynamoDB: writing"] == pytest.approx(10 * number(units))
    # https://aws.amazon.com/dynamodb/pricing/on-demand/: of the table, without its indexes.
    table = number(held) + OVERHEAD_BYTES
    recovery = "DynamoDB: point-in-time recovery of the table"
    what = f"{recovery} ({table:.0f} bytes a log; indexes are not charged)"
    assert (quantities[what], quantities[recovery]) == (table / 1000, table / 100)


def test_the_dollars_stand_on_what_is_deployed() -> None:
    made = all_resources()
    alarms = [each["Properties"] for each in of_type(made, "AWS::CloudWatch::Alarm").values()]
    watched = [part for each in alarms for part in each.get("Metrics", [each]) if "Expression" not in part]
    quantities = {what: number(quantity) for what, quantity, *_ in rows(5) if what.startswith("CloudWatch")}
    assert quantities["CloudWatch: metrics that alarms watch"] == len(watched)
    dashboards = of_type(made, "AWS::CloudWatch::Dashboard")
    assert quantities["CloudWatch: the dashboard"] == len(dashboards)
    # Detailed metrics of API Gateway would be CloudWatch metrics of their own, method by method.
    settings = json.loads((ROOT / "zappa_settings.json").read_text())
    assert [each["cloudwatch_metrics_enabled"] for each in settings.values() if each.get("throttling")] == [
        False
    ] * 2
