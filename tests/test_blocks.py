"""Blocks: their texts survive packing, and a match lies within one text."""

import pytest

from logs.digests import blocks
from logs.digests.blocks import Block, Entry

TEXTS = ["first text", "", "second text 💶", "lone \ud800 surrogate", "line\nbreak", "плащане"]


def entry(number: int, status: str = "OK") -> Entry:
    return Entry(number, 1_000 + number, f"{number:032x}", status)


def make_block(texts: list[str] = TEXTS, statuses: tuple[str, ...] = ("OK",)) -> Block:
    """Return a block with a log for each text."""
    block = Block()
    for number, text in enumerate(texts):
        block.add(entry(number, statuses[number % len(statuses)]), text)
    return block


def numbers(block: Block, *needles: str) -> list[int]:
    matching = block.find([needle.encode(errors="surrogatepass") for needle in needles])
    return [each.number for each in matching]


@pytest.mark.parametrize("statuses", [("OK",), ("OK", "OK#3"), ("OK#1", "OK#0", "OK")])
@pytest.mark.parametrize("texts", [TEXTS, [""], ["", ""], []])
def test_block_survives_packing(texts: list[str], statuses: tuple[str, ...]) -> None:
    block = make_block(texts, statuses)
    assert blocks.unpack(blocks.pack(block)) == block


def test_block_without_texts_survives_packing() -> None:
    block = Block([entry(0), entry(1, "OK#2")], None)
    unpacked = blocks.unpack(blocks.pack(block))
    assert unpacked == block
    assert numbers(unpacked, "anything") == [0, 1]


def test_find_returns_the_logs_in_order() -> None:
    block = blocks.unpack(blocks.pack(make_block()))
    assert numbers(block, "text") == [0, 2]
    assert numbers(block, "💶", "first") == [0, 2]
    assert numbers(block, "\ud800") == [3]
    assert numbers(block, "nowhere") == []
    assert numbers(make_block(["aa", "aaaa", "b"]), "a") == [0, 1]


def test_match_lies_within_one_text() -> None:
    block = make_block(["one end", "begin two"])
    assert numbers(block, "end begin") == []
    assert numbers(block, "endbegin") == []
    assert numbers(block, "e") == [0, 1]


def test_block_without_a_log_has_no_text_of_it() -> None:
    block = make_block()
    rest = blocks.without(block, entry(2).log_id)
    assert [each.number for each in rest.entries] == [0, 1, 3, 4, 5]
    assert numbers(rest, "second") == []
    assert numbers(rest, "text", "плащане") == [0, 5]
    assert blocks.unpack(blocks.pack(rest)) == rest
    assert blocks.without(block, "another") == block
    assert blocks.without(Block([entry(0)], None), entry(0).log_id) == Block([], None)


def test_block_is_full_by_logs_or_bytes() -> None:
    assert not make_block(["x"] * (blocks.MAX_LOGS - 1)).is_full
    assert make_block(["x"] * blocks.MAX_LOGS).is_full
    assert not make_block(["x" * (blocks.MAX_TEXT_BYTES - 1)]).is_full
    # Bytes, not characters.
    assert make_block(["п" * (blocks.MAX_TEXT_BYTES // 2)]).is_full
