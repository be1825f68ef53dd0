"""`python -m ingest send`: lines that are encoded, damaged, or in another encoding."""

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest import __main__ as commands
from ingest import messages
from ingest.cli import ndjson, relay
from ingest.cli.relay import Relay
from ingest.messages import InvalidMessage
from ingest.wire import sqs
from ingest.wire.characters import REPLACED_SURROGATES
from tests.factories import LOG_ID, make_body
from tests.switched_sqs import SwitchedSqs

URL = "http://127.0.0.1/123456789012/logs"
LOG = make_body(user_id=1)

Send = Callable[[bytes], list[str]]


@pytest.fixture(params=["send", "follow"])
def send(
    request: pytest.FixtureRequest,
    switched: SwitchedSqs,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Send:
    """Return a function that sends a file, and returns the bodies of the messages."""
    monkeypatch.setenv("LOGS_QUEUE_URL", URL)
    monkeypatch.setattr(relay, "POLL_SECONDS", 0.01)
    path = tmp_path / "logs.ndjson"

    def send_file(content: bytes) -> list[str]:
        path.write_bytes(content)
        if request.param == "send":
            commands.main(["send", str(path)])
        else:
            follower = Relay(path, path.with_name("checkpoint"), sqs.client(), URL)
            monkeypatch.setattr(follower, "_sleep", follower.stop)
            follower.run()
        bodies = [body for batch in switched.batches for body in batch]
        switched.batches.clear()
        return bodies

    return send_file


def make_line(**fields: Any) -> bytes:
    return make_body(**fields).encode() + b"\n"


ENCODED = {
    "text": json.dumps(LOG),
    "text twice": json.dumps(json.dumps(LOG)),
    "list of one": f"[{LOG}]",
    "base64": base64.b64encode(LOG.encode()).decode(),
    "base64 of a list": base64.b64encode(f"[{LOG}]".encode()).decode(),
    "base64 as text": json.dumps(base64.b64encode(LOG.encode()).decode()),
    "text with its id": json.dumps(make_body(user_id=1, id=LOG_ID)),
    "text with a surrogate": json.dumps(make_body(user_id=1, payload="\ud800")),
}


@pytest.mark.parametrize("line", ENCODED.values(), ids=ENCODED.keys())
def test_encoded_line_is_sent_or_refused(send: Send, line: str) -> None:
    try:
        messages.parse(line)
        is_valid = True
    except InvalidMessage:
        is_valid = False
    content = make_line(user_id=0) + line.encode() + b"\n" + make_line(user_id=2)
    bodies = send(content)
    logs = [messages.parse(body) for body in bodies if body != line]
    assert [log.user_id for log in logs] == (["0", "1", "2"] if is_valid else ["0", "2"])
    assert all(log.id for log in logs)


def test_certain_encodings_are_sent() -> None:
    for name in ("text", "list of one", "base64"):
        line = ndjson.parse_line(ENCODED[name].encode(), 1, 2, "source")
        assert json.loads(line.body)["user_id"] == json.loads(LOG)["user_id"]
        assert json.loads(line.body)["id"] == line.id
        assert line == ndjson.parse_line(ENCODED[name].encode(), 1, 2, "source")


def test_lists_of_one_in_a_list_are_logs(switched: SwitchedSqs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"[[{LOG}],[{LOG}]]".encode())))
    assert commands.main(["send", "--queue-url", URL, "-"]) == 0
    assert switched.users == [1, 1]


@pytest.mark.parametrize("value", ["9" * 5000, "1e400", "[" * 3000 + "]" * 3000])
def test_value_that_only_the_writer_reads_is_sent(send: Send, value: str) -> None:
    payload = f"[{value}, {'1,' * messages.MAX_NODES}1]"
    line = make_body(user_id=1)[:-1] + f', "payload": {payload}}}'
    bodies = send(make_line(user_id=0) + line.encode() + b"\n" + make_line(user_id=2))
    # A refused value becomes a dead letter, which has no id.
    users = [messages.parse(body).user_id for body in bodies if '"id"' in body or messages.DEFLATE in body]
    assert users in (["0", "1", "2"], ["0", "2"])


def test_unexpected_error_does_not_stop_the_relay(
    switched: SwitchedSqs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "logs.ndjson"
    path.write_bytes(make_line(user_id=0) + make_line(user_id=1, payload="SECRET") + make_line(user_id=2))
    unwrap = messages.unwrap

    def fail(body: str) -> tuple[dict[str, Any], str]:
        if "SECRET" in body:
            raise RuntimeError(body)
        return unwrap(body)

    monkeypatch.setattr(messages, "unwrap", fail)
    follower = Relay(path, path.with_name("checkpoint"), sqs.client(), URL)
    monkeypatch.setattr(follower, "_sleep", follower.stop)
    follower.run()
    assert follower.sent == 3
    assert "will be a dead letter: RuntimeError" in caplog.text
    assert "SECRET" not in caplog.text


HALVES = {
    "low half": (b"\xed\xb0\x80", "�", 1),
    "high half": (b"\xed\xa0\xbd", "�", 1),
    "two halves": (b"\xed\xb0\x80-\xed\xbf\xbf", "�-�", 2),
    "pair": (b"\xed\xa0\xbd\xed\xb8\x80", "\U0001f600", None),
    "half and escape": (b"\xed\xb0\x80\\ud800", "��", 2),
}


@pytest.mark.parametrize(("half", "text", "count"), HALVES.values(), ids=HALVES.keys())
def test_surrogate_as_bytes_is_replaced_and_counted(
    send: Send, half: bytes, text: str, count: int | None
) -> None:
    (body,) = send(make_line(url="X").replace(b"X", b"/" + half))
    log = messages.parse(body)
    assert log.url == f"/{text}"
    assert log.id
    assert (log.model_extra or {}).get(REPLACED_SURROGATES) == count


DAMAGED = {
    "Windows-1252": make_line(url="/café").decode("unicode_escape").encode("cp1252"),
    "Latin-1": make_line(url="X").replace(b"X", b"\xff"),
    "key": make_line(payload={"X": 1}).replace(b"X", b"\xe9"),
    "mixed with a surrogate": make_line(url="X").replace(b"X", b"\xed\xb0\x80\xe9"),
    "cut character": make_line(url="X").replace(b"X", b"\xe2\x82"),
    "NUL": make_line(url="X").replace(b"X", b"a\0b"),
    "control character": make_line(url="X").replace(b"X", b"a\x01b"),
    "wrapped": b'{"Type": "Notification", "Message": "\xe9"}\n',
    "text": json.dumps(make_body(url="X")).encode().replace(b"X", b"\xe9") + b"\n",
    "overlong": LOG.encode() + b" " * ndjson.MAX_LINE_BYTES + b"\n",
}


@pytest.mark.parametrize("line", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_line_stays_invalid(send: Send, line: bytes) -> None:
    first, *others = send(make_line(user_id=0) + line)
    assert messages.parse(first).user_id == "0"
    for body in others:
        with pytest.raises(InvalidMessage):
            messages.parse(body)
