"""JSON is counted and split without building its values."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.wire.json_text import NotAnObject, count_nodes, has_at_most, split_object
from logs.storage import json_nodes
from tests.bombs import SHAPES

VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def number_of_values(value: Any) -> int:
    if isinstance(value, list):
        return 1 + sum(map(number_of_values, value))
    if isinstance(value, dict):
        return 1 + sum(map(number_of_values, value.values()))
    return 1


@given(VALUES, st.booleans())
def test_count_nodes_is_never_too_low(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)

    assert number_of_values(value) <= count_nodes(text)
    assert count_nodes(text) == json_nodes.count_nodes(text)
    assert has_at_most(text, count_nodes(text))
    assert not has_at_most(text, number_of_values(value) - 1)


@given(st.dictionaries(st.text(), VALUES), st.sampled_from([None, 2]), st.booleans())
def test_split_object_equals_parsing(value: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    text = f" {json.dumps(value, indent=indent, ensure_ascii=ascii_only)}\n"

    assert {json.loads(name): json.loads(part) for name, part in split_object(text)} == value


@pytest.mark.parametrize("shape", SHAPES)
def test_split_object_takes_a_bomb_apart(shape: str) -> None:
    members = dict(split_object(f'{{"account_id": 7, "payload": {SHAPES[shape]}, "url": "/a"}}'))

    assert members == {'"account_id"': "7", '"payload"': SHAPES[shape], '"url"': '"/a"'}


@pytest.mark.parametrize(
    "text",
    [
        "", "1", "[]", "{", "}", '{"a"}', '{"a":}', '{"a":1', '{"a":1,}', '{"a":1}}', '{"a":[}', '{"a":1} x',
        '{a:1}', '{"a" 1}', '{"a":"x}', '{"a":1 2}', '{,}', '{"a":' + "[" * 300 + "]" * 300 + "}",
    ],
)  # fmt: skip
def test_split_object_rejects_other_texts(text: str) -> None:
    with pytest.raises(NotAnObject):
        dict(split_object(text))
