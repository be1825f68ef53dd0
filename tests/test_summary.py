"""The summary that the writer derives from a payload."""

from typing import Any

import pytest

from ingest.writing.summary import MAX_SUMMARY_CHARACTERS, derive


@pytest.mark.parametrize(
    ("payload", "summary"),
    [
        (
            {"changes": {"status": ["draft", "paid"], "total": [90, 100.5]}},
            "status: draft → paid, total: 90 → 100.5",
        ),
        ({"changes": {"status": {"old": "draft", "new": "paid"}}}, "status: draft → paid"),
        ({"changes": [{"field": "status", "before": "draft", "after": None}]}, "status: draft → –"),
        ({"diff": {"is_active": [True, False]}}, "is_active: true → false"),
        ({"old": {"a": 1, "b": 2}, "new": {"a": 1, "b": 3, "c": 4}}, "b: 2 → 3, c: – → 4"),
        ({"changes": {"tags": [["a"], ["a", "b"]]}}, "tags: 1 value → 2 values"),
    ],
)
def test_summary_shows_changed_fields(payload: Any, summary: str) -> None:
    assert derive(payload) == summary


@pytest.mark.parametrize(
    ("payload", "summary"),
    [
        (
            {"invoice": 4711, "lines": [{"n": 1}], "note": None, "total": "100"},
            "invoice: 4711, total: 100, n: 1",
        ),
        ({"data": {"object": {"id": "ch_1", "paid": True}}}, "id: ch_1, paid: true"),
        ({"changes": "none", "by": "Ann"}, "changes: none, by: Ann"),
        ({"old": 1, "new": 2}, "old: 1, new: 2"),
        ([1, "two", None, 3.5], "1, two, 3.5"),
        (12, "12"),
        (False, "false"),
        (0, "0"),
    ],
)
def test_summary_shows_the_first_scalar_values(payload: Any, summary: str) -> None:
    assert derive(payload) == summary


@pytest.mark.parametrize(
    ("payload", "summary"),
    [
        ("\n  Signed\tin \r\nfrom Sofia", "Signed in"),
        ("one line", "one line"),
        (" \n ", None),
        ("", None),
        (None, None),
        ({}, None),
        ([[], {}], None),
        ({"changes": {}}, None),
    ],
)
def test_summary_is_the_first_line_of_a_text(payload: Any, summary: str | None) -> None:
    assert derive(payload) == summary


@pytest.mark.parametrize(
    "payload",
    [
        "x" * 1000,
        {"text": "x" * 1000},
        {f"name{n}": n for n in range(100_000)},
        {"x" * 1000: {"y" * 1000: "z" * 1000}},
    ],
)
def test_summary_is_truncated(payload: Any) -> None:
    summary = derive(payload)
    assert summary
    assert len(summary) <= MAX_SUMMARY_CHARACTERS
    assert summary.endswith("…")
