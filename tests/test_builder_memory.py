"""Building the digests of logs that decompress to 16 MiB takes bounded memory."""

import pytest

from ingest import messages
from ingest.writing import items
from logs.digests import segment_writer
from logs.digests.segment_writer import SegmentWriter
from logs.search_text import SearchText
from logs.storage import parts
from tests.bombs import make_bomb
from tests.digests import empty_digests_table
from tests.items import START, make_item
from tests.limited_process import LIMIT_MIB, run

pytestmark = pytest.mark.usefixtures("logs_table")

BUILDER = """
from logs.digests import builder
result = builder.build().logs
"""
# Of all shapes in tests/bombs.py, those that take the most memory, and the field they are in.
BOMBS = {"wide": "form", "escapes": "payload"}


def test_builder_of_bombs_fits_in_memory() -> None:
    empty_digests_table()
    for number, (shape, field) in enumerate(BOMBS.items()):
        envelope = messages.Envelope("m", f"{number:032x}", START, START, "AIDAIENQZJOLO23YVJ4VO")
        item = items.to_item(messages.parse(make_bomb(shape, field=field)), envelope)
        item.document = parts.save(item)
        item.save()

    logs, peak = run(BUILDER)

    assert logs == len(BOMBS)
    assert peak < LIMIT_MIB


def test_counts_of_one_moment_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment of logs that share one moment may have any number of them."""
    monkeypatch.setattr(segment_writer, "MAX_COUNTED_LOGS", 50)
    monkeypatch.setattr(segment_writer, "MAX_COUNTED_VALUES", 5)
    writer = SegmentWriter("generation")

    for number in range(150):
        user = "often" if number % 3 == 0 else f"user-{number}"
        writer.add(make_item(user_id=user, created_at=START), SearchText(url="/x"))

    [group] = writer.counts.groups.values()
    users = group.wide["user_id"]
    assert len(users.values) == 5
    assert users.total == 150
    assert users.number("often") == (50, True)
