"""The spool's folder: who may write to it, and its files.

All files are opened relative to a descriptor of the folder, so replacing the folder between two steps has no
effect. Symbolic links in the folder are never followed.
"""

import os
import stat
import weakref
from pathlib import Path
from typing import Self

# Permissions of the group and of all users to write.
WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class UnusableFolder(OSError):
    """The folder breaks a rule: another user owns it, or can write to it."""


class SpoolFolder:
    """An open folder. It is closed when nothing refers to it any more, so every thread may hold it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        # Not at exit: the client's own hook, which runs later, still writes to the folder.
        weakref.finalize(self, os.close, descriptor).atexit = False

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a folder. A missing one is created, accessible to its owner only.

        Raise UnusableFolder if another user owns the folder or can write to it, and OSError if it cannot be
        created or opened.
        """
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = cls(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY))
        status = os.fstat(folder.descriptor)
        user = os.geteuid()
        if status.st_uid != user:
            raise UnusableFolder(
                f"{path} must belong to the user of this process ({user}), not to user {status.st_uid}"
            )
        if status.st_mode & WRITABLE_BY_OTHERS:
            mode = stat.S_IMODE(status.st_mode)
            raise UnusableFolder(f"{path} must be writable by its owner only, not {mode:o}: chmod 700 it")
        return folder

    def is_current(self) -> bool:
        """Return whether the folder was neither removed nor replaced."""
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self.descriptor))
        except OSError:
            return False

    def names(self) -> list[str]:
        """Return the sorted names of all files. Raise OSError if the folder cannot be read."""
        # A descriptor has one position for all threads and forks, so each listing opens its own.
        descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=self.descriptor)
        try:
            return sorted(os.listdir(descriptor))  # noqa: PTH208  pathlib takes no descriptor
        finally:
            os.close(descriptor)

    def open_file(self, name: str, flags: int) -> int:
        """Open a file, and return its descriptor. New files are accessible to their owner only.

        Raise OSError if the file cannot be opened, or if it is a symbolic link.
        """
        # Without O_NONBLOCK, opening a named pipe would wait for its other end.
        return os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600, dir_fd=self.descriptor)

    def size(self, name: str) -> int | None:
        """Return the size of a regular file in bytes, or None for other files."""
        try:
            status = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except OSError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def is_same(self, name: str, descriptor: int) -> bool:
        """Return whether the name still belongs to an open file."""
        try:
            status = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except OSError:
            return False
        return os.path.samestat(status, os.fstat(descriptor))

    def delete(self, name: str) -> None:
        """Delete a file. Raise OSError if it cannot be deleted."""
        try:
            os.unlink(name, dir_fd=self.descriptor)
        except FileNotFoundError:
            return
