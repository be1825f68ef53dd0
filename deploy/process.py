"""Child processes of a deployment: pip, Zappa, Django and the compiler."""

import os
import subprocess
import sys
from pathlib import Path

from deploy.errors import BuildFailed


def run(command: list[str], *, cwd: Path | None = None, environment: dict[str, str] | None = None) -> str:
    """Run a command; return its output. Raise BuildFailed with the output if the command fails.

    `environment` is added to this process's environment variables.
    """
    result = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if result.returncode:
        program = " ".join(command[1:4] if command[0] == sys.executable else command[:2])
        raise BuildFailed(f"{program} failed:\n{result.stdout.strip()}")
    return result.stdout
