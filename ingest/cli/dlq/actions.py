"""The actions of `dead-letters`.

Each prints its result on `out`, and its progress and warnings on `err`. It returns the exit status, and
raises CommandFailed or one of AWS_ERRORS.
"""

import argparse
import hashlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from ingest import messages
from ingest.cli import progress
from ingest.cli.dlq import redrive, text
from ingest.cli.dlq.dead_letter import DeadLetter
from ingest.cli.dlq.queue import MARGIN_SECONDS, DeadLetterQueue
from ingest.cli.dlq.rate import Rate
from ingest.cli.errors import CommandFailed
from ingest.cli.terminal import escape_controls
from ingest.client import LogClient


def list_all(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Print one line for each dead letter, in the order of the responses."""
    announce_timeout(options.seconds, err)
    width = shutil.get_terminal_size((150, 24)).columns
    count = 0
    for dead_letter in queue.peek(options.seconds):
        if not is_selected(dead_letter, options):
            continue
        if not count and not options.json:
            out.write(f"{text.header()}\n")
        count += 1
        out.write(f"{text.to_json(dead_letter) if options.json else text.row(dead_letter, width)}\n")
    out.flush()
    err.write(f"{count} dead letter{'' if count == 1 else 's'}.{describe_unread(queue)}\n")
    return 0


def show(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Print one dead letter with its attributes, or only its body."""
    [dead_letter] = queue.find([options.id], options.seconds)
    if not options.body:
        out.write(f"{text.details(dead_letter)}\n")
    elif out.isatty():
        out.write(escape_controls(dead_letter.body, keep="\n\t") + "\n")
    else:
        out.write(dead_letter.body)
    return 0


def replay(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Redrive dead letters by id, or all. The status is 1 if one could not be redriven."""
    _check_selection(options, "replay")
    if options.all:
        return _replay_all(queue, options, out, err)
    failures: list[str] = []
    # One pass over the queue and one request per ten, because there may be thousands of ids.
    dead_letters = queue.find(options.ids, options.seconds)
    try:
        for message in redrive.replay(queue, options.queue_url, dead_letters, _collect(failures)):
            out.write(f"Replayed: log {message.dead_letter.log_id}\n")
    finally:
        err.writelines(failures)
    return 1 if failures else 0


def edit(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Send a new body in place of a dead letter. Raise InvalidMessage if the writer would reject it."""
    # Read before the dead letter is received, because typing may take longer than the visibility timeout.
    body = _read(options.file, err)
    messages.parse(body)
    [dead_letter] = queue.find([options.id], options.seconds)

    def refuse(dead_letter: DeadLetter, reason: str) -> None:
        raise CommandFailed(f"{dead_letter.message_id}: {reason}")

    for message in redrive.send(queue, options.queue_url, [redrive.edited(dead_letter, body)], refuse):
        out.write(f"Sent: log {message.id}\n")
    return 0


def discard(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Discard dead letters by id, or all, and archive each as a log.

    Raise NotSent if SQS does not accept the log.
    """
    _check_selection(options, "discard")
    with LogClient(options.queue_url, sync=True, strict=True) as client:
        if options.all:
            return _discard_all(queue, client, options, out, err)
        for dead_letter in queue.find(options.ids, options.seconds):
            is_whole = redrive.discard(queue, client, dead_letter, options.reason)
            out.write(
                f"Discarded {dead_letter.message_id}: archived as a log of account {redrive.ACCOUNT}"
                f"{'' if is_whole else ', with a truncated body'}\n"
            )
    return 0


def _check_selection(options: argparse.Namespace, action: str) -> None:
    """Raise CommandFailed unless the options select ids, or all dead letters.

    Only a selection of all may have --code.
    """
    if options.all and options.ids:
        raise CommandFailed(f"Pass either ids or --all to {action}, not both.")
    if not options.all and not options.ids:
        raise CommandFailed(f"Pass ids or --all to {action}.")
    if options.code and not options.all:
        codes = " ".join(f"--code {code}" for code in options.code)
        raise CommandFailed(f"--code requires --all: {action} --all {codes}.")


def announce_timeout(seconds: int, err: TextIO) -> None:
    """Print how long a command hides dead letters from other consumers."""
    err.write(
        f"Reading for at most {seconds} s. The visibility timeout hides dead letters from other "
        f"consumers meanwhile, for at most {seconds + MARGIN_SECONDS} s.\n"
    )


def describe_unread(queue: DeadLetterQueue) -> str:
    """Return a sentence about the dead letters that were not read.

    It is empty if all were read. Costs one request.
    """
    if not (unread := queue.count()):
        return ""
    hint = "set a larger --seconds." if queue.timed_out else "another consumer hides them, try again later."
    return f" About {unread} more could not be read: {hint}"


def is_selected(dead_letter: DeadLetter, options: argparse.Namespace) -> bool:
    """Return whether --code selects a dead letter. It may be repeated, and selects all if it is missing."""
    return not options.code or dead_letter.reason().label in options.code


def _collect(failures: list[str]) -> Callable[[DeadLetter, str], None]:
    """Return a function that appends a line to `failures` for a dead letter that can never be sent."""

    def refuse(dead_letter: DeadLetter, reason: str) -> None:
        failures.append(f"{dead_letter.message_id}: {reason}\n")

    return refuse


def _replay_all(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Redrive each dead letter once.

    Deduplicate by log id and body: a message that is rejected again would be redriven forever.
    """
    seen: set[tuple[str, bytes]] = set()
    failures: list[str] = []
    replayed = duplicates = 0

    def replay_once(dead_letters: list[DeadLetter]) -> int:
        nonlocal replayed, duplicates
        new = {key: each for each in dead_letters if (key := _deduplication_key(each)) not in seen}
        duplicates += len(dead_letters) - len(new)
        seen.update(new)
        before = replayed
        for _ in redrive.replay(queue, options.queue_url, new.values(), _collect(failures)):
            replayed += 1
        return replayed - before

    try:
        _for_each(queue, options, replay_once, "Replaying", err)
    finally:
        err.writelines(failures)
        if duplicates:
            err.write(f"Skipped {duplicates}: rejected again, or duplicates. `list` shows their reasons.\n")
        out.write(f"Replayed: {replayed}\n")
    return 1 if failures else 0


def _discard_all(
    queue: DeadLetterQueue, client: LogClient, options: argparse.Namespace, out: TextIO, err: TextIO
) -> int:
    """Discard each dead letter. Print how many, and how many bodies were truncated."""
    discarded = truncated = 0

    def discard_each(dead_letters: list[DeadLetter]) -> int:
        nonlocal discarded, truncated
        for dead_letter in dead_letters:
            truncated += not redrive.discard(queue, client, dead_letter, options.reason)
            discarded += 1
        return len(dead_letters)

    try:
        _for_each(queue, options, discard_each, "Discarding", err)
    finally:
        if truncated:
            err.write(f"Truncated bodies, too large for a log: {truncated}\n")
        out.write(f"Discarded: {discarded}\n")
    return 0


def _for_each(
    queue: DeadLetterQueue,
    options: argparse.Namespace,
    act: Callable[[list[DeadLetter]], int],
    title: str,
    err: TextIO,
) -> None:
    """Call `act` with the selected dead letters of each response, at most `--rate` per second.

    `act` returns how many of them count toward the rate and the progress.
    """
    done = others = 0
    rate = Rate(options.rate)
    try:
        with progress.bar(queue.count(), title, "dead letter", err) as bar:
            for dead_letters in queue.receive(options.rate, options.seconds):
                selected = [each for each in dead_letters if is_selected(each, options)]
                others += len(dead_letters) - len(selected)
                if selected and (count := act(selected)):
                    done += count
                    bar.update(count)
                    rate.wait(done)
    finally:
        if others:
            err.write(f"Left in the queue, with another reason: {others}\n")
            if queue.has_repeats:
                err.write(
                    "Some dead letters became visible again meanwhile, so others may be missing. "
                    "Repeat the command, or set a larger --seconds.\n"
                )


def _deduplication_key(dead_letter: DeadLetter) -> tuple[str, bytes]:
    return dead_letter.log_id, hashlib.sha256(dead_letter.body.encode()).digest()


def _read(name: str, err: TextIO) -> str:
    """Return the text of a file, or of standard input for `-`.

    Raise CommandFailed unless it is UTF-8. Raise OSError if the file cannot be read.
    """
    if name == "-" and sys.stdin.isatty():
        err.write("Type the new body, then press Ctrl-D:\n")
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    try:
        return data.decode("utf-8-sig")  # some editors write a byte order mark
    except UnicodeDecodeError:
        raise CommandFailed("The new body must be UTF-8. Nothing was sent.") from None
