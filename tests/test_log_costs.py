"""docs/costs.md matches the write units of the engine and the counted bytes, and its sums add up."""

import json
import re
from pathlib import Path

import pytest

from bench import log_costs
from bench.log_costs import AVERAGE, KINDS, NOISE
from logs.models import LogItem
from logs.pages.monthly_cost import WRITING
from logs.storage import item_size
from logs.storage.item_size import OVERHEAD_BYTES, WRITE_UNIT_BYTES
from tests.costs_page import check_sums, number, section
from tests.templates import all_resources, of_type

ROOT = Path(__file__).resolve().parent.parent
# The bytes and units of compressed noise depend on the version of zlib.
TOLERANCE = 0.01


[LOG_COSTS, INDEX_BYTES] = section("Cost of a log")
MONTHS = [row for table in section("Cost of a million logs a month") for row in table]


def row(kind: str) -> list[str]:
    """Return the cells of one log in the table of costs."""
    [cells] = [cells for name, *cells in LOG_COSTS if name == kind]
    return cells


def consumed_units(item: LogItem) -> float:
    """Put an item. Return the write units that DynamoDB reports."""
    operation = {**item.get_save_kwargs_from_instance(), "ReturnConsumedCapacity": "TOTAL"}
    response = LogItem._get_connection().connection.dispatch("PutItem", operation)
    units: float = response["ConsumedCapacity"]["CapacityUnits"]
    return units


@pytest.mark.usefixtures("logs_table")
def test_engine_consumes_the_units_of_the_samples() -> None:
    for item in log_costs.sample_items():
        assert consumed_units(item) == item_size.write_units(item)


@pytest.mark.usefixtures("logs_table")
@pytest.mark.parametrize("kind", [*KINDS, *NOISE])
def test_engine_consumes_the_units_of_each_log(kind: str) -> None:
    item = log_costs.kind_item(kind)
    assert consumed_units(item) == item_size.write_units(item)


def test_costs_page_matches_the_costs_of_logs() -> None:
    rows = [cells for cells in log_costs.cost_rows() if cells[0] not in NOISE]
    assert LOG_COSTS[2 : -len(NOISE)] == rows


@pytest.mark.parametrize("kind", NOISE)
def test_costs_page_matches_long_payloads(kind: str) -> None:
    cells = log_costs.cost_cells([log_costs.kind_item(kind)])
    assert list(map(number, row(kind))) == pytest.approx(list(map(number, cells)), rel=TOLERANCE)


def test_costs_page_matches_the_bytes_in_each_index() -> None:
    assert INDEX_BYTES[2:] == list(log_costs.index_rows())


def test_user_and_object_cost_one_unit_each() -> None:
    no_one, user, user_and_object = (
        item_size.write_units(log_costs.kind_item(kind)) for kind in list(KINDS)[:3]
    )
    assert (no_one, user, user_and_object) == (5, 6, 7)


def test_index_entry_of_a_sample_is_one_write_unit() -> None:
    sizes = [size for item in log_costs.sample_items() for size in item_size.index_sizes(item).values()]
    assert max(sizes) < WRITE_UNIT_BYTES


def test_every_field_at_its_limit_is_stored_whole() -> None:
    """A longer text would be truncated, so the log of the page has the largest entries."""
    assert log_costs.kind_item("Every field at its limit").document is None


def test_costs_page_adds_up() -> None:
    assert check_sums(MONTHS) == 2


def test_costs_page_uses_the_measured_sizes() -> None:
    [units, dollars, size, stored] = row(AVERAGE)
    quantities = {what: number(quantity) for what, quantity, *_ in MONTHS if re.match("DynamoDB", what)}
    [price] = {number(price) for what, _, _, price, _ in MONTHS if what.startswith("DynamoDB: writing")}
    assert price == WRITING.price
    assert number(dollars) == pytest.approx(number(units) * price, abs=0.001)
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
    quantities = {what: number(quantity) for what, quantity, *_ in MONTHS if what.startswith("CloudWatch")}
    assert quantities["CloudWatch: metrics that alarms watch"] == len(watched)
    dashboards = of_type(resources, "AWS::CloudWatch::Dashboard")
    assert quantities["CloudWatch: the dashboard"] == len(dashboards)
    # Detailed metrics of API Gateway would add CloudWatch metrics for each method.
    settings = json.loads((ROOT / "zappa_settings.json").read_text())
    assert [each["cloudwatch_metrics_enabled"] for each in settings.values() if each.get("throttling")] == [
        False
    ] * 2
