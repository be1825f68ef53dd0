"""What one laptop keeps between two starts: its secrets, and how far the sample logs have come."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class State:
    """The content of `.local/state.json`, which only its owner may read."""

    path: Path
    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(40))
    username: str = "admin"
    password: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    # The moment that the samples lead up to. Fixed, so that sending them again sends the same.
    samples_until: str | None = None
    samples_stored: int = 0

    @classmethod
    def load(cls, path: Path) -> "State":
        """Return what is kept in the file, or a new state, kept from now on."""
        state = cls(path, **json.loads(path.read_text())) if path.exists() else cls(path)
        state.save()
        return state

    def save(self) -> None:
        """Keep the state; a half-written file never takes the place of a whole one."""
        kept = asdict(self)
        del kept["path"]
        write_private(self.path, json.dumps(kept, indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, in one step."""
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
