"""What can be done with dead letters from a terminal; each action returns its exit status."""

import argparse
import hashlib
import shutil
import sys
import time
from pathlib import Path
from typing import TextIO

from ingest import messages, progress
from ingest.letters import peeking, resending, text
from ingest.letters.letter import Letter
from ingest.letters.peeking import DeadLetterQueue, Unfit


def show_all(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Print a line for each letter, as they come."""
    hidden = options.seconds + peeking.MARGIN_SECONDS
    err.write(f"Looking for {options.seconds} s at most; what is found is hidden from others meanwhile, ")
    err.write(f"{hidden} s at most.\n")
    width = shutil.get_terminal_size((150, 24)).columns
    number = 0
    for dead in queue.look(options.seconds):
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
    if options.all and options.ids:
        raise Unfit("Name the dead letters to replay, or all of them with --all, not both.")
    if not options.all and not options.ids:
        raise Unfit("Name the dead letters to replay, or --all.")
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
    """Give a letter up, and keep it as a log."""
    [dead] = queue.find([options.id], options.seconds)
    is_whole = resending.discard(queue, options.logs_url, dead, options.reason)
    out.write(
        f"Discarded {dead.message_id}: a log of the account {resending.ACCOUNT} keeps it"
        f"{'' if is_whole else ', its body cut to what a message holds'}\n"
    )
    return 0


def _replay_all(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Send each letter again once: what is still wrong comes back, and would else go round for ever."""
    seen: set[tuple[str, bytes]] = set()
    refused: list[str] = []
    sent = back = 0
    start = time.monotonic()
    try:
        with progress.bar(queue.count(), "Replaying", "dead letter", err) as bar:
            for dead in queue.take(options.rate):
                if (key := _content(dead)) in seen:
                    back += 1
                    continue
                seen.add(key)
                try:
                    resending.replay(queue, options.logs_url, dead)
                except resending.NoRoom as error:
                    refused.append(f"{dead.message_id}: {error}\n")
                    continue
                sent += 1
                bar.update()
                time.sleep(max(0.0, start + sent / options.rate - time.monotonic()))
    finally:
        err.writelines(refused)
        if back:
            err.write(f"{back} came back, or stood there twice, and are left: `list` says why.\n")
        out.write(f"Sent again: {sent}\n")
    return 1 if refused else 0


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
