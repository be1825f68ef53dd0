"""A document round-trips, and an item returns the fields as they were sent."""

from typing import Any

import pytest

from logs.storage import documents
from logs.storage.documents import Document
from tests.items import make_item


@pytest.mark.parametrize(
    "original",
    [
        Document(),
        Document(payload="x" * 100_000),
        Document(payload="\x00 é 😀 \ufffe"),
        Document(extra='{"a":[1,1.5,null,{"b":true}]}', created_at="2030-01-01"),
        Document(texts={"url": "/" * 2000}),
    ],
)
def test_document_round_trips(original: Document) -> None:
    assert documents.unpack(documents.pack(original)) == original


def test_only_a_long_document_is_compressed() -> None:
    assert len(documents.pack(Document(payload="x" * 100_000))) < 500
    assert documents.pack(Document(extra='{"a":1}')) == b'j{"extra":"{\\"a\\":1}"}'


@pytest.mark.parametrize("data", [b"", b"x", b"\x00{}", b"{}"])
def test_unknown_format_raises(data: bytes) -> None:
    with pytest.raises(ValueError, match="a whole document begins with"):
        documents.unpack(data)


@pytest.mark.parametrize(
    ("text", "kind", "payload"),
    [
        (None, None, None),
        ("", "text", ""),
        ("7", "text", "7"),
        ("7", "json", 7),
        ('{"a":1}', "json", {"a": 1}),
    ],
)
def test_payload_keeps_its_value_and_type(text: str | None, kind: str | None, payload: Any) -> None:
    content = documents.content(make_item(payload=text, payload_type=kind))

    assert content.payload == payload
    assert content.payload_text == text


def test_document_overrides_truncated_fields() -> None:
    data = documents.pack(
        Document(payload='["long"]', texts={"url": "whole"}, extra='{"a":1}', created_at="then")
    )

    content = documents.content(make_item(url="who…", payload_type="json", document=data))

    assert content.fields["url"] == "whole"
    assert content.payload == ["long"]
    assert content.extra == {"a": 1}
    assert content.sent_created_at == "then"
    assert content.fields["account_id"] == "7"
