"""`python -m ingest send`: a file of NDJSON, once."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest import __main__ as commands
from ingest.handler import lambda_handler
from ingest.wire import sqs
from tests.factories import make_body, make_event
from tests.items import logs
from tests.queues import Queues
from tests.switched_sqs import SwitchedSqs

pytest_plugins = ["tests.sqs_server"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Return a function that runs the command, and returns its status and what it said."""

    def send(*arguments: object) -> tuple[int, str]:
        status = commands.main(["send", *map(str, arguments)])
        return status, capsys.readouterr().err

    return send


def a_file(folder: Path, *lines: str) -> Path:
    path = folder / "logs.ndjson"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_every_line_is_a_log(queues: Queues, run: Callable[..., Any], tmp_path: Path) -> None:
    path = a_file(tmp_path, *(make_body(user_id=number) for number in range(25)))
    status, said = run(path)
    assert (status, "Sent: 25, refused: 0" in said) == (0, True)
    assert sorted(json.loads(body)["user_id"] for body in queues.bodies()) == [*range(25)]


def test_sent_twice_it_is_stored_once(
    queues: Queues, logs_table: None, run: Callable[..., Any], tmp_path: Path
) -> None:
    path = a_file(tmp_path, make_body(), make_body(), make_body(created_at="2026-11-23"))
    run(path)
    run(path)
    assert lambda_handler(make_event(*queues.bodies()), None) == {"batchItemFailures": []}
    assert len(logs()) == 3
    assert queues.dead_letters() == []


def test_what_is_no_log_is_told_with_its_line_and_not_sent(
    queues: Queues, run: Callable[..., Any], tmp_path: Path
) -> None:
    path = a_file(tmp_path, make_body(), "", "no json SECRET", make_body(type=""), make_body())
    with path.open("ab") as file:
        file.write(b'{"type": "\xff"}\n')
    status, said = run(path)
    assert status == 1
    assert "line 3: body: must be JSON" in said
    assert "line 4: type: must be a non-empty text" in said
    assert "line 6: body: must be JSON in UTF-8" in said
    assert "Sent: 2, refused: 3" in said
    assert "SECRET" not in said
    assert queues.count() == 2


def test_standard_input_and_a_last_line_without_an_end(
    queues: Queues, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{make_body()}\r\n{make_body()}".encode())))
    assert run("-")[0] == 0
    assert queues.count() == 2


def test_a_large_line_is_compressed(queues: Queues, run: Callable[..., Any], tmp_path: Path) -> None:
    assert run(a_file(tmp_path, make_body(payload="x" * 3_000_000)))[0] == 0
    [body] = queues.bodies()
    assert len(body) < 100_000


def test_a_line_beyond_all_bounds_is_refused_without_reading_it_whole(
    queues: Queues, run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.cli.ndjson.MAX_LINE_BYTES", 1000)
    status, said = run(a_file(tmp_path, make_body(payload="x" * 5000), make_body()))
    assert status == 1
    assert "line 1: body: must have at most 1,000 bytes" in said
    assert queues.count() == 1


def test_where_sqs_is_away_it_says_where_to_go_on(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = SwitchedSqs()
    monkeypatch.setenv("LOGS_QUEUE_URL", "http://127.0.0.1/1/x")
    monkeypatch.setattr(sqs, "client", lambda **kwargs: made)
    path = a_file(tmp_path, *(make_body(user_id=number) for number in range(25)))
    send = made.send_message_batch

    def once(**request: Any) -> Any:
        if made.batches:
            made.on.clear()
        return send(**request)

    monkeypatch.setattr(made, "send_message_batch", once)
    status, said = run(path)
    assert status == 1
    assert "Sent: 10" in said
    assert "To continue: --from-line 11" in said
    made.on.set()
    monkeypatch.setattr(made, "send_message_batch", send)
    assert run(path, "--from-line", 11)[0] == 0
    assert made.users == [*range(25)]


def test_ctrl_c_says_where_to_go_on(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, queues: Queues
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ingest.cli.send.send_batch", stop)
    status, said = run(a_file(tmp_path, make_body(), make_body()))
    assert status == 130
    assert "Sent: 0, refused: 0\nTo continue: --from-line 1\n" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.ndjson"], "No such file"),
        (["-", "--follow"], "--follow needs a file"),
        (["x", "--follow", "--from-line", "2"], "omit - and --from-line"),
    ],
)
def test_what_makes_no_sense_is_said(
    queues: Queues, run: Callable[..., Any], arguments: list[str], words: str
) -> None:
    status, said = run(*arguments)
    assert status
    assert words in said


def test_without_a_queue_it_says_what_is_missing(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOGS_QUEUE_URL", raising=False)
    status, said = run(a_file(tmp_path, make_body()))
    assert (status, said) == (2, "Name the queue in --queue-url or LOGS_QUEUE_URL.\n")
