"""The state between two starts: secrets, and the progress of the sample logs."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class State:
    """The content of `.local/state.json`, which only its owner can read."""

    path: Path
    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(40))
    username: str = "admin"
    password: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    # The end of the samples' time range. It is fixed, so that sending them again sends the same logs.
    samples_until: str | None = None
    samples_stored: int = 0

    @classmethod
    def load(cls, path: Path) -> "State":
        """Return the state in the file, or a new one that is saved there."""
        state = cls(path, **json.loads(path.read_text())) if path.exists() else cls(path)
        state.save()
        return state

    def save(self) -> None:
        """Write the state atomically."""
        fields = asdict(self)
        del fields["path"]
        write_private_file(self.path, json.dumps(fields, indent=2) + "\n")


def write_private_file(path: Path, text: str) -> None:
    """Write a file that only its owner can read, atomically."""
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
