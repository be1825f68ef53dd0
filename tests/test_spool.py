"""The spool under attack: removed folders, foreign folders, broken lines, refused logs, other files."""

import json
import os
import shutil
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ingest.client import LogClient
from ingest.sending import sender, spool
from ingest.wire import sqs
from tests.factories import make_body, make_fields
from tests.switched_sqs import SwitchedSqs
from tests.waiting import wait_until

URL = "http://127.0.0.1/123456789012/logs"


@pytest.fixture(autouse=True)
def short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the backoff and the wait for other logs."""
    monkeypatch.setattr(sender, "FIRST_DELAY_SECONDS", 0.02)
    monkeypatch.setattr(sender, "LINGER_SECONDS", 0.05)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def durable(switched: SwitchedSqs, folder: Path) -> Iterator[LogClient]:
    """Return a durable client, whose thread does not send before the test lets it."""
    with LogClient(URL, spool_dir=folder, durable=True) as client:
        yield client


def fill(client: LogClient, numbers: range) -> None:
    for number in numbers:
        client.enqueue(**make_fields(user_id=number))


def spooled(folder: Path, name: str, *lines: bytes) -> Path:
    """Write a file of an ended process into the folder, and return its path."""
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / name
    path.write_bytes(b"".join(lines))
    path.chmod(0o640)
    return path


def line(number: int, **changes: Any) -> bytes:
    return make_body(user_id=number, **changes).encode() + b"\n"


def send_all(folder: Path) -> LogClient:
    """Send the files in the folder, and return the closed client."""
    with LogClient(URL, spool_dir=folder) as client:
        wait_until(
            lambda: (
                not [path for path in folder.glob("*.logsite") if path.is_file() and not path.is_symlink()]
            )
        )
    return client


@pytest.mark.parametrize("how", ["removed", "moved", "emptied"])
def test_removed_folder_loses_no_durable_log(
    durable: LogClient, switched: SwitchedSqs, folder: Path, how: str
) -> None:
    switched.on.clear()
    fill(durable, range(5))
    wait_until(lambda: switched.tries)  # the first file is being sent
    fill(durable, range(5, 10))
    if how == "removed":
        shutil.rmtree(folder)
    elif how == "moved":
        folder.rename(folder.with_name("elsewhere"))
    else:
        for path in folder.iterdir():
            path.unlink()
    fill(durable, range(10, 15))
    switched.on.set()
    assert durable.flush(20)
    wait_until(lambda: {*switched.users} == {*range(15)})
    assert durable.counts.dropped == 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_removed_folder_of_an_idle_client_is_noticed(
    durable: LogClient, switched: SwitchedSqs, folder: Path
) -> None:
    switched.on.clear()
    fill(durable, range(1))
    wait_until(lambda: switched.tries)
    fill(durable, range(1, 3))
    shutil.rmtree(folder)
    switched.on.set()
    wait_until(lambda: {*switched.users} == {0, 1, 2})


def test_removed_closed_files_are_counted_and_reported(
    durable: LogClient,
    switched: SwitchedSqs,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    switched.on.clear()
    fill(durable, range(1))
    wait_until(lambda: switched.tries)
    monkeypatch.setattr(spool, "MAX_FILE_BYTES", 1)  # each log closes its file
    fill(durable, range(1, 5))
    shutil.rmtree(folder)
    fill(durable, range(5, 6))
    assert durable.counts.dropped == 4
    assert f"the spool folder {folder} was removed or replaced; unsent logs in it: 4" in caplog.text
    switched.on.set()
    wait_until(lambda: {*switched.users} == {0, 5})


def test_folder_that_cannot_be_restored_is_reported(
    durable: LogClient, switched: SwitchedSqs, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    switched.on.clear()
    fill(durable, range(1))
    wait_until(lambda: switched.tries)
    fill(durable, range(1, 3))
    shutil.rmtree(folder)
    folder.write_text("a file in its place")
    fill(durable, range(3, 5))  # in memory
    assert "a log could not be spooled" in caplog.text
    durable.close(0)
    assert durable.counts.dropped == 4
    assert "4 logs were not sent before the client closed" in caplog.text


def foreign(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder.mkdir(mode=0o700)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    return f"{folder} must belong to the user of this process ({owner + 1}), not to user {owner}"


def writable_by_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder.mkdir()
    folder.chmod(0o777)
    return f"{folder} must be writable by its owner only, not 777: chmod 700 it"


def writable_by_the_group(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder.mkdir()
    folder.chmod(0o770)
    return f"{folder} must be writable by its owner only, not 770: chmod 700 it"


def a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder.write_text("no folder")
    return f"File exists: '{folder}'"


def not_permitted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    def mkdir(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "mkdir", mkdir)
    return f"Permission denied: '{folder}'"


@pytest.mark.parametrize("prepare", [foreign, writable_by_all, writable_by_the_group, a_file, not_permitted])
@pytest.mark.parametrize("is_durable", [True, False], ids=["durable", "spool"])
def test_unusable_folder_is_a_warning_and_logs_are_sent(
    switched: SwitchedSqs,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    prepare: Callable[[Path, pytest.MonkeyPatch], str],
    is_durable: bool,
) -> None:
    text = prepare(folder, monkeypatch)
    with LogClient(URL, spool_dir=folder, durable=is_durable) as client:
        fill(client, range(25))
        assert client.flush(20)
    assert switched.users == [*range(25)]
    [warning] = [record.message for record in caplog.records if "cannot be used" in record.message]
    assert text in warning
    assert not folder.is_dir() or not list(folder.iterdir())


def test_folder_is_used_when_its_rule_is_met_again(switched: SwitchedSqs, folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    switched.on.clear()
    with LogClient(URL, spool_dir=folder, durable=True) as client:
        folder.chmod(0o700)
        fill(client, range(1))
        assert len(list(folder.glob("*.logsite"))) == 1
        switched.on.set()


def test_foreign_files_in_the_spool_stop_nothing(
    switched: SwitchedSqs, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(line(99))
    spooled(folder, "2.logsite", line(1))
    (folder / "0.logsite").mkdir()
    (folder / "1.logsite").symlink_to(secret)
    os.mkfifo(folder / "1a.logsite")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "1b.logsite"))
    send_all(folder)
    assert switched.users == [1]
    assert secret.exists()
    warnings = [record.message for record in caplog.records if "is no regular file" in record.message]
    assert warnings == [f"{folder / '0.logsite'} is no regular file, and is ignored in the spool"]


@pytest.mark.parametrize(
    "broken",
    [
        make_body(payload="x" * 1_048_576).encode() + b"\n",
        b"x" * 5_000_000 + b"\n",
        '{"payload": "é"}\n'.encode(),
        b"\xff\x00\xfe\n",
    ],
    ids=["over_1_mib", "over_4_mib", "utf_8", "bytes"],
)
def test_broken_line_is_set_aside_and_the_others_are_sent(
    switched: SwitchedSqs, folder: Path, caplog: pytest.LogCaptureFixture, broken: bytes
) -> None:
    path = spooled(folder, "1.logsite", line(1), broken, line(2))
    client = send_all(folder)
    assert switched.users == [1, 2]
    rejected = path.with_name("1.logsite.rejected")
    assert rejected.read_bytes() == broken
    assert stat.S_IMODE(rejected.stat().st_mode) == 0o640
    assert (client.counts.sent, client.counts.refused) == (2, 1)
    text = f"1 lines of a spool file are no messages, and were moved to {rejected}"
    wait_until(lambda: text in caplog.text)  # the thread logs after it has counted


def test_line_of_exactly_1_mib_is_sent(switched: SwitchedSqs, folder: Path) -> None:
    room = sqs.MAX_BYTES - len(make_body(user_id=1, payload=""))
    spooled(folder, "1.logsite", line(1, payload="x" * room))
    send_all(folder)
    assert switched.users == [1]


def refuse_whole_batches(
    switched: SwitchedSqs, monkeypatch: pytest.MonkeyPatch, code: str, refused: set[int]
) -> list[int]:
    """Let SQS refuse each batch that has one of these users' logs. Return the sizes of all batches."""
    sizes: list[int] = []
    accept = switched.send_message_batch

    def send(QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        sizes.append(len(Entries))
        if any(json.loads(entry["MessageBody"])["user_id"] in refused for entry in Entries):
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "SendMessageBatch")
        return accept(QueueUrl, Entries)

    monkeypatch.setattr(switched, "send_message_batch", send)
    return sizes


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.BatchRequestTooLong", "InvalidMessageContents"])
def test_refused_batch_is_halved_down_to_the_line_at_fault(
    switched: SwitchedSqs,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    code: str,
) -> None:
    path = spooled(folder, "1.logsite", *map(line, range(20)))
    sizes = refuse_whole_batches(switched, monkeypatch, code, {3})
    client = send_all(folder)
    assert sorted(switched.users) == [*range(3), *range(4, 20)]
    assert path.with_name("1.logsite.rejected").read_bytes() == line(3)
    assert (client.counts.sent, client.counts.refused) == (19, 1)
    assert sizes[:3] == [10, 5, 2]
    assert f"SQS refused 1 logs, which were moved to {path}.rejected" in caplog.text


def test_refused_batch_in_memory_is_halved_and_counted(
    switched: SwitchedSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_whole_batches(switched, monkeypatch, "InvalidMessageContents", {0, 9})
    with LogClient(URL) as client:
        fill(client, range(10))
        assert client.flush(20)
    assert sorted(switched.users) == [*range(1, 9)]
    assert (client.counts.sent, client.counts.refused) == (8, 2)


def test_missing_permission_refuses_no_log(
    switched: SwitchedSqs, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spooled(folder, "1.logsite", line(1))
    refused = {1}
    sizes = refuse_whole_batches(switched, monkeypatch, "AccessDenied", refused)
    with LogClient(URL, spool_dir=folder) as client:
        wait_until(lambda: len(sizes) > 2)
        assert path.exists()
        refused.clear()
        wait_until(lambda: not path.exists())
    assert (client.counts.sent, client.counts.refused) == (1, 0)


def test_rejected_line_that_cannot_be_kept_keeps_its_file(
    switched: SwitchedSqs, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = spooled(folder, "1.logsite", b"\xff\n", line(1))
    path.with_name("1.logsite.rejected").mkdir()
    spooled(folder, "2.logsite", line(2))
    with LogClient(URL, spool_dir=folder):
        wait_until(lambda: not (folder / "2.logsite").exists())
    assert path.exists()
    assert switched.users == [2]
    # The thread may log after the client is closed.
    wait_until(lambda: f"the spool file {path} cannot be sent, retrying" in caplog.text)


@pytest.mark.parametrize("is_durable", [True, False], ids=["durable", "memory"])
def test_log_is_kept_when_no_thread_can_start(
    switched: SwitchedSqs,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    is_durable: bool,
) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    client = LogClient(URL, max_logs=10, spool_dir=folder if is_durable else None, durable=is_durable)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        fill(client, range(15))
    assert "the thread that sends logs cannot start: can't start new thread" in caplog.text
    assert client.counts.dropped == (0 if is_durable else 5)
    assert client.flush(20)
    client.close()
    assert switched.users == [*range(15 if is_durable else 10)]


def test_blocking_client_without_a_thread_does_not_wait(
    switched: SwitchedSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    client = LogClient(URL, max_logs=1, on_full="block", block_seconds=1000)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        fill(client, range(3))
    assert client.counts.dropped == 2
    client.close()
