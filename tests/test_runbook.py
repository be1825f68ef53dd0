"""docs/runbook.md has an entry for each alarm: its meaning, the diagnosis and the remedy."""

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
    sections = re.split(r"^### (\w+Alarm)$", RUNBOOK.split("\n## Restoring")[0], flags=re.MULTILINE)[1:]
    return dict(zip(sections[::2], sections[1::2], strict=True))


@pytest.mark.parametrize("alarm", entries())
def test_entry_has_meaning_diagnosis_and_remedy(alarm: str) -> None:
    assert re.findall(r"^- \*\*(\w+)\*\*: \S", entries()[alarm], re.MULTILINE) == ["Means", "Look", "Do"]


def test_alarms_and_entries_match() -> None:
    alarms = [alarm for template in TEMPLATES for alarm in ALARM.findall(template.read_text())]
    assert sorted(alarms) == sorted(entries())
