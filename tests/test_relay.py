"""`python -m ingest send --follow`: growing, rotated and truncated files, and restarts."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ingest.cli import relay
from ingest.cli.checkpoint import Checkpoint, hash_head
from ingest.cli.errors import CommandFailed
from ingest.cli.relay import Relay
from ingest.wire import sqs
from tests.factories import make_body
from tests.queues import Queues
from tests.switched_sqs import SwitchedSqs
from tests.waiting import wait_until

pytest_plugins = ["tests.sqs_server"]

URL = "http://127.0.0.1/123456789012/logs"


@pytest.fixture(autouse=True)
def short_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the backoff and the intervals."""
    monkeypatch.setattr(relay, "FIRST_DELAY_SECONDS", 0.02)
    monkeypatch.setattr(relay, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(relay, "QUIET_SECONDS", 0.3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.ndjson"


@pytest.fixture
def follow_file(switched: SwitchedSqs, path: Path) -> Callable[[], object]:
    """Return a context manager in which a relay follows the file."""

    @contextmanager
    def follow() -> Iterator[Relay]:
        follower = Relay(path, path.with_name("checkpoint"), sqs.client(), URL)
        thread = threading.Thread(target=follower.run)
        thread.start()
        try:
            yield follower
        finally:
            follower.stop()
            thread.join(20)

    return follow


def write(path: Path, *numbers: int, end: str = "\n") -> None:
    with path.open("a") as file:
        file.write("".join(f"{make_body(user_id=number)}{end}" for number in numbers))


def test_relay_sends_present_and_new_lines(
    follow_file: Callable[[], Any], switched: SwitchedSqs, path: Path
) -> None:
    with follow_file():
        write(path, *range(12))
        wait_until(lambda: len(switched.users) == 12)
        write(path, 12)
        wait_until(lambda: len(switched.users) == 13)
    assert switched.users == [*range(13)]


def test_incomplete_line_waits_for_its_end(
    follow_file: Callable[[], Any], switched: SwitchedSqs, path: Path
) -> None:
    with follow_file():
        write(path, 0)
        write(path, 1, end="")
        wait_until(lambda: switched.users == [0])
        with path.open("a") as file:
            file.write("\n")
        wait_until(lambda: switched.users == [0, 1])


@pytest.mark.parametrize("is_copied", [False, True], ids=["renamed", "copied and truncated"])
def test_rotation_loses_nothing(
    follow_file: Callable[[], Any], switched: SwitchedSqs, path: Path, is_copied: bool
) -> None:
    with follow_file():
        write(path, 0, 1, 2)
        wait_until(lambda: switched.users == [0, 1, 2])
        if is_copied:
            os.truncate(path, 0)
        else:
            path.rename(path.with_name("app.ndjson.1"))
        write(path, 3)
        wait_until(lambda: 3 in switched.users)
    assert switched.users == [0, 1, 2, 3]


def test_renamed_file_is_finished_before_the_new_one(
    follow_file: Callable[[], Any], switched: SwitchedSqs, path: Path
) -> None:
    with follow_file(), path.open("a") as writer:
        write(path, 0)
        wait_until(lambda: switched.users == [0])
        path.rename(path.with_name("app.ndjson.1"))
        write(path, 3)
        writer.write(f"{make_body(user_id=1)}\n{make_body(user_id=2)[:20]}")
        writer.flush()
        wait_until(lambda: 1 in switched.users)
        writer.write(f"{make_body(user_id=2)[20:]}\n")
        writer.flush()
        wait_until(lambda: 3 in switched.users)
    assert switched.users == [0, 1, 2, 3]


def test_truncated_and_regrown_file_starts_again(
    switched: SwitchedSqs, path: Path, follow_file: Callable[[], Any]
) -> None:
    with follow_file():
        write(path, 0)
        wait_until(lambda: switched.users == [0])
        # In one step, as between two polls.
        with path.open("r+") as file:
            file.write("".join(f"{make_body(user_id=number)}\n" for number in (11, 12, 13)))
        wait_until(lambda: 13 in switched.users)
    assert switched.users == [0, 11, 12, 13]


@pytest.mark.parametrize("is_copied", [False, True], ids=["renamed", "copied and truncated"])
def test_two_rotations_during_an_outage_keep_the_order(
    follow_file: Callable[[], Any], switched: SwitchedSqs, path: Path, is_copied: bool
) -> None:
    first, second = path.with_name("app.ndjson.1"), path.with_name("app.ndjson.2")

    def rotate() -> None:
        if is_copied:
            shutil.copy(path, first)
            os.truncate(path, 0)
        else:
            path.rename(first)

    with follow_file():
        write(path, 0)
        wait_until(lambda: switched.users == [0])
        switched.on.clear()
        write(path, *range(1, 15))
        wait_until(lambda: switched.tries > 1)
        write(path, 15)
        rotate()
        write(path, *range(16, 40))
        first.rename(second)
        rotate()
        write(path, 40)
        path.with_name("app.ndjson.3.gz").write_bytes(b"\x1f\x8b\x08 no lines")
        switched.on.set()
        wait_until(lambda: 40 in switched.users)
    assert switched.users == [*range(41)]


def test_stopping_mid_file_loses_nothing(
    follow_file: Callable[[], Any], switched: SwitchedSqs, path: Path
) -> None:
    with follow_file():
        write(path, 0)
        wait_until(lambda: switched.users == [0])
        switched.on.clear()
        write(path, 1, end="")  # its writer was killed
        path.rename(path.with_name("app.ndjson.1"))
        write(path, 2)
        wait_until(lambda: switched.tries > 2)
    switched.on.set()
    with follow_file():
        wait_until(lambda: 2 in switched.users)
    assert switched.users == [0, 1, 2]


def test_overlong_line_does_not_fill_the_memory(
    follow_file: Callable[[], Any], switched: SwitchedSqs, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.cli.ndjson.MAX_LINE_BYTES", 1000)
    monkeypatch.setattr(relay, "MAX_READ_BYTES", 1002)
    path.write_text("x" * 2500)
    with follow_file() as follower:
        wait_until(lambda: follower.sent == 2)
    assert [len(body) for batch in switched.batches for body in batch] == [1002, 1002]


def test_restart_continues_at_the_checkpoint(
    follow_file: Callable[[], Any], switched: SwitchedSqs, path: Path
) -> None:
    with follow_file():
        write(path, *range(3))
        wait_until(lambda: len(switched.users) == 3)
    write(path, 3)
    with follow_file():
        wait_until(lambda: 3 in switched.users)
    assert switched.users == [*range(4)]


def test_rotation_while_stopped_loses_nothing(
    follow_file: Callable[[], Any], switched: SwitchedSqs, path: Path
) -> None:
    with follow_file():
        write(path, 0)
        wait_until(lambda: switched.users == [0])
    write(path, 1)
    write(path, 2, end="")  # its writer was killed
    path.rename(path.with_name("app.ndjson.1"))
    write(path, 3)
    with follow_file():
        wait_until(lambda: 3 in switched.users)
    assert switched.users == [0, 1, 2, 3]


def test_reused_inode_is_not_mistaken_for_the_old_file(
    follow_file: Callable[[], Any], switched: SwitchedSqs, path: Path
) -> None:
    with follow_file():
        write(path, 0)
        wait_until(lambda: switched.users == [0])
    path.write_text("")  # the same inode, other content
    write(path, 5, 6)
    with follow_file():
        wait_until(lambda: 6 in switched.users)
    assert switched.users == [0, 5, 6]


def test_same_text_after_truncation_is_another_log(
    follow_file: Callable[[], Any], switched: SwitchedSqs, path: Path
) -> None:
    def offset() -> int:
        return int(json.loads(path.with_name("checkpoint").read_text())["offset"])

    with follow_file():
        write(path, 0)
        wait_until(lambda: len(switched.users) == 1)
        wait_until(lambda: offset() > 0)
        os.truncate(path, 0)
        wait_until(lambda: offset() == 0)
        write(path, 0)
        wait_until(lambda: len(switched.users) == 2)
    assert len({json.loads(body)["id"] for batch in switched.batches for body in batch}) == 2


def test_batch_resent_after_a_crash_has_the_same_ids(
    follow_file: Callable[[], Any], switched: SwitchedSqs, path: Path
) -> None:
    write(path, 0, 1)
    with follow_file():
        wait_until(lambda: len(switched.users) == 2)
    checkpoint = path.with_name("checkpoint")
    state = json.loads(checkpoint.read_text())
    # The position before the batch.
    checkpoint.write_text(json.dumps({**state, "offset": 0, "head": hash_head(b"")}))
    with follow_file():
        wait_until(lambda: len(switched.users) == 4)
    ids = [json.loads(body)["id"] for batch in switched.batches for body in batch]
    assert ids[:2] == ids[2:]


def test_invalid_line_is_sent_as_a_dead_letter(
    follow_file: Callable[[], Any], switched: SwitchedSqs, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with follow_file() as follower:
        path.write_bytes(b"no json \x00 \xff SECRET\n")
        write(path, 1)
        wait_until(lambda: follower.sent == 2)
    assert next(body for batch in switched.batches for body in batch) == "no json � � SECRET"
    assert "will be a dead letter" in caplog.text
    assert "SECRET" not in caplog.text


def test_sqs_outage_loses_nothing(follow_file: Callable[[], Any], switched: SwitchedSqs, path: Path) -> None:
    switched.on.clear()
    with follow_file():
        write(path, *range(30))
        wait_until(lambda: switched.tries > 2)
    assert switched.users == []
    switched.on.set()
    with follow_file():
        wait_until(lambda: len(switched.users) == 30)
    assert switched.users == [*range(30)]


def test_invalid_checkpoint_fails_with_a_message(path: Path, switched: SwitchedSqs) -> None:
    path.with_name("checkpoint").write_text("{")
    with pytest.raises(CommandFailed, match="is not a checkpoint: delete it to start from the beginning"):
        Relay(path, path.with_name("checkpoint"), sqs.client(), URL).run()


FOLLOW = (
    "from ingest import __main__; from ingest.cli import relay; relay.QUIET_SECONDS = 0.3; "
    "__main__.main(['send', '--follow', '{path}'])"
)


def test_repeated_kills_during_rotation_store_each_line_once(queues: Queues, path: Path) -> None:
    program = FOLLOW.format(path=path)
    number = 0
    for turn in range(4):
        process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
        try:
            count = queues.count()
            write(path, *range(number, number + 30))
            number += 30
            wait_until(partial(has_more_than, queues, count))
            if turn % 2:
                path.rename(path.with_name(f"app.ndjson.{turn}"))
        finally:
            process.kill()
            process.wait()
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL) as last:
        write(path, number)
        sent: dict[int, set[str]] = {}
        try:
            wait_until(lambda: number in collect(queues, sent))
        finally:
            last.kill()
    assert sorted(sent) == [*range(number + 1)]
    assert {len(ids) for ids in sent.values()} == {1}


def has_more_than(queues: Queues, count: int) -> bool:
    return queues.count() > count


def collect(queues: Queues, sent: dict[int, set[str]]) -> dict[int, set[str]]:
    for body in queues.bodies():
        fields = json.loads(body)
        sent.setdefault(fields["user_id"], set()).add(fields["id"])
    return sent


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_the_command_in_order(queues: Queues, path: Path, number: signal.Signals) -> None:
    write(path, 0, 1)
    process = subprocess.Popen(
        [sys.executable, "-m", "ingest", "send", "--follow", str(path)], stderr=subprocess.PIPE, text=True
    )
    try:
        wait_until(lambda: queues.count() == 2)
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0
    assert err.endswith("Stopped: 2 sent.\n")
    assert path.with_name("app.ndjson.logsite-checkpoint").exists()


def run_relay(path: Path, *options: str) -> "subprocess.Popen[str]":
    """Start a relay as a process."""
    return subprocess.Popen(
        [sys.executable, "-m", "ingest", "send", "--follow", str(path), *options],
        stderr=subprocess.PIPE,
        text=True,
    )


def has_checkpoint(path: Path) -> bool:
    """Return whether a relay has stored that it sent the whole file."""
    checkpoint = Checkpoint.load(path.with_name(f"{path.name}.logsite-checkpoint"))
    return checkpoint is not None and checkpoint.offset == path.stat().st_size


@pytest.mark.parametrize("is_linked", [False, True], ids=["same_path", "symbolic_link"])
def test_second_relay_of_a_file_is_refused(queues: Queues, path: Path, is_linked: bool) -> None:
    write(path, 0)
    with run_relay(path) as first:
        try:
            wait_until(lambda: queues.count() == 1)
            checkpoint = path.with_name("app.ndjson.logsite-checkpoint")
            if is_linked:
                link = path.with_name("link")
                link.symlink_to(checkpoint)
                checkpoint = link
            second = run_relay(path, "--checkpoint", str(checkpoint))
            _, err = second.communicate(timeout=20)
            assert second.returncode == 1
            assert err.endswith(
                f"Another relay (process {first.pid}) follows {path} with the checkpoint {checkpoint}. "
                "Stop it first.\n"
            )
            assert "Traceback" not in err
            write(path, 1)
            wait_until(lambda: queues.count() == 2)
            assert first.poll() is None
        finally:
            first.kill()


def test_lock_of_a_killed_relay_does_not_block(queues: Queues, path: Path) -> None:
    write(path, 0)
    with run_relay(path) as killed:
        # Without its checkpoint, the next relay would send the line again.
        wait_until(lambda: queues.count() == 1 and has_checkpoint(path))
        killed.kill()
    write(path, 1)
    with run_relay(path) as second:
        try:
            wait_until(lambda: queues.count() == 2)
        finally:
            second.kill()


def test_lock_file_is_no_symbolic_link(path: Path, switched: SwitchedSqs) -> None:
    precious = path.with_name("precious")
    precious.write_text("do not truncate")
    path.with_name("checkpoint.lock").symlink_to(precious)
    with pytest.raises(OSError, match="symbolic links"):
        Relay(path, path.with_name("checkpoint"), sqs.client(), URL).run()
    assert precious.read_text() == "do not truncate"
