"""One deployment for all tests here, made as `make deploy` makes it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import account as accounts
from deploy import environment
from deploy.account import Account
from deploy.stage import Stage
from tests.e2e.browser import Browser
from tests.e2e.deployment import Deployment, emulator

USERNAME, PASSWORD = "root", "a long and quiet sentence"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def deployment(fast_folder: Path) -> Iterator[Deployment]:
    """Deploy the stage `dev`, with an administrator.

    Its `endpoint`, `environment` and `outputs` lead to it; `command` runs the tool against it.
    """
    # Before everything is closed off: the wheels, where `make test` has not brought them.
    environment.download(environment.Target(environment.this_python(), "x86_64", here=True))
    folder = fast_folder / "e2e"
    folder.mkdir()
    with emulator(folder) as endpoint:
        made = Deployment(endpoint, folder, Stage("dev", folder / "build"))
        made.output = made.up()
        run = made.command(
            *("admin", "--", "--noinput", "--username", USERNAME, "--email", "root@example.com"),
            DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        yield made


@pytest.fixture
def operator(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Give the operator's environment to the tests' own process; return the account that it leads to."""
    for name, value in deployment.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return accounts.find()


@pytest.fixture
def browser(deployment: Deployment) -> Browser:
    """Return a browser that nobody has signed in with."""
    return Browser(deployment.address)


@pytest.fixture(scope="session")
def admin(deployment: Deployment) -> Browser:
    """Return the administrator's browser."""
    signed_in = Browser(deployment.address)
    signed_in.sign_in(USERNAME, PASSWORD)
    return signed_in


@pytest.fixture(scope="session")
def token(deployment: Deployment) -> str:
    """Return an API token, made as an operator makes it."""
    run = deployment.command("manage", "--", "create_api_token", f"e2e-{os.getpid()}")
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()[-1]
