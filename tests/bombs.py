"""Logs of a few KB that decompress to about 16 MiB of JSON, in several shapes."""

import base64
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ingest.messages import DEFLATE
from logs.models import LogItem
from logs.storage import documents
from tests.factories import make_body
from tests.items import make_item


class Texts(Mapping[str, str]):
    """Texts by name. Each is built when it is first used, because most tests need none."""

    def __init__(self, builders: dict[str, Callable[[], str]]) -> None:
        self.builders = builders
        self.texts: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        if name not in self.texts:
            self.texts[name] = self.builders[name]()
        return self.texts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.builders)

    def __len__(self) -> int:
        return len(self.builders)


SHAPES = Texts(
    {
        "lists": lambda: "[" + ",".join(["[]"] * 5_000_000) + "]",
        "objects": lambda: "[" + ",".join(['{"a":{}}'] * 1_600_000) + "]",
        "numbers": lambda: "[" + ",".join(["1"] * 7_000_000) + "]",
        "strings": lambda: "[" + ",".join(['"ab"'] * 3_000_000) + "]",
        "nested": lambda: "[" * 190 + ",".join(["[]"] * 4_000_000) + "]" * 190,
        "one_string": lambda: json.dumps("é😀" * 2_500_000, ensure_ascii=False),
    }
)


def stored_bomb(shape: str, number: int = 1, *, field: str = "payload") -> LogItem:
    """Return the item of a log whose payload, or extra fields, have this shape."""
    text = SHAPES[shape]
    document = documents.Document(payload=text)
    if field == "extra":
        document = documents.Document(extra=f'{{"a":{text}}}')
    return make_item(number, payload_type="json", payload_size=len(text), document=documents.pack(document))


# JSON of messages: one wide character makes Python take four bytes for each, and each quote is escaped twice.
MESSAGE_SHAPES = Texts(
    {
        **SHAPES.builders,
        "wide": lambda: '["😀",' + ",".join(['"ab"'] * 3_000_000) + "]",
        "escapes": lambda: '["😀",' + ",".join(['"' + "\\\\" * 50 + '"'] * 150_000) + "]",
        "members": lambda: "{" + ",".join(f'"{number:06}":[]' for number in range(1_000_000)) + "}",
    }
)


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
