"""`python -m ingest send`: an NDJSON file, sent once."""

import io
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest import __main__ as commands
from ingest.handler import lambda_handler
from ingest.messages import ID_NAMESPACE
from ingest.wire import sqs
from tests.factories import make_body, make_event
from tests.items import logs
from tests.queues import Queues
from tests.switched_sqs import SwitchedSqs

pytest_plugins = ["tests.sqs_server"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Return a function that runs the command. It returns the exit status and the error output."""

    def send(*arguments: object) -> tuple[int, str]:
        status = commands.main(["send", *map(str, arguments)])
        return status, capsys.readouterr().err

    return send


def make_file(folder: Path, *lines: str) -> Path:
    path = folder / "logs.ndjson"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_send_sends_every_line(queues: Queues, run: Callable[..., Any], tmp_path: Path) -> None:
    path = make_file(tmp_path, *(make_body(user_id=number) for number in range(25)))
    status, err = run(path)
    assert (status, "Sent: 25, refused: 0" in err) == (0, True)
    assert sorted(json.loads(body)["user_id"] for body in queues.bodies()) == [*range(25)]


def test_sending_a_file_twice_stores_each_log_once(
    queues: Queues, logs_table: None, run: Callable[..., Any], tmp_path: Path
) -> None:
    path = make_file(tmp_path, make_body(), make_body(), make_body(created_at="2026-11-23"))
    run(path)
    run(path)
    assert lambda_handler(make_event(*queues.bodies()), None) == {"batchItemFailures": []}
    assert len(logs()) == 3
    assert queues.dead_letters() == []


def test_ids_depend_on_the_installation_and_the_queue(
    queues: Queues, run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_file(tmp_path, make_body())
    other = queues.client.create_queue(QueueName=f"other-{tmp_path.name}")["QueueUrl"]

    run(path)
    [first] = ids(queues)
    run(path)
    [again] = ids(queues)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    run(path)
    [foreign] = ids(queues)
    run(path, "--queue-url", other)
    [elsewhere] = ids(Queues(queues.client, other, queues.dead_letter_url))

    assert first == again
    assert len({first, foreign, elsewhere}) == 3
    assert uuid.uuid5(ID_NAMESPACE, f"send:1:{make_body()}").hex not in (first, foreign)


def test_secret_of_the_installation_is_private(
    queues: Queues, run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    run(make_file(tmp_path, make_body()))

    [path] = (tmp_path / "state" / "logsite").iterdir()
    assert path.stat().st_mode & 0o077 == 0


def test_missing_secret_is_explained(
    queues: Queues, run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))

    status, err = run(make_file(tmp_path, make_body()))

    assert status == 1
    assert "Set XDG_STATE_HOME to a folder that this user can write." in err
    assert queues.bodies() == []


def ids(queues: Queues) -> list[str]:
    """Receive all messages of the queue of logs. Return the ids of their logs."""
    return [json.loads(body)["id"] for body in queues.bodies()]


def test_invalid_line_is_listed_and_not_sent(queues: Queues, run: Callable[..., Any], tmp_path: Path) -> None:
    path = make_file(tmp_path, make_body(), "", "no json SECRET", make_body(type=""), make_body())
    with path.open("ab") as file:
        file.write(b'{"type": "\xff"}\n')
    status, err = run(path)
    assert status == 1
    assert "line 3: body: must be JSON" in err
    assert "line 4: type: must be a non-empty text" in err
    assert "line 6: body: must be JSON in UTF-8" in err
    assert "Sent: 2, refused: 3" in err
    assert "SECRET" not in err
    assert queues.count() == 2


def test_standard_input_needs_no_final_line_end(
    queues: Queues, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{make_body()}\r\n{make_body()}".encode())))
    assert run("-")[0] == 0
    assert queues.count() == 2


def test_large_line_is_compressed(queues: Queues, run: Callable[..., Any], tmp_path: Path) -> None:
    assert run(make_file(tmp_path, make_body(payload="x" * 3_000_000)))[0] == 0
    [body] = queues.bodies()
    assert len(body) < 100_000


def test_overlong_line_is_refused_without_reading_it(
    queues: Queues, run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.cli.ndjson.MAX_LINE_BYTES", 1000)
    status, err = run(make_file(tmp_path, make_body(payload="x" * 5000), make_body()))
    assert status == 1
    assert "line 1: body: must have at most 1,000 bytes" in err
    assert queues.count() == 1


def test_outage_prints_the_line_to_continue_at(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    switched = SwitchedSqs()
    monkeypatch.setenv("LOGS_QUEUE_URL", "http://127.0.0.1/1/x")
    monkeypatch.setattr(sqs, "client", lambda **kwargs: switched)
    path = make_file(tmp_path, *(make_body(user_id=number) for number in range(25)))
    send = switched.send_message_batch

    def once(**request: Any) -> Any:
        if switched.batches:
            switched.on.clear()
        return send(**request)

    monkeypatch.setattr(switched, "send_message_batch", once)
    status, err = run(path)
    assert status == 1
    assert "Sent: 10" in err
    assert "To continue: --from-line 11" in err
    switched.on.set()
    monkeypatch.setattr(switched, "send_message_batch", send)
    assert run(path, "--from-line", 11)[0] == 0
    assert switched.users == [*range(25)]


def test_ctrl_c_prints_the_line_to_continue_at(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, queues: Queues
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ingest.cli.send.send_batch", stop)
    status, err = run(make_file(tmp_path, make_body(), make_body()))
    assert status == 130
    assert "Sent: 0, refused: 0\nTo continue: --from-line 1\n" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.ndjson"], "No such file"),
        (["-", "--follow"], "--follow needs a file"),
        (["x", "--follow", "--from-line", "2"], "omit - and --from-line"),
    ],
)
def test_contradictory_options_are_explained(
    queues: Queues, run: Callable[..., Any], arguments: list[str], words: str
) -> None:
    status, err = run(*arguments)
    assert status
    assert words in err


def test_missing_queue_url_names_the_option(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOGS_QUEUE_URL", raising=False)
    status, err = run(make_file(tmp_path, make_body()))
    assert (status, err) == (2, "Set the queue of logs with --queue-url or LOGS_QUEUE_URL.\n")
