"""The checkpoint of `import`: the message ids of replayed dead letters."""

import os
import re
from pathlib import Path

from ingest.cli.errors import CommandFailed

# SQS's message ids are UUIDs.
MESSAGE_ID = re.compile("[0-9A-Za-z-]{1,100}")


class ReplayedIds:
    """Message ids in a file, one per line. Without a path, none are saved."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def load(self) -> set[str]:
        """Return the saved ids. Raise CommandFailed if the file is no checkpoint, or OSError."""
        if self.path is None or not self.path.exists():
            return set()
        lines = self.path.read_bytes().decode(errors="replace").splitlines()
        if not all(MESSAGE_ID.fullmatch(line) for line in lines):
            raise CommandFailed(f"{self.path} is not a checkpoint of `import`: pass another --checkpoint.")
        return set(lines)

    def check(self) -> None:
        """Create the file if it is missing. Raise OSError if it cannot be written."""
        if self.path is not None:
            with open(self.path, "a", opener=_private):
                pass

    def add(self, message_id: str) -> None:
        """Append an id to the file, which only its owner can read. Raise OSError."""
        if self.path is not None:
            with open(self.path, "a", opener=_private, encoding="ascii") as file:
                file.write(f"{message_id}\n")


def _private(path: str, flags: int) -> int:
    # Another user could place a link in a shared folder. Windows has neither.
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
