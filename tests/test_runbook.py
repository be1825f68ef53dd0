"""docs/runbook.md has an entry for each alarm: its meaning, where to look, what to do."""

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
    """Return the text of each entry by the name of its alarm."""
    parts = re.split(r"^### (\w+Alarm)$", RUNBOOK.split("\n## Restoring")[0], flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("alarm", entries())
def test_entry_has_means_look_and_do(alarm: str) -> None:
    assert re.findall(r"^- \*\*(\w+)\*\*: \S", entries()[alarm], re.MULTILINE) == ["Means", "Look", "Do"]


def test_every_alarm_has_one_entry() -> None:
    alarms = [alarm for template in TEMPLATES for alarm in ALARM.findall(template.read_text())]
    assert sorted(alarms) == sorted(entries())
