"""`make bench ARGS=mysql`: both admins list the same logs, and the results are saved."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import comparison
from bench import mysql as benchmark
from bench.comparison import HEADINGS, Measurement, Size
from tests import mariadb
from tests.mariadb import Database

pytest_plugins = ["tests.mysql_fixtures"]

SVG = "{http://www.w3.org/2000/svg}"


def test_both_admins_list_the_same_logs(
    mysql: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(mariadb.URL, mysql.address)
    benchmark.main([300], tmp_path, rounds=1)
    [size] = json.loads((tmp_path / "mysql.json").read_text())["sizes"]
    rows = {each["name"]: each["rows"] for each in size["measurements"]}
    assert size["logs"] == 300
    assert rows["first page"] == rows["page in the middle"] == rows["last page"] == rows["one day"] == 100
    assert rows["rare text"] == rows["one IP address"] == 20
    assert rows["export of 300"] == 300
    assert rows["detail"] == rows["one user"] == 1
    assert all(set(each["seconds"]) == set(HEADINGS) for each in size["measurements"])


def test_results_are_saved_as_tables_and_plot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = [
        Size(logs, "MariaDB", [measurement("first page", ratio), measurement("detail <1>", 0.5)])
        for logs, ratio in [(10_000, 2.0), (1_000_000, 125.0)]
    ]
    comparison.save(sizes, tmp_path / "new" / "folder")
    folder = tmp_path / "new" / "folder"
    assert str(folder / "mysql.svg") in capsys.readouterr().out
    text = (folder / "mysql.md").read_text()
    assert "| first page | 100 | 1,250 ms | 10.0 ms | 10.0 ms | 10.0 ms | 125 | 1.0 |" in text
    assert "| first page | 2.0 | 125 | 1.00 |" in text
    plot = ElementTree.fromstring((folder / "mysql.svg").read_text())  # noqa: S314  our own file
    texts = [each.text for each in plot.iter(f"{SVG}text")]
    assert {"first page", "125", "detail <1>", "0.5", "10,000 logs", "1,000,000 logs"} <= set(texts)
    points = [float(each.attrib["cx"]) for each in plot.iter(f"{SVG}circle")][-4:]
    assert points[0] < points[1]
    assert points[2] == points[3] < points[0]


def measurement(name: str, ratio: float) -> Measurement:
    """Return a measurement in which the stock admin takes `ratio` times 10 ms."""
    return Measurement(name, 100, dict.fromkeys(HEADINGS, 0.01) | {comparison.STOCK: 0.01 * ratio})
