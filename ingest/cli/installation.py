"""The secret of this installation. The ids of the logs of `send` are derived from it."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from ingest.cli.errors import CommandFailed


def secret() -> str:
    """Return the secret of this installation, created at first use.

    It is a file of the current user, in XDG_STATE_HOME or `~/.local/state`. Raise CommandFailed if it cannot
    be read or created: with another secret, a file that is sent again would be stored again.
    """
    try:
        path = state_folder() / "installation"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _create(path)
        text = path.read_text().strip()
    except (OSError, RuntimeError, ValueError) as error:
        raise CommandFailed(
            f"The secret for the ids of logs cannot be read or created: {error}. "
            "Set XDG_STATE_HOME to a folder that this user can write."
        ) from error
    if not text:
        raise CommandFailed(f"{path} is empty: delete it. Files that were sent before will get other ids.")
    return text


def state_folder() -> Path:
    """Return the folder for the state of commands: in XDG_STATE_HOME or `~/.local/state`.

    Raise RuntimeError if the user has no home folder.
    """
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "logsite"


def _create(path: Path) -> None:
    """Write a new secret. The link to a complete file fails if another process was faster."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with open(draft, "x", opener=_private, encoding="ascii") as file:
        file.write(secrets.token_hex(32))
    try:
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
