"""Who loads what: the writer starts without Django, the client with botocore and pydantic alone."""

import json
import os
import secrets
import subprocess
import sys

import pytest


def modules_of(modules: str) -> set[str]:
    """Return all modules in a fresh Python that has imported these, with no AWS settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    script = f"import json, sys, {modules}; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
    )
    return set(json.loads(answer.stdout))


def loaded_by(modules: str) -> set[str]:
    """Return the top-level packages of `modules_of`."""
    return {name.partition(".")[0] for name in modules_of(modules)}


@pytest.mark.parametrize("module", ["ingest.handler", "ingest.worker", "ingest.client"])
def test_no_django_is_loaded(module: str) -> None:
    assert "django" not in loaded_by(module)


def test_powertools_builds_no_models_of_its_parser() -> None:
    assert "aws_lambda_powertools.utilities.parser" not in modules_of("ingest.handler")


def test_the_client_needs_botocore_and_pydantic_only() -> None:
    loaded = loaded_by("ingest.client")

    assert {"botocore", "pydantic"} <= loaded
    assert not loaded & {"pynamodb", "aws_lambda_powertools", "environ"}


def test_the_admin_needs_neither_ninja_nor_pydantic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "logsite.settings")
    monkeypatch.setenv("SECRET_KEY", secrets.token_urlsafe(50))
    monkeypatch.setenv("ALLOWED_HOSTS", "localhost")
    resolve = (
        "logsite.wsgi, django.urls; django.urls.resolve('/admin/logs/log/'); django.urls.reverse('home')"
    )

    assert not loaded_by(resolve) & {"ninja", "pydantic"}
