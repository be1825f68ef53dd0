"""The command around dead letters: its options, its errors in words, how it ends."""

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
from ingest.cli.dlq import queue as peeking
from tests.conftest import free_port
from tests.factories import make_body
from tests.letters import Letters
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
        # Started in the background, the tests ignore Ctrl-C, and with them all their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_ctrl_c_makes_visible_again_what_was_not_sent(letters: Letters) -> None:
    for number in range(8):
        letters.redrive(make_body(url=f"/{number}"))
    process = start("replay", "--all", "--rate", "0.1")  # ten seconds from one to the next
    wait_until(lambda: letters.queues.count() >= 1)
    # It is deleted after it was sent: only then does the command wait for the next one.
    wait_until(lambda: letters.queues.count_dead() <= 7)
    time.sleep(1)  # and counts it

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert letters.queues.count() == 1
    assert out == "Sent again: 1\n"
    assert err.endswith("Stopped.\n")
    assert len(letters.queues.dead_letters()) == 7


def test_a_reader_that_goes_away_leaves_all_visible(letters: Letters) -> None:
    for number in range(30):
        letters.queues.client.send_message(
            QueueUrl=letters.queues.dead_letter_url, MessageBody=f"{number} {'x' * 9000}"
        )
    process = start("list", "--json")
    assert process.stdout is not None
    process.stdout.close()

    assert process.wait(60) == 1
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    assert len(letters.queues.dead_letters()) == 30


def test_where_sqs_is_away_it_says_so(letters: Letters) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/000000000000/none"

    run = letters.run("list", "--dead-letter-queue-url", nowhere)

    assert (run.status, run.out) == (1, "")
    assert run.err.startswith("SQS: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["list"], "Name the queue in --dead-letter-queue-url or LOGS_DEAD_LETTER_QUEUE_URL.\n"),
        (
            ["replay", "--all", "--dead-letter-queue-url", "http://one"],
            "Name the queue to send to in --queue-url or LOGS_QUEUE_URL.\n",
        ),
        (
            ["replay", "--all", "--dead-letter-queue-url", "http://one", "--queue-url", "http://one"],
            "The queue of logs and the dead-letter queue must be two.\n",
        ),
    ],
)
def test_queues_that_are_not_named_are_asked_for(
    letters: Letters, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.delenv("LOGS_QUEUE_URL")
    monkeypatch.delenv("LOGS_DEAD_LETTER_QUEUE_URL")

    run = letters.run(*arguments)

    assert (run.status, run.err) == (1, words)


def test_a_queue_with_a_redrive_of_its_own_is_not_looked_at(letters: Letters) -> None:
    letters.redrive(make_body())
    arn = letters.queues.client.get_queue_attributes(
        QueueUrl=letters.queues.dead_letter_url, AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    letters.queues.client.set_queue_attributes(
        QueueUrl=letters.queues.url,
        Attributes={"RedrivePolicy": f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": 5}}'},
    )

    run = letters.run("list", "--dead-letter-queue-url", letters.queues.url)

    assert run.status == 1
    assert "Is it really the dead-letter queue?" in run.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "abcde"], "its first 6 hex digits or more, not 'abcde'"),
        (["show", "zzzzzzzz"], "not 'zzzzzzzz'"),
        (["list", "--seconds", "0"], "must be a whole number from 1 to 43190, not '0'"),
        (["replay", "--all", "--rate", "nan"], "must be a number from 0.1 to 1000, not 'nan'"),
        (["replay", "--all", "--rate", "fast"], "not 'fast'"),
    ],
)
def test_wrong_values_are_named_with_their_rule(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        ingest_commands.main(["dead-letters", *arguments])

    assert words in capsys.readouterr().err


def test_the_help_says_how_long_looking_hides(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        ingest_commands.main(["dead-letters", "list", "--help"])

    assert "30 s by default" in " ".join(capsys.readouterr().out.split())


def test_a_look_that_time_ends_says_so_and_refuses_a_beginning(letters: Letters) -> None:
    first = letters.reject("wrong")
    for number in range(12):
        letters.queues.client.send_message(
            QueueUrl=letters.queues.dead_letter_url, MessageBody=f"wrong {number}"
        )

    def hurried() -> peeking.DeadLetterQueue:
        """Return the queue with a clock that is a second later each time it is asked."""
        clock = map(float, count())
        return peeking.DeadLetterQueue(
            letters.queues.client, letters.queues.dead_letter_url, lambda: next(clock)
        )

    with hurried() as queue:
        assert len(list(queue.look(2))) == 10
        assert queue.is_cut_short
        assert queue.count() == 3
    with hurried() as queue, pytest.raises(peeking.Unfit, match="not all could be looked at in time"):
        queue.find([first["message_id"][:8]], 2)
    with hurried() as queue:
        assert [each.log_id for each in queue.find([first["log_id"]], 2)] == [first["log_id"]]


def test_where_letters_stay_hidden_it_says_until_when(letters: Letters) -> None:
    letters.reject("wrong")
    queue = peeking.DeadLetterQueue(letters.queues.client, letters.queues.dead_letter_url)
    with queue:
        assert len(list(queue.look(20))) == 1
        queue.url = f"http://127.0.0.1:{free_port()}/000000000000/none"

    assert queue.hidden_until is not None


def test_the_site_has_the_same_command(letters: Letters, capsys: pytest.CaptureFixture[str]) -> None:
    told = letters.reject("wrong")
    capsys.readouterr()

    call_command("dead_letters", "show", "--body", told["message_id"])
    assert capsys.readouterr().out == "wrong"

    with pytest.raises(SystemExit, match="1"):
        call_command("dead_letters", "show", "ffffffff")
    assert "There is no dead letter" in capsys.readouterr().err


def test_without_tqdm_progress_is_lines(letters: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_tqdm", None)
    letters.redrive(make_body())

    assert letters.run("replay", "--all").err == "Replaying: 1 of about 1 dead letters\n"


def test_with_tqdm_it_is_a_bar(letters: Letters) -> None:
    letters.redrive(make_body())

    assert "1/1" in letters.run("replay", "--all").err


@pytest.mark.parametrize("module", ["django", "pynamodb", "aws_lambda_powertools"])
def test_the_command_needs_no_more_than_the_client(module: str) -> None:
    program = f"import sys, ingest.__main__; print({module!r} in sys.modules)"

    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert run.stdout == "False\n"
