"""The files that log rotation makes of a log file."""

import re
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

# The suffixes of rotation: `.1`, `-20261125`, `.2026-11-25_22`. Not `.gz`, because it is compressed.
ROTATED = re.compile(r"[.-][0-9][0-9T:_.-]*")


def rotated_files(path: Path) -> dict[Path, int]:
    """Return the rotated files of a log file, the oldest first.

    The values are their modification times in nanoseconds. Raise OSError if the folder cannot be read.
    """
    times = {}
    for candidate in path.parent.iterdir():
        if candidate.name.startswith(path.name) and ROTATED.fullmatch(candidate.name.removeprefix(path.name)):
            with suppress(FileNotFoundError):  # renamed meanwhile
                times[candidate] = candidate.stat().st_mtime_ns
    return dict(sorted(times.items(), key=itemgetter(1)))


def inode_of(path: Path) -> int | None:
    """Return a file's inode, or None if there is no file."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def open_existing(path: Path) -> BinaryIO | None:
    """Return a file opened for reading, or None if there is no file."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None
