"""The package that all functions run: the project, its static files and its dependencies."""

import hashlib
import os
import secrets
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy import dependencies, zappa
from deploy.deployment import Deployment
from deploy.errors import BuildFailed
from deploy.process import run
from deploy.stage import ROOT
from deploy.target import Target

PROJECT_PACKAGES = ("ingest", "logs", "logsite")
PROJECT_FOLDER = "project"
# Not `env` or `venv`: Zappa excludes folders with these names from the package.
DEPENDENCIES_FOLDER = "lambda-packages"
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc")
# Our own limit. Lambda's is 50 MB.
MAX_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class Package:
    """A built package: the file, and an S3 key that changes with its content."""

    path: Path
    key: str

    @property
    def size(self) -> int:
        """Return the file's size in bytes."""
        return self.path.stat().st_size


def prepare(deployment: Deployment, target: Target) -> None:
    """Build the project and its dependencies for the package.

    This needs no account, so it runs in parallel with the creation of resources. Raise BuildFailed.
    """
    project = deployment.folder / PROJECT_FOLDER
    with ThreadPoolExecutor(1) as pool:
        installation = pool.submit(dependencies.install, deployment.folder / DEPENDENCIES_FOLDER, target)
        copy_project(project)
        collect_static(project)
        dependencies.prune(project)
        dependencies.compile_all(target, project)
        installation.result()
    if not dependencies.compiler(target):
        deployment.report(
            f"Python {target.python} is not installed here, so the package is not compiled: "
            "cold starts take a second longer."
        )


def build(deployment: Deployment, settings: Path) -> Package:
    """Build `build/STAGE/logsite.zip` with Zappa from the prepared parts. Raise BuildFailed."""
    project = deployment.folder / PROJECT_FOLDER
    path = deployment.folder / "logsite.zip"
    path.unlink(missing_ok=True)
    output = os.path.relpath(path, project)
    run(
        [*zappa.command("package", deployment.stage.name, settings), "--output", output],
        cwd=project,
        # Zappa writes the builder's name into the package.
        environment={
            "VIRTUAL_ENV": str(deployment.folder / DEPENDENCIES_FOLDER),
            "LOGNAME": "logsite",
        },
    )
    if not path.exists():
        raise BuildFailed(f"Zappa did not create {path}")
    package = Package(path, f"packages/{hashlib.sha256(path.read_bytes()).hexdigest()[:24]}.zip")
    if package.size > MAX_BYTES:
        raise BuildFailed(f"{path} has {package.size:,} bytes. The limit is {MAX_BYTES:,}.")
    return package


def copy_project(folder: Path) -> None:
    """Copy the project's packages for Lambda into `folder`, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in PROJECT_PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=IGNORED)


def collect_static(folder: Path) -> None:
    """Collect the static files into the copy of the project. Lambda's file system is read-only.

    Raise BuildFailed with Django's output.
    """
    run(
        [sys.executable, "-m", "django", "collectstatic", "--noinput", "--verbosity=0"],
        cwd=folder,
        environment={
            "DJANGO_SETTINGS_MODULE": "logsite.settings",
            "PYTHONPATH": str(folder),
            # Django requires a key, and nothing is signed with it.
            "SECRET_KEY": secrets.token_urlsafe(40),
            "SECRET_KEY_PARAMETER": "",
            "DEBUG": "off",
            "ALLOWED_HOSTS": "localhost",
        },
    )
    # Only developer tools read maps, and they are large.
    for pattern in ("*.map", "*.map.gz"):
        for path in (folder / "staticfiles").rglob(pattern):
            path.unlink()
