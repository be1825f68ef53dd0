"""The one package that both functions run: the project, its static files, and the packages it needs."""

import hashlib
import json
import os
import secrets
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy import environment
from deploy.environment import Target
from deploy.stage import ROOT, Stage

PROJECT = ("ingest", "logs", "logsite")
PROJECT_FOLDER = "project"
# Not `env` or `venv`: Zappa leaves everything of its name out of the package.
PACKAGES_FOLDER = "lambda-packages"
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc")
# What we keep to; Lambda itself takes 50 MB.
MAX_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class Package:
    """A built package: the file, and a key that changes with its content."""

    path: Path
    key: str

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.path.stat().st_size


def prepare(stage: Stage, target: Target, say: Callable[[str], None]) -> None:
    """Make all of a package that depends on no account: the project, and the packages it needs.

    Raises BuildFailed.
    """
    project = stage.folder / PROJECT_FOLDER
    with ThreadPoolExecutor(1) as pool:
        building = pool.submit(environment.build, stage.folder / PACKAGES_FOLDER, target)
        copy_project(project)
        collect_static(project)
        environment.prune(project)
        environment.compile_all(target, project)
        building.result()
    if not environment.compiler(target):
        say(f"There is no Python {target.python} here to compile with: cold starts take a second longer.")


def build(stage: Stage, settings: Path) -> Package:
    """Build `build/STAGE/logsite.zip` with Zappa from what `prepare` made. Raises BuildFailed."""
    project, packages = stage.folder / PROJECT_FOLDER, stage.folder / PACKAGES_FOLDER
    path = stage.folder / "logsite.zip"
    path.unlink(missing_ok=True)
    command = [*zappa_command("package", stage.name, settings), "--output", os.path.relpath(path, project)]
    environment.run(
        command,
        cwd=project,
        # Zappa writes the builder's name into the package.
        environment={"VIRTUAL_ENV": str(packages), "LOGNAME": "logsite"},
    )
    if not path.exists():
        raise environment.BuildFailed(f"Zappa made no {path}")
    package = Package(path, f"packages/{hashlib.sha256(path.read_bytes()).hexdigest()[:24]}.zip")
    if package.size > MAX_BYTES:
        raise environment.BuildFailed(f"{path} has {package.size:,} bytes, more than {MAX_BYTES:,}")
    return package


def zappa_command(name: str, stage: str, settings: Path) -> list[str]:
    """Return the command line of one of Zappa's commands."""
    return [sys.executable, "-m", "zappa.cli", name, stage, "--settings_file", str(settings)]


def copy_project(folder: Path) -> None:
    """Copy what runs there of this project, into a new folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in PROJECT:
        shutil.copytree(ROOT / name, folder / name, ignore=IGNORED)


def collect_static(folder: Path) -> None:
    """Collect the static files into the project's copy: there the file system is read-only."""
    environment.run(
        [sys.executable, "-m", "django", "collectstatic", "--noinput", "--verbosity=0"],
        cwd=folder,
        environment={
            "DJANGO_SETTINGS_MODULE": "logsite.settings",
            "PYTHONPATH": str(folder),
            # Signs nothing; Django asks for one.
            "SECRET_KEY": secrets.token_urlsafe(40),
            "SECRET_KEY_PARAMETER": "",
            "DEBUG": "off",
            "ALLOWED_HOSTS": "localhost",
        },
    )
    static = folder / "staticfiles"
    manifest = static / "staticfiles.json"
    named: dict[str, str] = json.loads(manifest.read_text())["paths"] if manifest.exists() else {}
    # Pages name the hashed file alone, and only a developer's tools ask for a map: half of the package.
    unasked = [static / name for name, hashed in named.items() if hashed != name]
    for path in [*unasked, *static.rglob("*.map")]:
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.gz").unlink(missing_ok=True)
