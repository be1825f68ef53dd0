"""A cursor restores its position and is valid for its own plan only."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.test import override_settings

from logs import cursor
from logs.filters import LogFilter, Order
from logs.plan import END, Direction, Key, Position, begin_at, make_plan

PLAN = make_plan(LogFilter(account_id=("7",)))
KEY = Key("2026-11-23T22:44:00.123456+00:00", "0123456789abcdef0123456789abcdef", "7", is_row=True)
HERE = Position(Direction.NEXT, KEY)


@pytest.mark.parametrize(
    "position",
    [
        HERE,
        Position(Direction.PREVIOUS, KEY),
        Position(Direction.NEXT, KEY, inclusive=True),
        END,
        begin_at(datetime(2026, 11, 23, tzinfo=UTC)),
        Position(Direction.NEXT, replace(KEY, is_row=False)),
    ],
)
def test_cursor_round_trips_its_position(position: Position) -> None:
    assert cursor.decode(cursor.encode(position, PLAN), PLAN) == position


def test_cursor_length_is_bounded() -> None:
    accounts = tuple("ä" * 249 + str(number) for number in range(10))
    plan = make_plan(
        LogFilter(account_id=accounts, type=tuple("ö" * 249 + str(number) for number in range(5)))
    )
    for stream in plan.streams:
        position = Position(Direction.PREVIOUS, replace(KEY, partition=stream.key), inclusive=True)
        text = cursor.encode(position, plan)
        assert len(text) < 300
        assert cursor.decode(text, plan) == position


def test_cursor_of_a_removed_shard_is_rejected() -> None:
    text = cursor.encode(
        Position(Direction.NEXT, replace(KEY, partition="OK#7")), make_plan(LogFilter(), shards=8)
    )
    with pytest.raises(cursor.BadCursor, match="sorting shards"):
        cursor.decode(text, make_plan(LogFilter()))


@pytest.mark.parametrize(
    "other", [LogFilter(account_id=("8",)), LogFilter(), LogFilter(account_id=("7",), order=Order.OLDEST)]
)
def test_cursor_of_another_filter_is_rejected(other: LogFilter) -> None:
    with pytest.raises(cursor.BadCursor, match="another filter"):
        cursor.decode(cursor.encode(HERE, make_plan(other)), PLAN)


def test_cursor_with_a_changed_character_is_rejected() -> None:
    text = cursor.encode(HERE, PLAN)
    for index, character in enumerate(text):
        changed = text[:index] + ("A" if character != "A" else "B") + text[index + 1 :]
        with pytest.raises(cursor.BadCursor):
            cursor.decode(changed, PLAN)


@pytest.mark.parametrize(
    "text", ["x", ":", "e30:x", "\x00", "\ud800", "é" * 5000, cursor.encode(HERE, PLAN)[:40]]
)
def test_malformed_cursor_is_rejected(text: str) -> None:
    with pytest.raises(cursor.BadCursor, match="damaged"):
        cursor.decode(text, PLAN)


def test_cursor_of_another_version_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    text = cursor.encode(HERE, PLAN)
    monkeypatch.setattr(cursor, "VERSION", cursor.VERSION + 1)
    with pytest.raises(cursor.BadCursor, match="another version"):
        cursor.decode(text, PLAN)


def test_cursor_survives_key_rotation_only() -> None:
    text = cursor.encode(HERE, PLAN)
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert cursor.decode(text, PLAN) == HERE
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[]), pytest.raises(cursor.BadCursor):
        cursor.decode(text, PLAN)


def test_cursor_is_the_same_in_another_process() -> None:
    program = (
        "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'\n"
        "import django; django.setup()\n"
        "from tests.test_cursor import HERE, PLAN, cursor\n"
        "print(cursor.encode(HERE, PLAN))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == cursor.encode(HERE, PLAN)
