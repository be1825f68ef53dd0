"""`dead-letters`: its options, its error messages, and how it ends."""

import os
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest
from django.core.management import call_command

from ingest import __main__ as ingest_commands
from ingest.cli import progress
from ingest.cli.dlq.queue import DeadLetterQueue
from ingest.cli.errors import CommandFailed
from logsite.local.ports import free_port
from tests.dead_letters import DeadLetters
from tests.factories import make_body
from tests.waiting import wait_until

pytest_plugins = ["tests.sqs_server"]
pytestmark = pytest.mark.usefixtures("logs_table")

ROOT = Path(__file__).resolve().parent.parent


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "ingest", "dead-letters", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ,
        # If the tests run in the background, they ignore Ctrl-C, and so do their child processes.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_ctrl_c_resets_the_visibility_timeout(dlq: DeadLetters) -> None:
    for number in range(8):
        dlq.exhaust(make_body(url=f"/{number}"))
    process = start("replay", "--all", "--rate", "0.1")  # ten seconds between two
    wait_until(lambda: dlq.queues.count() >= 1)
    # The command deletes it after sending it, and then waits for the next one.
    wait_until(lambda: dlq.queues.count_dead() <= 7)
    time.sleep(1)  # until the command has counted it

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert dlq.queues.count() == 1
    assert out == "Replayed: 1\n"
    assert err.endswith("Stopped.\n")
    assert len(dlq.queues.dead_letters()) == 7


def test_broken_pipe_resets_the_visibility_timeout(dlq: DeadLetters) -> None:
    for number in range(30):
        dlq.queues.client.send_message(
            QueueUrl=dlq.queues.dead_letter_url, MessageBody=f"{number} {'x' * 9000}"
        )
    process = start("list", "--json")
    assert process.stdout is not None
    process.stdout.close()

    assert process.wait(60) == 1
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    assert len(dlq.queues.dead_letters()) == 30


def test_unreachable_sqs_is_reported(dlq: DeadLetters) -> None:
    unreachable = f"http://127.0.0.1:{free_port()}/000000000000/none"

    run = dlq.run("list", "--dead-letter-queue-url", unreachable)

    assert (run.status, run.out) == (1, "")
    assert run.err.startswith("SQS: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list"], "Set the dead-letter queue with --dead-letter-queue-url or LOGS_DEAD_LETTER_QUEUE_URL.\n"),
        (
            ["replay", "--all", "--dead-letter-queue-url", "http://one"],
            "Set the queue of logs with --queue-url or LOGS_QUEUE_URL.\n",
        ),
        (
            ["replay", "--all", "--dead-letter-queue-url", "http://one", "--queue-url", "http://one"],
            "The queue of logs and the dead-letter queue must be different.\n",
        ),
    ],
)
def test_missing_queue_urls_are_reported(
    dlq: DeadLetters, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.delenv("LOGS_QUEUE_URL")
    monkeypatch.delenv("LOGS_DEAD_LETTER_QUEUE_URL")

    run = dlq.run(*arguments)

    assert (run.status, run.err) == (1, message)


def test_queue_with_a_redrive_policy_is_rejected(dlq: DeadLetters) -> None:
    dlq.exhaust(make_body())
    arn = dlq.queues.client.get_queue_attributes(
        QueueUrl=dlq.queues.dead_letter_url, AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    dlq.queues.client.set_queue_attributes(
        QueueUrl=dlq.queues.url,
        Attributes={"RedrivePolicy": f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": 5}}'},
    )

    run = dlq.run("list", "--dead-letter-queue-url", dlq.queues.url)

    assert run.status == 1
    assert "Is it really the dead-letter queue?" in run.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "abcde"], "at least its first 6 hex digits, not 'abcde'"),
        (["show", "zzzzzzzz"], "not 'zzzzzzzz'"),
        (["list", "--seconds", "0"], "must be a whole number from 1 to 43190, not '0'"),
        (["replay", "--all", "--rate", "nan"], "must be a number from 0.1 to 1000, not 'nan'"),
        (["replay", "--all", "--rate", "fast"], "not 'fast'"),
    ],
)
def test_invalid_option_names_value_and_rule(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        ingest_commands.main(["dead-letters", *arguments])

    assert message in capsys.readouterr().err


def test_help_states_the_visibility_timeout(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        ingest_commands.main(["dead-letters", "list", "--help"])

    assert "30 s by default" in " ".join(capsys.readouterr().out.split())


def test_timed_out_peek_rejects_a_shortened_id(dlq: DeadLetters) -> None:
    first = dlq.reject("invalid")
    for number in range(12):
        dlq.queues.client.send_message(QueueUrl=dlq.queues.dead_letter_url, MessageBody=f"invalid {number}")

    def open_queue() -> DeadLetterQueue:
        """Return the queue, with a clock that advances by one second per reading."""
        clock = map(float, count())
        return DeadLetterQueue(dlq.queues.client, dlq.queues.dead_letter_url, lambda: next(clock))

    with open_queue() as queue:
        assert len(list(queue.peek(2))) == 10
        assert queue.timed_out
        assert queue.count() == 3
    with open_queue() as queue, pytest.raises(CommandFailed, match="not all dead letters were read in time"):
        queue.find([first["message_id"][:8]], 2)
    with open_queue() as queue:
        assert [each.log_id for each in queue.find([first["log_id"]], 2)] == [first["log_id"]]


def test_failed_release_reports_the_end_of_the_timeout(dlq: DeadLetters) -> None:
    dlq.reject("invalid")
    queue = DeadLetterQueue(dlq.queues.client, dlq.queues.dead_letter_url)
    with queue:
        assert len(list(queue.peek(20))) == 1
        queue.url = f"http://127.0.0.1:{free_port()}/000000000000/none"

    assert queue.hidden_until is not None


def test_management_command_is_the_same(dlq: DeadLetters, capsys: pytest.CaptureFixture[str]) -> None:
    dead_letter = dlq.reject("invalid")
    capsys.readouterr()

    call_command("dead_letters", "show", "--body", dead_letter["message_id"])
    assert capsys.readouterr().out == "invalid"

    with pytest.raises(SystemExit, match="1"):
        call_command("dead_letters", "show", "ffffffff")
    assert "No dead letter matches ffffffff." in capsys.readouterr().err


def test_progress_without_tqdm_prints_lines(dlq: DeadLetters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_tqdm", None)
    dlq.exhaust(make_body())

    assert dlq.run("replay", "--all").err == "Replaying: 1 of about 1 dead letters\n"


def test_progress_with_tqdm_prints_a_bar(dlq: DeadLetters) -> None:
    dlq.exhaust(make_body())

    assert "1/1" in dlq.run("replay", "--all").err


@pytest.mark.parametrize("module", ["django", "pynamodb", "aws_lambda_powertools"])
def test_command_imports_no_writer_or_site_package(module: str) -> None:
    program = f"import sys, ingest.__main__; print({module!r} in sys.modules)"

    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert run.stdout == "False\n"
