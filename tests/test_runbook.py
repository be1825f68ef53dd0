"""docs/runbook.md has an entry for each alarm: what it means, what to look at, what to do."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
TEMPLATES = sorted((ROOT / "deploy").glob("*.yaml"))
ALARM = re.compile(
    r"^  (\w+):\n    Type: (?:AWS::CloudWatch::(?:Composite)?Alarm|AWS::Budgets::Budget)$", re.MULTILINE
)


def entries() -> dict[str, str]:
    """Return the entries by the names of their alarms."""
    found = re.split(r"^## (\w+Alarm)$", RUNBOOK.split("\n# Restoring")[0], flags=re.MULTILINE)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


@pytest.mark.parametrize("alarm", entries())
def test_an_entry_says_what_it_means_what_to_look_at_and_what_to_do(alarm: str) -> None:
    assert re.findall(r"^- \*\*(\w+)\*\*: \S", entries()[alarm], re.MULTILINE) == ["Means", "Look", "Do"]


def test_every_alarm_has_an_entry_and_every_entry_an_alarm() -> None:
    alarms = [alarm for template in TEMPLATES for alarm in ALARM.findall(template.read_text())]
    assert sorted(alarms) == sorted(entries())
