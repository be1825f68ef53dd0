"""`python -m ingest send --follow`: a file that grows, is rotated, emptied, and a relay that is restarted."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ingest import relay, sqs
from ingest.relay import Relay
from tests.factories import make_body
from tests.queues import Queues
from tests.switched_sqs import SwitchedSqs
from tests.workers import wait_until

pytest_plugins = ["tests.sqs_server"]

URL = "http://127.0.0.1/123456789012/logs"


@pytest.fixture
def switched(monkeypatch: pytest.MonkeyPatch) -> SwitchedSqs:
    made = SwitchedSqs()
    monkeypatch.setattr(sqs, "client", lambda **kwargs: made)
    monkeypatch.setattr(relay, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(relay, "TICK_SECONDS", 0.01)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.ndjson"


@pytest.fixture
def following(switched: SwitchedSqs, path: Path) -> Callable[[], object]:
    """Return a context manager in which a relay follows the file."""

    @contextmanager
    def follow() -> Iterator[Relay]:
        made = Relay(path, path.with_name("checkpoint"), sqs.client(), URL)
        thread = threading.Thread(target=made.run)
        thread.start()
        try:
            yield made
        finally:
            made.stop()
            thread.join(20)

    return follow


def write(path: Path, *numbers: int, end: str = "\n") -> None:
    with path.open("a") as file:
        file.write("".join(f"{make_body(user_id=number)}{end}" for number in numbers))


def test_what_is_written_is_sent(following: Callable[[], Any], switched: SwitchedSqs, path: Path) -> None:
    with following():
        write(path, *range(12))
        wait_until(lambda: len(switched.users) == 12)
        write(path, 12)
        wait_until(lambda: len(switched.users) == 13)
    assert switched.users == [*range(13)]


def test_a_line_without_an_end_waits_for_it(
    following: Callable[[], Any], switched: SwitchedSqs, path: Path
) -> None:
    with following():
        write(path, 0)
        write(path, 1, end="")
        wait_until(lambda: switched.users == [0])
        with path.open("a") as file:
            file.write("\n")
        wait_until(lambda: switched.users == [0, 1])


@pytest.mark.parametrize("is_copied", [False, True], ids=["renamed", "copied and emptied"])
def test_a_rotation_loses_nothing(
    following: Callable[[], Any], switched: SwitchedSqs, path: Path, is_copied: bool
) -> None:
    with following():
        write(path, 0, 1, 2)
        wait_until(lambda: switched.users == [0, 1, 2])
        if is_copied:
            os.truncate(path, 0)
        else:
            path.rename(path.with_name("app.ndjson.1"))
        write(path, 3)
        wait_until(lambda: 3 in switched.users)
    assert switched.users == [0, 1, 2, 3]


def test_a_restart_goes_on_where_it_stopped(
    following: Callable[[], Any], switched: SwitchedSqs, path: Path
) -> None:
    with following():
        write(path, *range(3))
        wait_until(lambda: len(switched.users) == 3)
    write(path, 3)
    with following():
        wait_until(lambda: 3 in switched.users)
    assert switched.users == [*range(4)]


def test_what_was_rotated_while_it_was_down_is_finished_first(
    following: Callable[[], Any], switched: SwitchedSqs, path: Path
) -> None:
    with following():
        write(path, 0)
        wait_until(lambda: switched.users == [0])
    write(path, 1)
    write(path, 2, end="")  # its writer has died
    path.rename(path.with_name("app.ndjson.1"))
    write(path, 3)
    with following():
        wait_until(lambda: 3 in switched.users)
    assert switched.users == [0, 1, 2, 3]


def test_another_file_with_the_inode_of_an_old_one_is_not_taken_for_it(
    following: Callable[[], Any], switched: SwitchedSqs, path: Path
) -> None:
    with following():
        write(path, 0)
        wait_until(lambda: switched.users == [0])
    path.write_text("")  # the same inode, another content
    write(path, 5, 6)
    with following():
        wait_until(lambda: 6 in switched.users)
    assert switched.users == [0, 5, 6]


def test_the_same_text_in_the_next_life_of_a_file_is_another_log(
    following: Callable[[], Any], switched: SwitchedSqs, path: Path
) -> None:
    with following():
        write(path, 0)
        wait_until(lambda: len(switched.users) == 1)
        os.truncate(path, 0)
        wait_until(lambda: json.loads(path.with_name("checkpoint").read_text())["offset"] == 0)
        write(path, 0)
        wait_until(lambda: len(switched.users) == 2)
    assert len({json.loads(body)["id"] for batch in switched.batches for body in batch}) == 2


def test_a_batch_that_was_sent_before_a_crash_has_the_same_ids_again(
    following: Callable[[], Any], switched: SwitchedSqs, path: Path
) -> None:
    write(path, 0, 1)
    with following():
        wait_until(lambda: len(switched.users) == 2)
    checkpoint = path.with_name("checkpoint")
    kept = json.loads(checkpoint.read_text())
    with path.open("rb") as file:
        empty = {**kept, "offset": 0, "head": relay._head(file, 0)}
    checkpoint.write_text(json.dumps(empty))  # as it was before the batch
    with following():
        wait_until(lambda: len(switched.users) == 4)
    ids = [json.loads(body)["id"] for batch in switched.batches for body in batch]
    assert ids[:2] == ids[2:]


def test_what_is_no_log_is_sent_on_to_be_a_dead_letter(
    following: Callable[[], Any], switched: SwitchedSqs, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with following() as running:
        path.write_bytes(b"no json \x00 \xff SECRET\n")
        write(path, 1)
        wait_until(lambda: running.sent == 2)
    assert next(body for batch in switched.batches for body in batch) == "no json � � SECRET"
    assert "will be a dead letter" in caplog.text
    assert "SECRET" not in caplog.text


def test_sqs_away_holds_it_up_and_loses_nothing(
    following: Callable[[], Any], switched: SwitchedSqs, path: Path
) -> None:
    switched.on.clear()
    with following():
        write(path, *range(30))
        wait_until(lambda: switched.tries > 2)
    assert switched.users == []
    switched.on.set()
    with following():
        wait_until(lambda: len(switched.users) == 30)
    assert switched.users == [*range(30)]


def test_a_spoilt_checkpoint_is_said(path: Path, switched: SwitchedSqs) -> None:
    path.with_name("checkpoint").write_text("{")
    with pytest.raises(OSError, match="is no checkpoint: delete it to begin anew"):
        Relay(path, path.with_name("checkpoint"), sqs.client(), URL).run()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_stops_in_order(queues: Queues, path: Path, number: signal.Signals) -> None:
    write(path, 0, 1)
    process = subprocess.Popen(
        [sys.executable, "-m", "ingest", "send", "--follow", str(path)], stderr=subprocess.PIPE, text=True
    )
    try:
        wait_until(lambda: queues.count() == 2)
        process.send_signal(number)
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0
    assert said.endswith("Stopped: 2 sent.\n")
    assert path.with_name("app.ndjson.logsite-checkpoint").exists()
