"""The cost of a month on the overview is that of docs/costs.md."""

import pytest

from logs.pages import monthly_cost
from logs.pages.monthly_cost import Line, Month
from tests.costs_page import number, section


def assert_same(lines: list[Line], rows: list[list[str]]) -> None:
    """Compare lines with rows of docs/costs.md."""
    for line, (text, quantity, unit, price, dollars) in zip(lines, rows, strict=True):
        assert line.quantity == pytest.approx(number(quantity), rel=0.001), text
        assert (line.price.unit, line.price.price) == (unit, number(price)), text
        assert f"{line.dollars:.2f}" == dollars, text


def test_monthly_cost_is_that_of_the_costs_page() -> None:
    (*rows, total), (*batches, total_of_batches) = (
        table[2:] for table in section("Cost of a million logs a month")
    )
    month = Month(logs=1_000_000, stored=1_000_000, item_bytes=743, stored_bytes=4_208, write_units=6.698)
    lines = list(monthly_cost.log_lines(month))
    assert_same(lines, rows)
    assert monthly_cost.total(lines) == number(total[-1])

    ten = Month(10_000_000, 10_000_000, 743, 4_208, 6.698, batch=10, writer_seconds=0.2)
    lines = list(monthly_cost.log_lines(ten))
    growing = [line for line in lines if "polls" not in line.text][:6]
    assert_same(growing, batches)
    assert monthly_cost.total(growing) == number(total_of_batches[-1])

    *rows, total = section("Cost of digests")[2][2:]
    digests = list(monthly_cost.digest_lines(month))
    assert_same(digests, rows)
    assert monthly_cost.total(digests) == number(total[-1])
