"""Logs of a few KB that decompress to about 16 MiB of JSON, in several shapes."""

import base64
import json
import zlib
from typing import Any

from ingest.messages import DEFLATE
from logs.models import LogItem
from logs.storage import documents
from tests.factories import make_body
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


# JSON of messages: one wide character makes Python take four bytes for each, and each quote is escaped twice.
MESSAGE_SHAPES = {
    **SHAPES,
    "wide": '["😀",' + ",".join(['"ab"'] * 3_000_000) + "]",
    "escapes": '["😀",' + ",".join(['"' + "\\\\" * 50 + '"'] * 150_000) + "]",
    "members": "{" + ",".join(f'"{number:06}":[]' for number in range(1_000_000)) + "}",
}


def make_bomb(shape: str, *, field: str = "payload", is_compressed: bool = True, **changes: Any) -> str:
    """Return the body of a message whose payload, or another field, has this shape.

    It is compressed, or has 1 MiB at most.
    """
    text = MESSAGE_SHAPES[shape]
    if not is_compressed:
        text = json.dumps(text[:400_000]) if shape == "one_string" else _shorten(text, 1_000_000)
    body = make_body(payload=..., **changes)[:-1] + f', "{field}": {text}}}'
    if not is_compressed:
        return body
    return json.dumps({DEFLATE: base64.b64encode(zlib.compress(body.encode())).decode()})


def _shorten(text: str, size: int) -> str:
    """Return the beginning of a JSON list or object as valid JSON. Its strings contain no brackets."""
    text = text[: text.rindex(",", 0, size)]
    return text + "]" * (text.count("[") - text.count("]")) + "}" * (text.count("{") - text.count("}"))
