"""The dependencies of the functions, installed for Lambda's Python and processor."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path

from packaging import tags

from deploy.errors import BuildFailed
from deploy.process import run
from deploy.stage import ROOT
from deploy.target import Target, this_python

REQUIREMENTS = Path(__file__).resolve().parent / "requirements.txt"
WHEELS = ROOT / "build" / "wheels"

# Not needed at run time: static files are collected before, and the site's only language is English.
UNUSED = (
    "bin",
    "django/contrib/gis",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.min.*",
    "zappa/cli.py",
    "zappa/core.py",
    "zappa/letsencrypt.py",
)
UNUSED_FOLDERS = {"static", "tests"}
UNUSED_SUFFIXES = (".po", ".pyi")


def site_packages(folder: Path) -> Path:
    """Return the site-packages below `folder`.

    Zappa expects them in the folder of the Python that runs Zappa, not of the target's.
    """
    return folder / "lib" / f"python{this_python()}" / "site-packages"


def install(folder: Path, target: Target) -> Path:
    """Install and compile the dependencies into `folder`; return its site-packages.

    Only wheels are installed, each with a hash of deploy/requirements.txt. A folder that was built for the
    same target and requirements is reused. Raise BuildFailed with pip's output, or if a wheel does not match.
    """
    packages = site_packages(folder)
    stamp = folder / "built"
    inputs = f"{target} {UNUSED} {REQUIREMENTS.read_text()}"
    if stamp.exists() and stamp.read_text() == inputs:
        return packages
    wheels = download(target)
    shutil.rmtree(folder, ignore_errors=True)
    packages.mkdir(parents=True)
    options = ["--no-index", "--find-links", str(wheels), "--no-compile", "--target", str(packages)]
    _pip("install", target, *options)
    if names := list(incompatible_wheels(packages, target)):
        raise BuildFailed(f"Not for Python {target.python} on {target.architecture}: {', '.join(names)}")
    prune(packages)
    compile_all(target, packages)
    stamp.write_text(inputs)
    return packages


def download(target: Target) -> Path:
    """Return the folder of the target's wheels. Download them unless an earlier call did.

    Raise BuildFailed with pip's output.
    """
    inputs = f"{target} {REQUIREMENTS.read_text()}"
    folder = WHEELS / hashlib.sha256(inputs.encode()).hexdigest()[:16]
    if not folder.exists():
        WHEELS.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=WHEELS, prefix="draft-"))
        try:
            _pip("download", target, "--dest", str(draft))
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return folder


def _pip(command: str, target: Target, *options: str) -> None:
    """Run a command of pip for the target's pinned wheels. Each must match its hash."""
    common = [
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
    ]
    if not target.native:
        common += [option for platform in target.platforms for option in ("--platform", platform)]
        common += ["--implementation", "cp", "--python-version", target.python]
    run([sys.executable, "-m", "pip", command, *common, *options, "--requirement", str(REQUIREMENTS)])


def incompatible_wheels(packages: Path, target: Target) -> Iterator[str]:
    """Yield name and tags of each installed wheel that does not match the target."""
    for wheel in sorted(packages.glob("*.dist-info/WHEEL")):
        wheel_tags = HeaderParser().parsestr(wheel.read_text()).get_all("Tag", [])
        if not any(tags.parse_tag(tag) & target.tags for tag in wheel_tags):
            yield f"{wheel.parent.name.removesuffix('.dist-info')} ({', '.join(wheel_tags)})"


def prune(folder: Path) -> None:
    """Delete files that are not needed at run time."""
    for pattern in UNUSED:
        for path in list(folder.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    for parent, folders, files in os.walk(folder):
        unused_folders = set(folders) & UNUSED_FOLDERS
        if Path(parent).name == "locale":
            # django/conf/locale is a package: its modules stay.
            unused_folders |= set(folders) - {"en", "__pycache__"}
        for name in unused_folders:
            shutil.rmtree(Path(parent, name))
            folders.remove(name)
        for name in files:
            if name.endswith(UNUSED_SUFFIXES):
                Path(parent, name).unlink()


def compiler(target: Target) -> str | None:
    """Return a Python on this machine that can compile for the target, or None."""
    if target.python == this_python():
        return sys.executable
    python = shutil.which(f"python{target.python}")
    # pyenv has a shim for every version. The shim fails if that version is not installed.
    if python and subprocess.run([python, "-c", ""], capture_output=True).returncode == 0:
        return python
    return None


def compile_all(target: Target, folder: Path) -> None:
    """Compile every module in the folder, if this machine has the target's Python.

    The files are unchecked, because Zappa does not copy modification times. With checks, Lambda would compile
    everything again at each cold start, on a read-only disk: 0.8 s instead of 0.3 s.
    """
    if python := compiler(target):
        options = ["-q", "-f", "--invalidation-mode", "unchecked-hash", "-j", "0"]
        run([python, "-m", "compileall", *options, str(folder)])
