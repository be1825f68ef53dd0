"""The actions of `dead-letters`.

Each prints its result on `out`, and its progress and warnings on `err`. It returns the exit status, and
raises CommandFailed or one of AWS_ERRORS.
"""

import argparse
import hashlib
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from ingest import messages
from ingest.cli import progress
from ingest.cli.dlq import redrive, text
from ingest.cli.dlq.dead_letter import DeadLetter
from ingest.cli.dlq.queue import MARGIN_SECONDS, DeadLetterQueue
from ingest.cli.errors import CommandFailed
from ingest.client import LogClient


def list_all(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Print one line for each dead letter, in the order of the responses."""
    visibility_timeout = options.seconds + MARGIN_SECONDS
    err.write(
        f"Reading for at most {options.seconds} s. The visibility timeout hides dead letters from other "
        f"consumers meanwhile, for at most {visibility_timeout} s.\n"
    )
    width = shutil.get_terminal_size((150, 24)).columns
    count = 0
    for dead_letter in queue.peek(options.seconds):
        if not _is_selected(dead_letter, options):
            continue
        if not count and not options.json:
            out.write(f"{text.header()}\n")
        count += 1
        out.write(f"{text.to_json(dead_letter) if options.json else text.row(dead_letter, width)}\n")
    out.flush()
    summary = f"{count} dead letter{'' if count == 1 else 's'}."
    if unread := queue.count():
        summary += f" About {unread} more could not be read: "
        summary += (
            "set a larger --seconds." if queue.timed_out else "another consumer hides them, try again later."
        )
    err.write(f"{summary}\n")
    return 0


def show(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Print one dead letter with its attributes, or only its body."""
    [dead_letter] = queue.find([options.id], options.seconds)
    if not options.body:
        out.write(f"{text.details(dead_letter)}\n")
    elif out.isatty():
        out.write(text.escape(dead_letter.body, keep="\n\t") + "\n")
    else:
        out.write(dead_letter.body)
    return 0


def replay(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Redrive dead letters by id, or all. The status is 1 if one could not be redriven."""
    _check_selection(options, "replay")
    if options.all:
        return _replay_all(queue, options, out, err)
    for dead_letter in queue.find(options.ids, options.seconds):
        redrive.redrive(queue, options.queue_url, dead_letter)
        out.write(f"Replayed: log {dead_letter.log_id}\n")
    return 0


def edit(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Send a new body in place of a dead letter. Raise InvalidMessage if the writer would reject it."""
    # Read before the dead letter is received, because typing may take longer than the visibility timeout.
    body = _read(options.file, err)
    messages.parse(body)
    [dead_letter] = queue.find([options.id], options.seconds)
    out.write(f"Sent: log {redrive.edit(queue, options.queue_url, dead_letter, body)}\n")
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
        raise CommandFailed(f"--code requires --all: {action} --all --code {options.code}.")


def _is_selected(dead_letter: DeadLetter, options: argparse.Namespace) -> bool:
    return not options.code or dead_letter.reason().label == options.code


def _replay_all(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Redrive each dead letter once.

    Deduplicate by log id and body: a message that is rejected again would be redriven forever.
    """
    seen: set[tuple[str, bytes]] = set()
    failures: list[str] = []
    replayed = duplicates = 0

    def replay_once(dead_letter: DeadLetter) -> bool:
        nonlocal replayed, duplicates
        if (key := _deduplication_key(dead_letter)) in seen:
            duplicates += 1
            return False
        seen.add(key)
        try:
            redrive.redrive(queue, options.queue_url, dead_letter)
        except redrive.NoRoomForIdentity as error:
            failures.append(f"{dead_letter.message_id}: {error}\n")
            return False
        replayed += 1
        return True

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

    def discard_one(dead_letter: DeadLetter) -> bool:
        nonlocal discarded, truncated
        truncated += not redrive.discard(queue, client, dead_letter, options.reason)
        discarded += 1
        return True

    try:
        _for_each(queue, options, discard_one, "Discarding", err)
    finally:
        if truncated:
            err.write(f"Truncated bodies, too large for a log: {truncated}\n")
        out.write(f"Discarded: {discarded}\n")
    return 0


def _for_each(
    queue: DeadLetterQueue,
    options: argparse.Namespace,
    act: Callable[[DeadLetter], bool],
    title: str,
    err: TextIO,
) -> None:
    """Call `act` with each selected dead letter, at most `--rate` per second.

    `act` returns whether the dead letter counts toward the rate and the progress.
    """
    done = others = 0
    start = time.monotonic()
    try:
        with progress.bar(queue.count(), title, "dead letter", err) as bar:
            for dead_letter in queue.receive(options.rate, options.seconds):
                if not _is_selected(dead_letter, options):
                    others += 1
                elif act(dead_letter):
                    done += 1
                    bar.update()
                    time.sleep(max(0.0, start + done / options.rate - time.monotonic()))
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
