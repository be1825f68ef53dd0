"""The embedded DynamoDB engine: a static binary from npm, one package per platform."""

import platform
from pathlib import Path

from logsite.local.errors import StackError

ROOT = Path(__file__).resolve().parent.parent.parent

MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
SYSTEMS = {"linux": "linux", "darwin": "darwin", "windows": "win32"}


class EngineMissing(StackError):
    """The engine's binary is not installed."""


def binary(root: Path = ROOT) -> Path:
    """Return the path of the engine's binary for this platform.

    `root` is the folder that holds `node_modules`. Raise EngineMissing if the binary is not installed, for
    example because the platform has none.
    """
    system, machine = platform.system().lower(), platform.machine().lower()
    name = f"{SYSTEMS.get(system, system)}-{MACHINES.get(machine, machine)}"
    file_name = "dynoxide.exe" if system == "windows" else "dynoxide"
    path = root / "node_modules" / "@dynoxide" / name / file_name
    if not path.exists():
        raise EngineMissing(
            f"The embedded DynamoDB engine for {name} is not installed. Run `make setup`. If your platform "
            "has no engine, start Amazon's DynamoDB Local "
            "(`docker run -p 127.0.0.1:8001:8000 amazon/dynamodb-local`) and set "
            "AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:8001."
        )
    return path


def command(port: int, database: Path | None = None) -> list[str]:
    """Return the command line of an engine on 127.0.0.1:`port`.

    The data is in the file `database`, or in memory if it is None. Raise EngineMissing.
    """
    line = [str(binary()), "serve", "--host", "127.0.0.1", "-p", str(port)]
    return line if database is None else [*line, "--db-path", str(database)]
