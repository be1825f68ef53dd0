"""`dead-letters export`: bodies as NDJSON, in a file that only the user can read."""

import argparse
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ingest.cli import progress
from ingest.cli.dlq import ndjson
from ingest.cli.dlq.actions import announce_timeout, describe_unread, is_selected
from ingest.cli.dlq.queue import DeadLetterQueue
from ingest.cli.errors import CommandFailed


def export(queue: DeadLetterQueue, options: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Write the selected dead letters, one line each. They stay in the queue.

    The status is 1 if not all dead letters could be read. Raise CommandFailed if the file exists.
    """
    seconds = options.seconds or queue.seconds_for_all()
    count = 0
    with _output(options.file, out, overwrite=options.overwrite) as file:
        announce_timeout(seconds, err)
        with progress.bar(queue.count(), "Reading", "dead letter", err) as bar:
            for dead_letter in queue.peek(seconds):
                bar.update()
                if is_selected(dead_letter, options):
                    file.write(ndjson.to_line(dead_letter))
                    count += 1
    unread = describe_unread(queue)
    err.write(f"Exported: {count}.{unread}\n")
    return 1 if unread else 0


@contextmanager
def _output(name: str, out: TextIO, *, overwrite: bool) -> Iterator[TextIO]:
    """Yield the file to write to, or `out` for `-`.

    The file appears complete or not at all, and only its owner can read it: bodies are private.
    """
    if name == "-":
        yield out
        out.flush()
        return
    path = Path(name).resolve()
    if not overwrite:
        try:
            # Reserves the name. Not every file system has links, which would need no empty file.
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            raise CommandFailed(f"{name} exists. Pass --overwrite, or another name.") from None
    elif path.exists() and not path.is_file():
        raise CommandFailed(f"{name} is not a regular file. Pass - for standard output.")
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with open(draft, "x", opener=_private, encoding="ascii", newline="\n") as file:
            yield file
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        if not overwrite:
            path.unlink(missing_ok=True)
        raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
