"""The tables of docs/costs.md."""

import re
from collections.abc import Iterator
from pathlib import Path

TEXT = (Path(__file__).resolve().parent.parent / "docs" / "costs.md").read_text()


def section(title: str) -> list[list[list[str]]]:
    """Return the tables of a section: the cells of their rows, with the two rows of the head."""
    [text] = re.findall(rf"^## {re.escape(title)}\n(.+?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    return list(_tables(text))


def _tables(text: str) -> Iterator[list[list[str]]]:
    for table in re.findall(r"(?:^\|.+\n)+", text, re.MULTILINE):
        yield [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def number(text: str) -> float:
    """Return the number in a cell."""
    return float(text.strip("*").replace(",", ""))


def check_sums(rows: list[list[str]]) -> int:
    """Assert that dollars are quantities times prices, and sums are right. Return the number of sums."""
    total = 0.0
    sums = 0
    for what, quantity, _, price, dollars in rows:
        if what.startswith(("for", ":")):
            continue
        if what == "**Together**":
            assert abs(number(dollars) - total) < 0.001
            total, sums = 0.0, sums + 1
            continue
        assert f"{number(quantity) * number(price):.2f}" == dollars, what
        total += number(dollars)
    return sums
