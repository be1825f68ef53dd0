"""The changed fields of a payload, in every form, with limits."""

import re
from typing import Any

import pytest

from logs.conf import CHANGE_NAMES
from logs.pages.changes import MAX_FIELDS, ChangeTable, Side, read_changes


def read(payload: Any, names: tuple[str, ...] = CHANGE_NAMES) -> ChangeTable | None:
    return read_changes(payload, names)


def text(side: Side) -> str:
    """Return a side as text: its state in brackets, and changed parts in braces."""
    if side.state:
        return f"<{side.state}>"
    return "".join(f"{{{part.text}}}" if part.is_changed else part.text for part in side.parts)


def rows(payload: Any, names: tuple[str, ...] = CHANGE_NAMES) -> dict[str, tuple[str, str]]:
    table = read(payload, names)
    return {row.path: (text(row.before), text(row.after)) for row in table.rows} if table else {}


STATUS = {"status": ("{open}", "{Paid}")}


@pytest.mark.parametrize(
    "payload",
    [
        {"changes": {"status": ["open", "Paid"]}},
        {"changes": {"status": {"old": "open", "new": "Paid"}}},
        {"changes": {"status": {"before": "open", "after": "Paid", "label": "x"}}},
        {"changes": {"status": {"from": "open", "to": "Paid"}}},
        {"before": {"status": "open", "id": 1}, "after": {"status": "Paid", "id": 1}},
        {"old": {"status": "open"}, "new": {"status": "Paid"}, "by": 7},
    ],
    ids=["lists", "old_new", "before_after", "from_to", "two_objects", "old_and_new_objects"],
)
def test_changes_are_read_in_each_form(payload: Any) -> None:
    assert rows(payload) == STATUS


@pytest.mark.parametrize(
    "payload",
    [
        None,
        "text",
        [],
        {},
        {"changes": {}},
        {"changes": "status"},
        {"changes": {"status": "Paid"}},
        {"changes": {"status": ["a", "b", "c"]}},
        {"changes": {"status": ["open", "Paid"], "note": 1}},
        {"changes": {"status": ["open", "open"]}},
        {"before": 1, "after": 2},
        {"before": None, "after": None},
        {"after": {"a": 1}},
        {"from": {"name": "Ann"}, "to": {"name": "Ben"}},
    ],
    ids=lambda payload: re.sub(r"\W+", "_", repr(payload))[:40],
)
def test_other_payloads_have_no_changes(payload: Any) -> None:
    assert not rows(payload)


def test_nested_values_are_compared_by_path() -> None:
    before = {"address": {"street": "Hauptstraße 1", "city": "Bonn"}, "lines": [{"qty": 1}], "gone": 1}
    after = {
        "address": {"street": "Hauptstraße 12b", "city": "Bonn"},
        "lines": [{"qty": 2}, {"a": "é"}],
        "b": "",
    }
    expected = {
        "address.street": ("Hauptstraße 1", "Hauptstraße 1{2b}"),
        "lines[0].qty": ("{1}", "{2}"),
        "lines[1]": ("<absent>", '{{"a": "é"}}'),
        "gone": ("{1}", "<absent>"),
        "b": ("<absent>", "<empty>"),
    }
    assert rows({"before": before, "after": after}) == expected
    changes = {name: [before[name], after[name]] for name in ("address", "lines")}
    nested = {name: sides for name, sides in expected.items() if name[0] in "al"}
    assert rows({"changes": changes}) == nested
    assert rows({"changes": {"address": {"street": ["a", "b"]}}}) == {"address.street": ("{a}", "{b}")}


def test_created_object_has_absent_values() -> None:
    assert rows({"before": None, "after": {"a": 1}}) == {"a": ("<absent>", "{1}")}
    assert rows({"before": {"a": 1}, "after": None}) == {"a": ("{1}", "<absent>")}
    # A many-to-many relation, and a new object, as `ingest.capture` sends them.
    assert rows({"changes": {"tags": [["red"], []], "name": [None, "Ann"]}}) == {
        "tags[0]": ("{red}", "<absent>"),
        "name": ("<null>", "{Ann}"),
    }


@pytest.mark.parametrize(
    ("before", "after", "sides"),
    [
        ("2026-12-01", "2026-12-15", ("2026-12-{01}", "2026-12-{15}")),
        ("draft", "open", ("{draft}", "{open}")),
        ("", None, ("<empty>", "<null>")),
        (12, "12", ("{12}", '{"12"}')),
        (True, 1, ("{true}", "{1}")),
        (0.19, 0.07, ("{0.19}", "{0.07}")),
        ("a\u202eb", "a\u202ec", (r"a\u202e{b}", r"a\u202e{c}")),
        ("cafe\u0301s", "cafes", ("caf{e\u0301}s", "caf{e}s")),
        ("x" * 5000 + "1", "x" * 5000 + "2", ("…" + "x" * 100 + "{1}", "…" + "x" * 100 + "{2}")),
        ("the quick brown fox", "the slow brown fox", ("the {quick} brown fox", "the {slow} brown fox")),
    ],
)
def test_changed_characters_are_marked(before: Any, after: Any, sides: tuple[str, str]) -> None:
    [row] = rows({"changes": {"x": [before, after]}}).values()
    assert row == sides


def test_equal_values_are_left_out() -> None:
    payload = {"changes": {"a": [1, 1.0], "b": [None, None], "c": [{"d": [1]}, {"d": [1]}], "e": [1, 2]}}
    assert list(rows(payload)) == ["e"]


def test_table_has_at_most_200_fields() -> None:
    table = read({"changes": {f"f{number}": [number, -number - 1] for number in range(250)}})
    assert table
    assert (len(table.rows), table.total, table.more) == (MAX_FIELDS, 250, 50)


def test_large_and_deep_payloads_are_limited() -> None:
    deep: Any = 1
    for _ in range(500):
        deep = {"x" * 100: deep}
    escapes = {f"{number}": ["\u0007" * 9000, ""] for number in range(300)}
    table = read({"changes": {"deep": [deep, {**deep, "y": 1}], **escapes}})
    assert table
    assert table.total == 301
    sides = [side for row in table.rows for side in (row.before, row.after)]
    assert sum(len(part.text) for side in sides for part in side.parts) < 100_000
    assert read({"before": {"a": deep}, "after": {"a": [deep]}})
    alternating = {f"{number}": ["ab" * 400, "ba" * 300 + "c" * 200] for number in range(200)}
    table = read({"changes": alternating})
    assert table
    assert table.total == 200


def test_names_come_from_the_setting() -> None:
    names = ("diff", "vorher/nachher")
    assert rows({"diff": {"status": {"vorher": "open", "nachher": "Paid"}}}, names) == STATUS
    assert rows({"vorher": {"status": "open"}, "nachher": {"status": "Paid"}}, names) == STATUS
    assert rows({"changes": {"status": ["open", "Paid"]}}, names) == {}
