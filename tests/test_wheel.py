"""The built wheel, installed beside a project whose own top-level package is named `logs`."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.factories import make_body, make_fields
from tests.queues import Queues

pytest_plugins = ["tests.sqs_server"]

ROOT = Path(__file__).resolve().parent.parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]

SEND = f"""
import json, sys
import logs.models
from ingest import client

with client.LogClient() as log_client:
    log_client.enqueue(**{make_fields(user_id=21)!r})
    assert log_client.flush(30)
names = sorted(name for name in sys.modules if name.partition(".")[0] in ("logs", "django"))
print(json.dumps({{"client": client.__file__, "logs": logs.models.NAME, "modules": names}}))
"""


@dataclass(frozen=True)
class Project:
    """An application, and the environment in which the wheel is installed."""

    folder: Path
    environment: Path

    def run(self, *arguments: str) -> str:
        """Run Python in the project. Return its output."""
        # The tests' own path would make this repository importable.
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        process = subprocess.run(
            [str(self.environment / "bin" / "python"), *arguments],
            cwd=self.folder,
            env=variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        return process.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Build the wheel from a copy of the sources. Install it into an empty environment."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("ingest", "logs", "logsite"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([*PIP, "wheel", "--no-deps", "--wheel-dir", folder, source], check=True, timeout=300)

    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True, timeout=120)
    [wheel] = folder.glob("*.whl")
    install = ["--python", str(environment), "install", "--no-deps", "--no-index", "--no-compile"]
    subprocess.run([*PIP, *install, wheel], check=True, timeout=120)
    # The dependencies come from the tests' environment. Its editable installation of this project stays
    # invisible, because Python does not read the .pth files of a folder that a .pth file adds.
    [packages] = environment.glob("lib/python*/site-packages")
    folders = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    (packages / "dependencies.pth").write_text("".join(f"{folder}\n" for folder in folders))

    application = folder / "application"
    (application / "logs").mkdir(parents=True)
    (application / "logs" / "__init__.py").touch()
    (application / "logs" / "models.py").write_text('NAME = "the application\'s"\n')
    (application / "send.py").write_text(SEND)
    (application / "logs.ndjson").write_text(f"{make_body(user_id=22)}\n")
    return Project(application, environment)


def test_wheel_has_the_name_of_the_distribution(project: Project) -> None:
    code = "from importlib.metadata import metadata; print(metadata('django-logsite')['Name'])"
    assert project.run("-c", code).strip() == "django-logsite"


def test_wheel_client_sends_beside_another_logs_package(project: Project, queues: Queues) -> None:
    loaded = json.loads(project.run("send.py"))

    assert Path(loaded["client"]).is_relative_to(project.environment)
    assert loaded["logs"] == "the application's"
    assert loaded["modules"] == ["logs", "logs.models"]
    assert [json.loads(body)["user_id"] for body in queues.bodies()] == [21]


def test_wheel_command_sends_beside_another_logs_package(project: Project, queues: Queues) -> None:
    project.run("-m", "ingest", "send", "logs.ndjson")

    assert [json.loads(body)["user_id"] for body in queues.bodies()] == [22]
