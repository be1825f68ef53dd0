"""Logs of millions of values: what the client sends is bounded, and so is its memory."""

import json
import logging
import re
from collections import OrderedDict, UserDict
from collections.abc import Callable
from typing import Any

import pytest

from ingest.client import TooLarge
from ingest.sending import outgoing
from ingest.sending.serialize import MAX_VALUES, to_jsonable
from ingest.sending.value_limit import exceeds
from ingest.wire import sqs
from tests import limited_process
from tests.factories import make_fields

STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')


def nodes(body: str) -> int:
    """Return the number of values in a message as the writer counts them, without parsing."""
    structure = STRINGS.sub("", body)
    return 1 + sum(map(structure.count, ",[{"))


def prepare(**changes: Any) -> dict[str, Any]:
    return send(make_fields(**changes))


def send(fields: dict[str, Any], *, strict: bool = False) -> dict[str, Any]:
    """Return the fields that would be sent, after checking their limits."""
    log = outgoing.prepare(fields, strict=strict)
    assert len(log.body) <= sqs.MAX_BYTES
    text = json.dumps(log.fields)
    assert nodes(text) <= MAX_VALUES
    return log.fields


def laughs(levels: int) -> list[Any]:
    """Return a billion values in three levels: a list that holds another one a thousand times."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value] * 1000
    return value


def circle() -> list[Any]:
    value: list[Any] = []
    value += [value, {"again": value}]
    return value


def thousand(value: Any) -> tuple[Any, ...]:
    """Return a tuple of a thousand values. A type checker would count those of `(value,) * 1000`."""
    return tuple([value] * 1000)


BOMBS: dict[str, Callable[[], Any]] = {
    "lists": lambda: [[]] * 5_000_000,
    "objects": lambda: [{"a": {}}] * 2_000_000,
    "numbers": lambda: list(range(3_000_000)),
    "shared": lambda: laughs(5),
    "shared_tuples": lambda: thousand(thousand(thousand(0))),
    "circular": circle,
    "long_texts": lambda: ["x" * 1_000_000] * 1000,
    "long_bytes": lambda: [b"x" * 1_000_000] * 1000,
    "long_names": lambda: [{"x" * 1_000_000: 1}] * 1000,
    "sets": lambda: [frozenset(range(1000))] * 10_000,
    "mappings": lambda: [UserDict(a=1, b=2)] * 2_000_000,
    "ordered": lambda: [OrderedDict(a=[])] * 2_000_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_is_sent_with_a_note_in_its_place(name: str, caplog: pytest.LogCaptureFixture) -> None:
    fields = prepare(payload={"user": "anna", "form": BOMBS[name](), "path": "/x"})
    assert (fields["payload"]["user"], fields["payload"]["path"]) == ("anna", "/x")
    assert re.search(r"too (many|long)", json.dumps(fields["payload"]))
    assert "was truncated" in caplog.text


def test_bomb_in_another_field_is_sent_with_a_note() -> None:
    fields = prepare(payload="small", form=[[]] * 5_000_000, id="7" * 32)
    assert fields["form"] == "(list of 5,000,000 values, too many)"
    assert (fields["payload"], fields["id"]) == ("small", "7" * 32)


def test_strict_client_raises_for_a_bomb() -> None:
    with pytest.raises(TooLarge, match="has too many values"):
        send(make_fields(payload=[[]] * 5_000_000), strict=True)


@pytest.mark.parametrize("strict", [True, False])
def test_many_values_are_sent_whole_as_text(strict: bool, caplog: pytest.LogCaptureFixture) -> None:
    payload = {"rows": [[number, "é"] for number in range(40_000)]}
    fields = send(make_fields(payload=payload, tags=["a"]), strict=strict)
    assert json.loads(fields["payload"]) == payload
    assert fields["tags"] == ["a"]
    assert "more than 100,000 values; its largest fields are sent as text" in caplog.text


def test_several_large_fields_share_the_limit() -> None:
    half = list(range(60_000))
    fields = prepare(payload=half, other=half[:-1])
    assert json.loads(fields["payload"]) == half
    assert fields["other"] == half[:-1]


def test_values_up_to_the_limit_stay_json(caplog: pytest.LogCaptureFixture) -> None:
    payload = [1] * (MAX_VALUES - len(make_fields(payload=None)) - 3)  # with id and created_at
    assert prepare(payload=payload)["payload"] == payload
    assert caplog.text == ""
    assert isinstance(prepare(payload=[*payload, 1])["payload"], str)


def test_long_text_is_no_many_values(caplog: pytest.LogCaptureFixture) -> None:
    text = "[{," * 300_000
    assert prepare(payload=text)["payload"] == text
    assert prepare(payload={"text": text})["payload"] == {"text": text}
    assert caplog.text == ""


def test_hundred_thousands_of_fields_are_bounded() -> None:
    unknown = {f"field{number}": number for number in range(150_000)}
    fields = send({**make_fields(), **unknown})
    assert fields["account_id"] == make_fields()["account_id"]
    assert json.loads(fields["fields"]) == unknown


def test_conversion_of_branching_circles_ends() -> None:
    text = json.dumps(to_jsonable(circle()))
    assert "too many" in text
    assert nodes(text) <= 2 * MAX_VALUES


def test_container_that_cannot_be_read_is_limited() -> None:
    class Broken(UserDict[str, int]):
        def __len__(self) -> int:
            raise RuntimeError("no length")

    assert exceeds({"payload": Broken(a=1)})
    assert prepare(payload=Broken(a=1))["payload"] == "(Broken, which cannot be read)"


PROGRAM = """
from ingest.client import LogClient
from ingest.sending.outgoing import prepare
from ingest.sending.batches import SendResult
from tests.factories import make_fields
from tests.test_value_limit import BOMBS
from ingest.wire import sqs
sqs.client = lambda **_: None
value = BOMBS[os.environ["BOMB"]]()
before = [int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmRSS")][0]
log = prepare(make_fields(payload={"form": value}), strict=False)
result = {"bytes": len(log.body), "before": before}
"""


@pytest.mark.parametrize("name", BOMBS)
def test_peak_memory_of_a_bomb_is_bounded(name: str) -> None:
    result, peak = limited_process.run(PROGRAM, BOMB=name)
    logging.getLogger(__name__).info("%s: %s, peak %d MiB", name, result, peak)
    assert result["bytes"] <= sqs.MAX_BYTES
    assert peak - result["before"] < 150
