"""The folder of local data. One `runlocal` uses it at a time."""

import fcntl
import shutil
import time
from pathlib import Path
from typing import IO

from logsite.local.errors import StackError

# Everything that a start writes to the folder, except the lock.
DATA_PATTERNS = (
    "dynamodb.sqlite*",
    "sqs",
    "exports",
    "env",
    "state.json",
    "*.draft",
    *(f"{name}.log" for name in ("engine", "sqs", "create_tables", "createsuperuser", "worker", "site")),
)
# The processes of a killed `runlocal` hold the lock until the watchdog has ended them.
LOCK_TIMEOUT_SECONDS = 2.5


class FolderInUse(StackError):
    """Another `runlocal` uses the folder."""


def lock_folder(folder: Path) -> IO[str]:
    """Return the folder's lock file, locked. Closing it releases the lock. Raise FolderInUse."""
    lock = (folder / "lock").open("w")
    deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                lock.close()
                raise FolderInUse(
                    f"Another `runlocal` is running on {folder}. Stop it, or choose another --folder."
                ) from error
            time.sleep(0.1)
        else:
            return lock


def delete_data(folder: Path) -> None:
    """Delete the files of earlier starts, and no others: `--folder` may name any folder."""
    for path in [path for pattern in DATA_PATTERNS for path in folder.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
