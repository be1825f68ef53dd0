"""What can be done with dead letters from a terminal; each action returns its exit status."""

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
from ingest.cli.dlq import dead_letter as letter
from ingest.cli.dlq import queue as peeking
from ingest.cli.dlq import redrive as resending
from ingest.cli.dlq import text
from ingest.cli.dlq.dead_letter import Letter
from ingest.cli.dlq.queue import DeadLetterQueue, Unfit
from ingest.client import LogClient


def show_all(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Print a line for each letter, as they come."""
    hidden = options.seconds + peeking.MARGIN_SECONDS
    err.write(f"Looking for {options.seconds} s at most; what is found is hidden from others meanwhile, ")
    err.write(f"{hidden} s at most.\n")
    width = shutil.get_terminal_size((150, 24)).columns
    number = 0
    for dead in queue.look(options.seconds):
        if not _is_chosen(dead, options):
            continue
        if not number and not options.json:
            out.write(f"{text.header()}\n")
        number += 1
        out.write(f"{text.as_json(dead) if options.json else text.row(dead, width)}\n")
    out.flush()
    told = f"{number} dead letter{'' if number == 1 else 's'}."
    if rest := queue.count():
        told += f" About {rest} more could not be looked at: "
        told += "time was up (--seconds)." if queue.is_cut_short else "hidden by someone else's look."
    err.write(f"{told}\n")
    return 0


def show(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Print one letter whole, or its body alone."""
    [dead] = queue.find([options.id], options.seconds)
    if not options.body:
        out.write(f"{text.page(dead)}\n")
    elif out.isatty():
        out.write(text.harmless(dead.body, kept="\n\t") + "\n")
    else:
        out.write(dead.body)
    return 0


def replay(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Send letters again, those that were named or all."""
    _check_choice(options, "replay")
    if options.all:
        return _replay_all(queue, options, out, err)
    for dead in queue.find(options.ids, options.seconds):
        resending.replay(queue, options.logs_url, dead)
        out.write(f"Sent again: log {dead.log_id}\n")
    return 0


def edit(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Send a new body in a letter's place."""
    # Before the letter is looked for: whoever types may take longer than it stays hidden.
    body = _read(options.file, err)
    messages.parse(body)
    [dead] = queue.find([options.id], options.seconds)
    out.write(f"Sent: log {resending.edit(queue, options.logs_url, dead, body)}\n")
    return 0


def discard(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Give letters up, those that were named or all, and keep each as a log."""
    _check_choice(options, "discard")
    with LogClient(options.logs_url, sync=True, strict=True) as logs:
        if options.all:
            return _discard_all(queue, logs, options, out, err)
        for dead in queue.find(options.ids, options.seconds):
            is_whole = resending.discard(queue, logs, dead, options.reason)
            out.write(
                f"Discarded {dead.message_id}: a log of the account {resending.ACCOUNT} keeps it"
                f"{'' if is_whole else ', its body cut to what a message holds'}\n"
            )
    return 0


def _check_choice(options: argparse.Namespace, verb: str) -> None:
    """Raise Unfit unless letters are named, or all of them, or all of a reason."""
    if options.all and options.ids:
        raise Unfit(f"Name the dead letters to {verb}, or all of them with --all, not both.")
    if not options.all and not options.ids:
        raise Unfit(f"Name the dead letters to {verb}, or --all.")
    if options.code and not options.all:
        raise Unfit(f"--code chooses among all: {verb} --all --code {options.code}.")


def _is_chosen(dead: Letter, options: argparse.Namespace) -> bool:
    return not options.code or letter.reason(dead).word == options.code


def _replay_all(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Send each letter again once: what is still wrong comes back, and would else go round for ever."""
    seen: set[tuple[str, bytes]] = set()
    refused: list[str] = []
    sent = back = 0

    def send(dead: Letter) -> bool:
        nonlocal sent, back
        if (key := _content(dead)) in seen:
            back += 1
            return False
        seen.add(key)
        try:
            resending.replay(queue, options.logs_url, dead)
        except resending.NoRoom as error:
            refused.append(f"{dead.message_id}: {error}\n")
            return False
        sent += 1
        return True

    try:
        _for_all(queue, options, send, "Replaying", err)
    finally:
        err.writelines(refused)
        if back:
            err.write(f"{back} came back, or stood there twice, and are left: `list` says why.\n")
        out.write(f"Sent again: {sent}\n")
    return 1 if refused else 0


def _discard_all(
    queue: DeadLetterQueue, logs: LogClient, options: argparse.Namespace, out: TextIO, err: TextIO
) -> int:
    """Give each letter up, and say how many, and of how many the body was cut."""
    discarded = cut = 0

    def keep(dead: Letter) -> bool:
        nonlocal discarded, cut
        cut += not resending.discard(queue, logs, dead, options.reason)
        discarded += 1
        return True

    try:
        _for_all(queue, options, keep, "Discarding", err)
    finally:
        if cut:
            err.write(f"Of {cut} the body was cut to what a message holds.\n")
        out.write(f"Discarded: {discarded}\n")
    return 0


def _for_all(
    queue: DeadLetterQueue,
    options: argparse.Namespace,
    act: Callable[[Letter], bool],
    title: str,
    err: TextIO,
) -> None:
    """Act on each letter, or on each of `--code`, at `--rate`; `act` returns whether that counts."""
    done = others = 0
    start = time.monotonic()
    try:
        with progress.bar(queue.count(), title, "dead letter", err) as bar:
            for dead in queue.take(options.rate, options.seconds):
                if not _is_chosen(dead, options):
                    others += 1
                elif act(dead):
                    done += 1
                    bar.update()
                    time.sleep(max(0.0, start + done / options.rate - time.monotonic()))
    finally:
        if others:
            err.write(f"{others} of another reason are left.\n")
            if queue.came_back:
                err.write(
                    "Some came back meanwhile: do it again to be sure of all, or with more --seconds.\n"
                )


def _content(dead: Letter) -> tuple[str, bytes]:
    return dead.log_id, hashlib.sha256(dead.body.encode()).digest()


def _read(name: str, err: TextIO) -> str:
    """Read a file, or standard input for `-`, as UTF-8. Raises Unfit, and OSError."""
    if name == "-" and sys.stdin.isatty():
        err.write("Type the new body, then Ctrl-D:\n")
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    try:
        return data.decode("utf-8-sig")  # editors of some systems begin with a mark
    except UnicodeDecodeError:
        raise Unfit("The new body must be UTF-8. Nothing was sent.") from None
