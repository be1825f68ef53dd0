"""docs/costs.md matches the units that digests consume on the engine, and its sums add up."""

import json
import re
from datetime import timedelta

import pytest

from bench import corpus, digest_costs
from bench.digest_costs import IDLE, SEGMENT, WAITING, BuildCosts
from bench.log_costs import make_item
from deploy.stage import ROOT
from logs.digests import builder
from logs.filters import LogFilter
from logs.pages.monthly_cost import READING, RUNS_PER_MONTH
from logs.plan import PageQuery, make_plan
from logs.reader import read
from logs.reading.budget import Budget
from tests.conftest import empty_logs_table
from tests.costs_page import check_sums, number, section
from tests.digests import empty_digests_table
from tests.items import store
from tests.templates import template

[BUILD, RUNS, MONTH, SEARCHES] = section("Cost of digests")
# The bytes of compressed blocks depend on the version of zlib.
TOLERANCE = 0.02


@pytest.fixture(autouse=True)
def empty_tables() -> None:
    empty_logs_table()
    empty_digests_table()


def row(table: list[list[str]], name: str) -> list[str]:
    """Return the cells of a row after its name."""
    [cells] = [cells for first, *cells in table if first == name]
    return cells


def test_costs_page_matches_a_segment_and_runs() -> None:
    costs = digest_costs.segment_costs()
    idle, waiting = digest_costs.idle_run(), digest_costs.waiting_run()

    documented = list(map(number, row(BUILD, SEGMENT)))
    assert documented == pytest.approx(list(map(number, costs.cells())), rel=TOLERANCE)
    assert row(RUNS, IDLE) == digest_costs.run_cells(idle)
    requests, read_units, write_units = digest_costs.run_cells(waiting)
    assert row(RUNS, WAITING) == [requests, read_units, write_units]


def test_costs_page_computes_the_dollars_of_building() -> None:
    for _, _, read_units, write_units, dollars, _ in BUILD[2:]:
        costs = BuildCosts(0, number(read_units), number(write_units), 0)
        assert f"{costs.dollars_per_million:.2f}" == dollars


def test_costs_page_adds_up_the_month_of_digests() -> None:
    assert check_sums(MONTH) == 1


def test_costs_page_uses_the_measured_units_of_digests() -> None:
    quantities = {what: number(quantity) for what, quantity, *_ in MONTH[2:-1]}
    _, read_units, write_units, _, stored = BUILD[-1][1:]
    runs = RUNS_PER_MONTH / 1_000_000
    waiting = number(row(RUNS, WAITING)[1])
    expected = {
        f"DynamoDB: reading each log once ({read_units} units)": number(read_units),
        f"DynamoDB: the runs' own reads ({RUNS_PER_MONTH:,} runs, {waiting:g} units)": runs * waiting,
        f"DynamoDB: writing digests ({write_units} units a log)": number(write_units),
        "DynamoDB: the runs' own writes": runs,
        f"DynamoDB: keeping this month's digests ({stored} bytes a log)": number(stored) / 1000,
        "Lambda: invocations of the builder": runs,
    }
    assert {what: quantities[what] for what in expected} == pytest.approx(expected, rel=0.001)


def test_costs_page_matches_the_schedule_of_digests() -> None:
    assert template("schedule.yaml")["Resources"]["Rule"]["Properties"]["ScheduleExpression"] == (
        "rate(5 minutes)"
    )
    assert timedelta(days=30) / timedelta(minutes=5) == RUNS_PER_MONTH
    memory = json.loads((ROOT / "zappa_settings.json").read_text())["production_digests"]["memory_size"]
    [(what, quantity)] = [(what, quantity) for what, quantity, *_ in MONTH if "the builder's time" in what]
    [[gigabytes, seconds]] = re.findall(r"\(([0-9.]+) GB for ([0-9.]+) s a run, assumed\)", what)
    assert float(gigabytes) * 1024 == memory
    assert number(quantity) == RUNS_PER_MONTH * float(gigabytes) * float(seconds)


def test_costs_page_computes_the_dollars_of_searches() -> None:
    for _, *_, read_units, dollars in SEARCHES[2:]:
        assert f"{number(read_units) * READING.price / 1_000_000:.6f}" == dollars


def test_first_page_of_a_frequent_text_reads_little() -> None:
    shape = corpus.make_shape("usual", 1_600)
    store(make_item(log) for log in corpus.make_logs(shape, range(shape.logs)))
    builder.build()
    query = PageQuery(make_plan(LogFilter(q=corpus.FREQUENT)), None, 100)

    page = read(query, Budget()).page

    assert len(page.items) == 100
    assert page.cost.queries <= 8
    assert page.cost.read_units <= 120
