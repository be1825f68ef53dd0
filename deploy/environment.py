"""The packages that go to Lambda, for its Python and its processor, wherever this runs."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging import tags

from deploy.stage import ROOT

REQUIREMENTS = Path(__file__).resolve().parent / "requirements.txt"
WHEELS = ROOT / "build" / "wheels"
# Newest first. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
PYTHONS = ("3.14", "3.13", "3.12", "3.11")
ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
# The glibc of Amazon Linux 2023, and of Amazon Linux 2 below Python 3.11's runtime.
GLIBC, OLD_GLIBC = 34, 26
OLDEST_GLIBC = 17  # manylinux2014

# What nothing asks for at run time: static files have been collected, and the site speaks English alone.
UNUSED = (
    "bin",
    "django/contrib/gis",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.min.*",
    "zappa/cli.py",
    "zappa/core.py",
    "zappa/letsencrypt.py",
)
UNUSED_FOLDERS = {"static", "tests"}
UNUSED_ENDINGS = (".po", ".pyi")


class BuildFailed(Exception):
    """The package could not be built; the text says why."""


@dataclass(frozen=True)
class Target:
    """Lambda's Python and processor; `here` is this very Python, which an emulator runs."""

    python: str
    architecture: str
    here: bool = False

    @property
    def runtime(self) -> str:
        """The runtime's name at AWS."""
        return f"python{self.python}"

    @property
    def platforms(self) -> list[str]:
        """The platform tags of wheels that run there, the best first."""
        machine = ARCHITECTURES[self.architecture]
        newest = OLD_GLIBC if self.python == "3.11" else GLIBC
        modern = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, OLDEST_GLIBC - 1, -1)]
        return [*modern, f"manylinux2014_{machine}"]

    @property
    def tags(self) -> set[tags.Tag]:
        """The tags of all wheels that run there."""
        if self.here:
            return set(tags.sys_tags())
        version = tuple(int(part) for part in self.python.split("."))
        interpreter = "cp" + self.python.replace(".", "")
        return {
            *tags.cpython_tags(version, platforms=self.platforms),
            *tags.compatible_tags(version, interpreter, self.platforms),
        }


def this_python() -> str:
    """Return the version of the Python that runs this, as Lambda names it."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def site_packages(folder: Path) -> Path:
    """Return where Zappa looks for packages in an environment: under the Python that runs Zappa itself."""
    return folder / "lib" / f"python{this_python()}" / "site-packages"


def build(folder: Path, target: Target) -> Path:
    """Install what Lambda needs into an environment in `folder`, compiled; return its site-packages.

    Wheels alone, each with a hash of deploy/requirements.txt. One that was built for the same target from
    the same requirements is taken as it is. Raises BuildFailed, with pip's own words.
    """
    packages = site_packages(folder)
    stamp = folder / "built"
    made_of = f"{target} {UNUSED} {REQUIREMENTS.read_text()}"
    if stamp.exists() and stamp.read_text() == made_of:
        return packages
    wheels = download(target)
    shutil.rmtree(folder, ignore_errors=True)
    packages.mkdir(parents=True)
    options = ["--no-index", "--find-links", str(wheels), "--no-compile", "--target", str(packages)]
    _pip("install", target, *options)
    if found := list(misfits(packages, target)):
        raise BuildFailed(f"not for Python {target.python} on {target.architecture}: {', '.join(found)}")
    prune(packages)
    compile_all(target, packages)
    stamp.write_text(made_of)
    return packages


def download(target: Target) -> Path:
    """Return the folder of the wheels that deploy/requirements.txt pins for a target, downloaded once.

    Raises BuildFailed, with pip's own words.
    """
    made_of = f"{target} {REQUIREMENTS.read_text()}"
    folder = WHEELS / hashlib.sha256(made_of.encode()).hexdigest()[:16]
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
    """Run one of pip's commands for the pinned wheels of a target. Each must have its hash."""
    given = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    if not target.here:
        given += [option for platform in target.platforms for option in ("--platform", platform)]
        given += ["--implementation", "cp", "--python-version", target.python]
    run([sys.executable, "-m", "pip", command, *given, *options, "--requirement", str(REQUIREMENTS)])


def misfits(packages: Path, target: Target) -> Iterator[str]:
    """Give the packages of an environment that do not run at the target: by their wheels' tags."""
    for wheel in sorted(packages.glob("*.dist-info/WHEEL")):
        declared = HeaderParser().parsestr(wheel.read_text()).get_all("Tag", [])
        if not any(tags.parse_tag(tag) & target.tags for tag in declared):
            yield f"{wheel.parent.name.removesuffix('.dist-info')} ({', '.join(declared)})"


def prune(folder: Path) -> None:
    """Delete what nothing asks for at run time."""
    for pattern in UNUSED:
        for path in list(folder.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    for where, folders, files in os.walk(folder):
        unused = set(folders) & UNUSED_FOLDERS
        if Path(where).name == "locale":
            # One folder of that name is a package: its modules stay.
            unused |= set(folders) - {"en", "__pycache__"}
        for name in unused:
            shutil.rmtree(Path(where, name))
            folders.remove(name)
        for name in files:
            if name.endswith(UNUSED_ENDINGS):
                Path(where, name).unlink()


def compiler(target: Target) -> str | None:
    """Return the Python here that can compile for the target, or None."""
    if target.python == this_python():
        return sys.executable
    python = shutil.which(f"python{target.python}")
    # A shim of pyenv is there for every version, and most of them do nothing.
    if python and subprocess.run([python, "-c", ""], capture_output=True).returncode == 0:
        return python
    return None


def compile_all(target: Target, folder: Path) -> None:
    """Compile every module in the folder for the target, where there is a Python here that can.

    Unchecked, since Zappa copies files without their times, and Lambda would compile all of it again at
    each cold start, on a disk it cannot write to: 0.8 s instead of 0.3 s.
    """
    if python := compiler(target):
        how = ["-q", "-f", "--invalidation-mode", "unchecked-hash", "-j", "0"]
        run([python, "-m", "compileall", *how, str(folder)])


def run(command: list[str], *, cwd: Path | None = None, environment: dict[str, str] | None = None) -> str:
    """Run a command to its end; return what it printed. Raises BuildFailed with that, where it fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        program = " ".join(command[1:4] if command[0] == sys.executable else command[:2])
        raise BuildFailed(f"{program} failed:\n{done.stdout.strip()}")
    return done.stdout
