"""What is packed comes back the same, and an item gives back what its sender said."""

from typing import Any

import pytest

from logs import document
from logs.document import Document
from tests.items import make_item


@pytest.mark.parametrize(
    "whole",
    [
        Document(),
        Document(payload="x" * 100_000),
        Document(payload="\x00 é 😀 \ufffe"),
        Document(extra={"a": [1, 1.5, None, {"b": True}], "": 10**300}, created_at="2030-01-01"),
        Document(texts={"url": "/" * 2000}),
    ],
)
def test_document_round_trips(whole: Document) -> None:
    assert document.unpack(document.pack(whole)) == whole


def test_only_a_long_document_is_compressed() -> None:
    assert len(document.pack(Document(payload="x" * 100_000))) < 500
    assert document.pack(Document(extra={"a": 1})) == b'j{"extra":{"a":1}}'


@pytest.mark.parametrize("data", [b"", b"x", b"\x00{}", b"{}"])
def test_unknown_format_raises(data: bytes) -> None:
    with pytest.raises(ValueError, match="a whole document begins with"):
        document.unpack(data)


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
    said = document.content(make_item(payload=text, payload_type=kind))

    assert said["payload"] == payload
    assert said["payload_text"] == text


def test_document_overrides_truncated_fields() -> None:
    packed = document.pack(
        Document(payload='["long"]', texts={"url": "whole"}, extra={"a": 1}, created_at="then")
    )

    said = document.content(make_item(url="who…", payload_type="json", document=packed))

    assert said["url"] == "whole"
    assert said["payload"] == ["long"]
    assert said["extra"] == {"a": 1}
    assert said["sent_created_at"] == "then"
    assert said["account_id"] == "7"
