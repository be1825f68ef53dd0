"""A file of the spool while it is sent, with its broken lines."""

import errno
import os
from collections.abc import Iterable, Iterator

from ingest.sending.spool_folder import SpoolFolder
from ingest.wire import sqs

# Lines that can never be sent are moved to a file with this name after the name of theirs.
REJECTED_SUFFIX = ".rejected"


class SpoolFile:
    """A file of the spool, locked for sending.

    `broken` is the number of lines that are no message: incomplete, not ASCII, or larger than SQS accepts.
    """

    def __init__(self, folder: SpoolFolder, name: str, descriptor: int) -> None:
        self.folder = folder
        self.name = name
        self.descriptor = descriptor
        self.path = folder.path / name
        self.broken = 0

    def bodies(self) -> Iterator[str]:
        """Yield the messages one by one, and set broken lines aside.

        Holds one line in memory. Raise OSError if the file cannot be read, or a line cannot be set aside.
        """
        with open(self.descriptor, "rb", closefd=False) as file:
            file.seek(0)
            while line := file.readline(sqs.MAX_BYTES + 1):
                is_complete = line.endswith(b"\n")
                if is_complete and line.isascii():
                    if body := line[:-1].decode("ascii"):
                        yield body
                    continue
                self.broken += 1
                self._set_aside([line])
                while not is_complete and (line := file.readline(sqs.MAX_BYTES + 1)):
                    is_complete = line.endswith(b"\n")
                    self._set_aside([line])

    def reject(self, bodies: Iterable[str]) -> None:
        """Set messages aside that SQS refuses. Raise OSError if they cannot be written."""
        self._set_aside(body.encode() + b"\n" for body in bodies)

    def _set_aside(self, lines: Iterable[bytes]) -> None:
        """Append lines to the rejected file, which has the permissions of this file."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor = self.folder.open_file(self.name + REJECTED_SUFFIX, flags)
        try:
            os.fchmod(descriptor, os.fstat(self.descriptor).st_mode & 0o777)
            for line in lines:
                if os.write(descriptor, line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)
