"""The suite on other Pythons, `make test-all`, and with other versions of Django, `make matrix`."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.reuse_venv = "yes"
# A Python that is not on this machine is skipped and reported, also in CI.
nox.options.error_on_missing_interpreters = False

ROOT = Path(__file__).resolve().parent
# The classifiers of pyproject.toml.
PYTHONS = nox.project.python_versions(nox.project.load_toml(ROOT / "pyproject.toml"))

PARALLEL = ("-n", "4", "--dist", "loadfile", "--no-loadscope-reorder")
# The host project, the client and the admin's pages.
DJANGO_TESTS = sorted(
    str(path.relative_to(ROOT))
    for pattern in (
        "host_project",
        "client*",
        "log_request",
        "log_context",
        "capture",
        "logging_handler",
        "listing",
        "detail",
        "export",
        "permissions",
    )
    for path in (ROOT / "tests").glob(f"test_{pattern}.py")
)


def interpreter_folders() -> Iterator[Path]:
    """Yield the folder of an interpreter for each supported Python that runs on this machine.

    Each candidate is run, because a version manager leaves shims on the PATH that fail. The versions that
    pyenv installed count too, even if none of them is selected.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    installed = [str(folder / "bin") for folder in sorted(pyenv.glob("3.*"), reverse=True)]
    for version in PYTHONS:
        for folder in (*os.environ.get("PATH", "").split(os.pathsep), *installed):
            python = shutil.which(f"python{version}", path=folder)
            if python and _runs(python, version):
                yield Path(folder)
                break


def _runs(python: str, version: str) -> bool:
    code = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        run = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return run.returncode == 0 and run.stdout.strip() == version


# nox takes the first `python3.12` on the PATH, and a shim that fails counts for it as present.
os.environ["PATH"] = os.pathsep.join([*map(str, interpreter_folders()), os.environ.get("PATH", "")])


@nox.session(python=PYTHONS, venv_backend="venv")
def suite(session: nox.Session) -> None:
    """Run every test."""
    install(session)
    session.run("python", "-m", "pytest", *PARALLEL, *session.posargs)


@nox.session(venv_backend="venv")
@nox.parametrize(("python", "django"), [("3.11", "5.2"), ("3.12", "6.0"), ("3.13", "6.1")])
def matrix(session: nox.Session, django: str) -> None:
    """Run the tests of the parts that a Django project imports, with a version of Django."""
    install(session, f"Django=={django}.*")
    session.run("python", "-m", "pytest", *PARALLEL, *DJANGO_TESTS, *session.posargs)


def install(session: nox.Session, *packages: str) -> None:
    """Install everything for the tests. The SQS emulator's environment is beside the session's."""
    environment = Path(session.virtualenv.location)
    emulator = environment.with_name(f"{environment.name}-emulator")
    session.run_install("python", "-m", "venv", str(emulator))
    session.install("pip>=25.1")
    session.install("--editable", ".[django,writer,admin,mysql,site]", "--group", "dev", *packages)
    pip = ("python", "-m", "pip", "--python", str(emulator))
    session.run_install(*pip, "install", "--quiet", "--group", "emulator")
