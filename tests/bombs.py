"""Logs of a few KB that decompress to about 16 MiB of JSON, in several shapes."""

import json

from logs.models import LogItem
from logs.storage import documents
from tests.items import make_item

SHAPES = {
    "lists": "[" + ",".join(["[]"] * 5_000_000) + "]",
    "objects": "[" + ",".join(['{"a":{}}'] * 1_600_000) + "]",
    "numbers": "[" + ",".join(["1"] * 7_000_000) + "]",
    "strings": "[" + ",".join(['"ab"'] * 3_000_000) + "]",
    "nested": "[" * 190 + ",".join(["[]"] * 4_000_000) + "]" * 190,
    "one_string": json.dumps("é😀" * 2_500_000, ensure_ascii=False),
}


def stored_bomb(shape: str, number: int = 1, *, field: str = "payload") -> LogItem:
    """Return the item of a log whose payload, or extra fields, have this shape."""
    text = SHAPES[shape]
    document = documents.Document(payload=text)
    if field == "extra":
        document = documents.Document(extra=f'{{"a":{text}}}')
    return make_item(number, payload_type="json", payload_size=len(text), document=documents.pack(document))
