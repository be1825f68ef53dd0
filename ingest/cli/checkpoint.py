"""The checkpoint of a followed file: how far it was sent."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Self

from ingest.cli.errors import CommandFailed

HEAD_BYTES = 1024


@dataclass
class Checkpoint:
    """The position in a file.

    `offset` is in bytes. `head` is the hash of the first bytes, because the system reuses inodes.
    `generation` is a random name, new after each rotation or truncation. The ids of the logs are derived from
    it.
    """

    inode: int
    offset: int
    generation: str
    head: str = ""

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Return a saved checkpoint, or None if the file is missing. Raise CommandFailed if it is invalid."""
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise CommandFailed(
                f"{path} is not a checkpoint: delete it to start from the beginning."
            ) from error

    def save(self, path: Path) -> None:
        """Write the checkpoint atomically.

        An incomplete file never replaces a complete one. Raise OSError if it cannot be written.
        """
        draft = path.with_name(f"{path.name}.draft")
        with draft.open("w") as file:
            file.write(json.dumps(asdict(self)))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def matches(self, file: BinaryIO) -> bool:
        """Return whether a file still begins with the data that was sent.

        It does not if the file was truncated, even if it has grown beyond the offset since.
        """
        size = os.fstat(file.fileno()).st_size
        return size >= self.offset and hash_head(read_head(file, self.offset)) == self.head


def read_head(file: BinaryIO, offset: int) -> bytes:
    """Return the first bytes of a file: HEAD_BYTES, or fewer if `offset` is smaller."""
    return os.pread(file.fileno(), min(offset, HEAD_BYTES), 0)


def hash_head(head: bytes) -> str:
    """Return the hash of a file's first bytes."""
    return hashlib.sha256(head).hexdigest()
