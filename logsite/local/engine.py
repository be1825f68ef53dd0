"""The embedded DynamoDB engine: a static binary that npm brings, one package for each platform."""

import platform
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
SYSTEMS = {"linux": "linux", "darwin": "darwin", "windows": "win32"}


class EngineMissing(Exception):
    """The engine's binary is not installed."""


def binary() -> Path:
    """Return the path of the engine's binary for this platform.

    Raises EngineMissing, with what to do, where it is not installed or none exists for the platform.
    """
    system, machine = platform.system().lower(), platform.machine().lower()
    name = f"{SYSTEMS.get(system, system)}-{MACHINES.get(machine, machine)}"
    path = (
        ROOT / "node_modules" / "@dynoxide" / name / ("dynoxide.exe" if system == "windows" else "dynoxide")
    )
    if not path.exists():
        raise EngineMissing(
            f"The embedded DynamoDB engine for {name} is not installed. `make setup` installs it where "
            "there is one for your platform. Elsewhere, start Amazon's DynamoDB Local "
            "(`docker run -p 127.0.0.1:8001:8000 amazon/dynamodb-local`) and set "
            "AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:8001."
        )
    return path


def command(port: int, database: Path | None = None) -> list[str]:
    """Return the command line that serves on 127.0.0.1:`port`, in memory or from the file `database`."""
    line = [str(binary()), "serve", "--host", "127.0.0.1", "-p", str(port)]
    return line if database is None else [*line, "--db-path", str(database)]
