"""Any Python value becomes JSON types, without an exception."""

import enum
import json
from collections import ChainMap, OrderedDict, UserString, deque
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import PurePosixPath
from types import MappingProxyType, SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from pydantic_core import from_json

from ingest.sending.serialize import to_jsonable


class Colour(enum.Enum):
    RED = "red"


class Word(str, enum.Enum):  # noqa: UP042  the older form, whose str() is Word.YES
    YES = "yes"


class Speechless:
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Broken(Mapping[str, int]):
    def __getitem__(self, name: str) -> int:
        raise RuntimeError("no value")

    def __iter__(self) -> Iterator[str]:
        return iter(["a"])

    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (1.5, 1.5),
        ("text", "text"),
        ({"a": [1, (2, 3)]}, {"a": [1, [2, 3]]}),
        (OrderedDict(b=1), {"b": 1}),
        (datetime(2026, 1, 2, 3, tzinfo=UTC).replace(tzinfo=None), "2026-01-02T03:00:00.000000"),
        (datetime.max.replace(tzinfo=UTC).replace(tzinfo=None), "9999-12-31T23:59:59.999999"),
        (datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T01:00:00.000000+00:00"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), "0001-01-01T00:00:00+14:00"),
        (datetime.max.replace(tzinfo=UTC), "9999-12-31T23:59:59.999999+00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (time(3, 4), "03:04:00"),
        (timedelta(seconds=5), "0:00:05"),
        (Decimal("1.10"), "1.10"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (b"text", "text"),
        (b"\xff\x00", "\\xff\x00"),
        (bytearray(b"x"), "x"),
        ({3}, [3]),
        (frozenset(["x"]), ["x"]),
        (PurePosixPath("/a/b"), "/a/b"),
        (range(3), [0, 1, 2]),
        (deque(["x"]), ["x"]),
        ({"a": 1}.keys(), ["a"]),
        ({"a": 1}.items(), [["a", 1]]),
        (ChainMap({"a": 1}), {"a": 1}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (UserString("text"), "text"),
        (IPv4Address("192.0.2.1"), "192.0.2.1"),
        (SimpleNamespace(a={1}), {"a": [1]}),
        ({Colour.RED: 1}, {"red": 1}),
        (Colour.RED, "red"),
        (Word.YES, "yes"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ({1: "a", None: "b", UUID(int=5): "d", ("x",): "e"},
         {"1": "a", "null": "b", "00000000-0000-0000-0000-000000000005": "d", "('x',)": "e"}),
        ({True: 1}, {"true": 1}),
        ("\ud83d\ude00", "😀"),
        ("a\ud800b", "a\ufffdb"),
        ({"\udfff": 1}, {"\ufffd": 1}),
        (Speechless(), "(Speechless, which has no text)"),
        (Broken(), "(Broken, which cannot be read)"),
    ],
)  # fmt: skip
def test_to_jsonable_converts_every_type(value: Any, expected: Any) -> None:
    assert to_jsonable(value) == expected
    assert type(to_jsonable(value)) is type(expected)
    assert from_json(json.dumps(to_jsonable(value), allow_nan=False), allow_inf_nan=False) == expected


def test_very_long_integer_becomes_hexadecimal() -> None:
    assert to_jsonable([2**20_000]) == [hex(2**20_000)]


def test_circular_reference_ends() -> None:
    loop: list[Any] = []
    loop.append({"again": loop})

    text = json.dumps(to_jsonable(loop))

    assert "too deep" in text
    assert from_json(text)


def test_deep_nesting_stays_within_the_parsers_limit() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]

    assert from_json(json.dumps({"payload": to_jsonable(deep)}))
