"""An export into a file of this machine, which an interrupted export continues."""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

from logs.exports import spec
from logs.exports.chunks import BEGINNING, Checkpoint, Chunk
from logs.exports.spec import Spec


class NotResumable(Exception):
    """There is no interrupted export, or it cannot be continued."""


@dataclass(frozen=True)
class LocalFile:
    """A file that grows by chunks. It has its name when it is complete.

    Until then it is `NAME.part`, and `NAME.part.json` has the export and its checkpoint. A name that ends in
    `.gz` is a compressed file. All methods raise OSError.
    """

    path: Path
    spec: Spec
    checkpoint: Checkpoint = BEGINNING
    size: int = 0

    @classmethod
    def resume(cls, path: Path) -> "LocalFile":
        """Return the file of an interrupted export. Raises NotResumable."""
        try:
            saved = json.loads(_state(path).read_text())
            export = spec.loads(saved["spec"])
            file = cls(path, export, Checkpoint.loads(saved["checkpoint"]), saved["size"])
            if _part(path).stat().st_size < file.size:
                raise NotResumable(f"{_part(path)} is shorter than its checkpoint")
        except FileNotFoundError as error:
            raise NotResumable(f"there is no interrupted export of {path}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise NotResumable(f"{_state(path)} is not readable: {error}") from error
        return file

    def begin(self) -> None:
        """Create the file. Raises FileExistsError if it exists, or an interrupted export of it."""
        for path in (self.path, _part(self.path)):
            if path.exists():
                raise FileExistsError(f"{path} exists")
        _part(self.path).touch()
        self._save()

    def append(self, chunk: Chunk) -> "LocalFile":
        """Append a chunk, and return the file after it.

        The text is on the disk before its checkpoint: an interruption between them writes it again.
        """
        data = chunk.compressed() if self.path.suffix == ".gz" else chunk.encoded()
        with _part(self.path).open("r+b") as file:
            file.truncate(self.size)
            file.seek(self.size)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        longer = replace(self, checkpoint=chunk.checkpoint, size=self.size + len(data))
        longer._save()
        return longer

    def finish(self) -> None:
        """Give the complete file its name."""
        _part(self.path).replace(self.path)
        _state(self.path).unlink()

    def _save(self) -> None:
        values = {"spec": spec.dumps(self.spec), "checkpoint": self.checkpoint.dumps(), "size": self.size}
        unfinished = self.path.with_name(f"{self.path.name}.part.json.new")
        unfinished.write_text(json.dumps(values))
        unfinished.replace(_state(self.path))


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _state(path: Path) -> Path:
    return path.with_name(f"{path.name}.part.json")
