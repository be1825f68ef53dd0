"""The packages that go to Lambda, for its Python and its processor, wherever this runs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging import tags

REQUIREMENTS = Path(__file__).resolve().parent / "requirements.txt"
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
    "**/tests",
    "**/static",
    "**/*.po",
    "**/*.pyi",
    "**/locale/[!e_]*",
    "**/locale/e[!n]*",
    "**/locale/en_*",
    "zappa/cli.py",
    "zappa/core.py",
    "zappa/letsencrypt.py",
)


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
    """Install what Lambda needs into a new environment in `folder`; return its site-packages.

    Wheels alone, each with a hash of deploy/requirements.txt. Raises BuildFailed, with pip's own words.
    """
    shutil.rmtree(folder, ignore_errors=True)
    packages = site_packages(folder)
    packages.mkdir(parents=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-compile",
    ]
    command += ["--no-deps", "--require-hashes", "--only-binary=:all:", "--target", str(packages)]
    if not target.here:
        command += [option for platform in target.platforms for option in ("--platform", platform)]
        command += ["--implementation", "cp", "--python-version", target.python]
    run([*command, "--requirement", str(REQUIREMENTS)])
    if found := list(misfits(packages, target)):
        raise BuildFailed(f"not for Python {target.python} on {target.architecture}: {', '.join(found)}")
    prune(packages)
    return packages


def misfits(packages: Path, target: Target) -> Iterator[str]:
    """Give the packages of an environment that do not run at the target: by their wheels' tags."""
    for wheel in sorted(packages.glob("*.dist-info/WHEEL")):
        declared = HeaderParser().parsestr(wheel.read_text()).get_all("Tag", [])
        if not any(tags.parse_tag(tag) & target.tags for tag in declared):
            yield f"{wheel.parent.name.removesuffix('.dist-info')} ({', '.join(declared)})"


def prune(packages: Path) -> None:
    """Delete what nothing asks for at run time."""
    for pattern in UNUSED:
        for path in list(packages.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.exists():
                path.unlink()


def compile_all(target: Target, *folders: Path) -> bool:
    """Compile every module under the folders for the target; return whether there is a Python that can.

    Unchecked, since Zappa copies files without their times, and Lambda would compile all of it again at
    each cold start, on a disk it cannot write to: 0.8 s instead of 0.3 s.
    """
    python = sys.executable if target.python == this_python() else shutil.which(f"python{target.python}")
    if not python or not _runs(python):
        return False
    run(
        [
            python,
            "-m",
            "compileall",
            "-q",
            "-f",
            "--invalidation-mode",
            "unchecked-hash",
            "-j",
            "0",
            *map(str, folders),
        ]
    )
    return True


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


def _runs(python: str) -> bool:
    # A shim of pyenv is there for every version, and most of them do nothing.
    return subprocess.run([python, "-c", ""], capture_output=True).returncode == 0
