"""One deployment for all tests of this folder, created as `make deploy` creates it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import dependencies
from deploy.account import Account
from deploy.deployment import Deployment
from deploy.stage import Stage
from deploy.target import native_target
from tests.e2e.browser import Browser
from tests.e2e.deployment import EmulatedDeployment, emulator

USERNAME, PASSWORD = "root", "a long and quiet sentence"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def deployment(fast_folder: Path) -> Iterator[EmulatedDeployment]:
    """Deploy the stage `dev` with an administrator."""
    # Before the network is blocked: download the wheels, unless an earlier run did.
    dependencies.download(native_target())
    folder = fast_folder / "e2e"
    folder.mkdir()
    with emulator(folder) as endpoint:
        deployment = EmulatedDeployment(endpoint, folder, Stage("dev"))
        deployment.output = deployment.up()
        run = deployment.command(
            *("admin", "--", "--noinput", "--username", USERNAME, "--email", "root@example.com"),
            DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        yield deployment


@pytest.fixture
def operator(deployment: EmulatedDeployment, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """Set the operator's environment in this process; return the deployment as deploy/ sees it."""
    for name, value in deployment.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return Deployment(deployment.stage, Account.from_environment(), deployment.build)


@pytest.fixture
def browser(deployment: EmulatedDeployment) -> Browser:
    """Return a browser without a session."""
    return Browser(deployment.address)


@pytest.fixture(scope="session")
def admin(deployment: EmulatedDeployment) -> Browser:
    """Return the administrator's browser."""
    browser = Browser(deployment.address)
    browser.sign_in(USERNAME, PASSWORD)
    return browser


@pytest.fixture(scope="session")
def token(deployment: EmulatedDeployment) -> str:
    """Return an API token, created by the operator's command."""
    run = deployment.command("manage", "--", "create_api_token", f"e2e-{os.getpid()}")
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()[-1]
