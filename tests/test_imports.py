"""The modules that each part loads. The writer loads no Django, the client only botocore and pydantic."""

import json
import os
import secrets
import subprocess
import sys

import pytest

CLIENT = ["ingest.client", "ingest.django", "ingest.logging_handler", "ingest.testing", "ingest.cli.send"]


def imported_modules(modules: str) -> set[str]:
    """Return all modules that a new interpreter loads for `modules`, without AWS settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    script = f"import json, sys, {modules}; print(json.dumps(sorted(sys.modules)))"
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
    )
    return set(json.loads(process.stdout))


def imported_packages(modules: str) -> set[str]:
    """Return the top-level packages of `imported_modules`."""
    return {name.partition(".")[0] for name in imported_modules(modules)}


@pytest.mark.parametrize("module", ["ingest.handler", "ingest.worker", "ingest.client", "ingest.testing"])
def test_module_loads_no_django(module: str) -> None:
    assert "django" not in imported_packages(module)


@pytest.mark.parametrize("module", CLIENT)
def test_client_loads_no_module_of_logs(module: str) -> None:
    assert not imported_packages(module) & {"logs", "logsite"}


def test_handler_does_not_load_the_parser_of_powertools() -> None:
    # It would build pydantic models, and lengthen the cold start.
    assert "aws_lambda_powertools.utilities.parser" not in imported_modules("ingest.handler")


def test_client_needs_botocore_and_pydantic_only() -> None:
    packages = imported_packages("ingest.client")

    assert {"botocore", "pydantic"} <= packages
    assert not packages & {"pynamodb", "aws_lambda_powertools", "environ"}


def test_admin_loads_neither_ninja_nor_pydantic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "logsite.settings")
    monkeypatch.setenv("SECRET_KEY", secrets.token_urlsafe(50))
    monkeypatch.setenv("ALLOWED_HOSTS", "localhost")
    resolve = (
        "logsite.wsgi, django.urls; django.urls.resolve('/admin/logs/log/'); django.urls.reverse('home')"
    )

    assert not imported_packages(resolve) & {"ninja", "pydantic"}
