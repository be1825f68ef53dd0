"""Exceptions in a log keep class, message, traceback and causes."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from ingest.sending.serialize import to_jsonable
from tests.test_multi_values import sent


class Speechless(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Loader:
    """Lets the module `linecache` find the source of generated code."""

    def __init__(self, source: str) -> None:
        self._source = source

    def get_source(self, name: str) -> str:
        return self._source


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    """Return an exception after raising it."""
    try:
        raise error from cause
    except BaseException as caught:  # noqa: BLE001  any of them
        return caught


def recursion(depth: int) -> None:
    if not depth:
        raise LookupError("the end")
    (recursion if depth % 2 else other_recursion)(depth - 1)


def other_recursion(depth: int) -> None:
    recursion(depth)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError(), {"class": "ValueError", "message": ""}),
        (ValueError("why"), {"class": "ValueError", "message": "why"}),
        (KeyError("price"), {"class": "KeyError", "message": "'price'", "args": ["price"]}),
        (
            OSError(2, "gone"),
            {"class": "FileNotFoundError", "message": "[Errno 2] gone", "args": [2, "gone"]},
        ),
        (KeyboardInterrupt(), {"class": "KeyboardInterrupt", "message": ""}),
        (
            Speechless(),
            {"class": "tests.test_exceptions.Speechless", "message": "(Speechless, which has no text)"},
        ),
        (
            ValidationError({"age": ["too low"]}),
            {
                "class": "django.core.exceptions.ValidationError",
                "message": "{'age': ['too low']}",
                "errors": {"age": ["too low"]},
            },
        ),
    ],
)
def test_exception_keeps_class_and_message(error: BaseException, expected: dict[str, Any]) -> None:
    assert sent(error) == {**expected, "traceback": None}
    assert sent({"deep": [error]}) == {"deep": [{**expected, "traceback": None}]}


def test_exception_keeps_its_traceback_and_notes() -> None:
    try:
        Decimal("x")
    except InvalidOperation as error:
        error.add_note("in the cart")
        result = sent(error)
    assert result["class"] == "decimal.InvalidOperation"
    assert result["traceback"].startswith("Traceback (most recent call last):\n")
    assert "in test_exception_keeps_its_traceback_and_notes" in result["traceback"]
    assert result["notes"] == ["in the cart"]


def test_exception_keeps_what_it_was_raised_from() -> None:
    result = sent(raised(RuntimeError("outer"), raised(KeyError("inner"))))
    assert result["cause"]["class"] == "KeyError"
    assert "in raised" in result["cause"]["traceback"]
    context = ValueError()
    context.__context__ = TypeError("first")
    assert sent(context)["context"]["message"] == "first"
    context.__suppress_context__ = True
    assert "context" not in sent(context)


def test_exception_group_keeps_its_exceptions() -> None:
    result = sent(ExceptionGroup("two", [ValueError("a"), ExceptionGroup("deep", [KeyError("b")])]))
    assert [each["class"] for each in result["exceptions"]] == ["ValueError", "ExceptionGroup"]
    assert result["exceptions"][1]["exceptions"][0]["args"] == ["b"]


def test_circular_exceptions_end() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert sent(first)["cause"]["cause"] == "(ValueError, as above)"
    third = ValueError("c")
    third.__context__ = ExceptionGroup("g", [third, ValueError("d")])
    assert sent(third)["context"]["exceptions"][0] == "(ValueError, as above)"
    assert sent([third, third])[1]["message"] == "c"


def test_traceback_of_a_deep_recursion_is_bounded() -> None:
    with pytest.raises(LookupError) as info:
        recursion(300)
    result = sent(info.value)
    assert "frames are omitted" in result["traceback"]
    assert 'raise LookupError("the end")' in result["traceback"]
    assert len(result["traceback"]) < 10_000


def test_long_chain_of_exceptions_is_bounded() -> None:
    error: Exception | None = None
    for number in range(1000):
        new = ValueError(str(number))
        new.__context__ = error
        error = new
    assert "too deep" in json.dumps(to_jsonable(error))


def test_line_of_generated_code_is_shortened() -> None:
    source = "x = 1; " * 10_000 + "raise KeyError('k')"
    with pytest.raises(KeyError) as info:
        exec(compile(source, "generated.py", "exec"), {"__loader__": Loader(source), "__name__": "x"})  # noqa: S102
    assert 1_000 < len(sent(info.value)["traceback"]) < 5_000
