"""The site's settings: what they make of the environment, and when they refuse to start."""

import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from django.core.exceptions import ImproperlyConfigured

from logsite import secret_key

if TYPE_CHECKING:
    from mypy_boto3_ssm.client import SSMClient

pytest_plugins = ["tests.sqs_server"]

ROOT = Path(__file__).resolve().parent.parent
KEY = "a key that nobody else knows and nobody guesses"


@pytest.fixture(autouse=True)
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with a site that may start: DEBUG off, a key, a name."""
    monkeypatch.setenv("DEBUG", "off")
    monkeypatch.setenv("SECRET_KEY", KEY)
    monkeypatch.setenv("ALLOWED_HOSTS", "logs.example.com")


def settings() -> dict[str, Any]:
    """Run the settings in the present environment."""
    return runpy.run_path(str(ROOT / "logsite" / "settings.py"))


def refusal() -> str:
    with pytest.raises(ImproperlyConfigured) as refused:
        settings()
    return str(refused.value)


@pytest.fixture
def ssm(sqs_server: str, monkeypatch: pytest.MonkeyPatch) -> "SSMClient":
    """Lead the settings to a Parameter Store that may hold the key, instead of the environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", sqs_server)
    monkeypatch.delenv("SECRET_KEY")
    return boto3.client("ssm")


@pytest.fixture
def parameter(ssm: "SSMClient", monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name a parameter that is not there yet."""
    name = f"/logsite/{uuid4().hex}/secret-key"
    monkeypatch.setenv("SECRET_KEY_PARAMETER", name)
    yield name
    ssm.delete_parameters(Names=[name])


def test_production_starts_with_a_key_and_a_name() -> None:
    started = settings()
    assert started["SECRET_KEY"] == KEY
    assert started["SECRET_KEY_FALLBACKS"] == []
    assert started["ALLOWED_HOSTS"] == ["logs.example.com"]


def test_the_key_may_lie_in_a_parameter(ssm: "SSMClient", parameter: str) -> None:
    ssm.put_parameter(Name=parameter, Value=KEY, Type="SecureString")
    assert settings()["SECRET_KEY"] == KEY


@pytest.mark.parametrize("between", [",", "\n", " ,\n "])
def test_a_parameter_with_several_keys_signs_with_the_first(
    ssm: "SSMClient", parameter: str, between: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY_FALLBACKS", "the oldest")
    ssm.put_parameter(Name=parameter, Value=between.join([KEY, "the one before"]), Type="SecureString")
    started = settings()
    assert started["SECRET_KEY"] == KEY
    assert started["SECRET_KEY_FALLBACKS"] == ["the one before", "the oldest"]


def test_a_parameter_that_is_missing_is_named(parameter: str) -> None:
    assert f"there is no parameter {parameter} in us-east-1" in refusal()


def test_a_parameter_without_a_key_is_named(ssm: "SSMClient", parameter: str) -> None:
    ssm.put_parameter(Name=parameter, Value=",\n", Type="SecureString")
    assert f"the parameter {parameter} holds no key" in refusal()


def test_a_store_that_is_away_is_said(parameter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as away:
        away.setenv("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:9")
        assert f"{parameter} cannot be read: Could not connect" in refusal()


def test_both_are_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY_PARAMETER", "/logsite/secret-key")
    assert refusal() == "Set SECRET_KEY or SECRET_KEY_PARAMETER, not both."


def test_none_is_one_too_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY")
    assert "Set SECRET_KEY, or SECRET_KEY_PARAMETER" in refusal()


@pytest.mark.parametrize("key", [secret_key.EXAMPLE, "django-insecure-" + "x" * 50, "changeme"])
def test_a_key_that_others_know_or_guess_is_refused_in_production_alone(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", key)
    told = refusal()
    assert told.startswith("SECRET_KEY ")
    assert key not in told
    monkeypatch.setenv("DEBUG", "on")
    assert settings()["SECRET_KEY"] == key


def test_the_key_of_the_example_is_the_one_that_is_refused() -> None:
    named = re.search("^SECRET_KEY=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert named
    assert named[1] == secret_key.EXAMPLE


def test_any_host_is_refused_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "logs.example.com,*")
    assert refusal().startswith("ALLOWED_HOSTS must name")


def test_debug_is_refused_on_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "on")
    settings()
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "logsite-dev")
    assert refusal().startswith("DEBUG is on, and this is Lambda")


def test_below_a_stage_links_static_files_and_cookies_carry_its_prefix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STAGE_PREFIX", "/dev")
    started = settings()
    assert started["FORCE_SCRIPT_NAME"] == "/dev"
    assert started["STATIC_URL"] == "/dev/static/"
    assert started["SESSION_COOKIE_PATH"] == started["CSRF_COOKIE_PATH"] == "/dev"


def test_under_a_name_of_its_own_there_is_no_prefix() -> None:
    started = settings()
    assert started["FORCE_SCRIPT_NAME"] is None
    assert started["STATIC_URL"] == "/static/"
    assert started["SESSION_COOKIE_PATH"] == started["CSRF_COOKIE_PATH"] == "/"


@pytest.mark.parametrize("prefix", ["dev", "/dev/", "/"])
def test_a_prefix_in_another_form_is_refused(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE_PREFIX", prefix)
    assert refusal().startswith("STAGE_PREFIX must begin with /")


def test_the_word_of_a_proxy_is_taken_on_lambda_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "SECURE_PROXY_SSL_HEADER" not in settings()
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "logsite-dev")
    assert settings()["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")


def test_on_a_laptop_cookies_go_without_https_and_nothing_is_promised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert settings()["SESSION_COOKIE_SECURE"]
    assert settings()["SECURE_HSTS_SECONDS"] == 31_536_000
    monkeypatch.setenv("DEBUG", "on")
    assert not settings()["SESSION_COOKIE_SECURE"]
    assert "SECURE_HSTS_SECONDS" not in settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOGS_SORTING_SHARDS", "abc"),
        ("LOGS_SORTING_SHARDS_READ", "0"),
        ("LOGS_MAX_SECONDS", "x"),
        ("LOGS_MAX_EXAMINED", "-1"),
        ("LOGS_EXPORT_ROWS", "0"),
    ],
)
def test_a_number_that_is_none_is_refused_at_the_start(name: str, value: str) -> None:
    run = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "logsite.settings", name: value},
        capture_output=True,
        text=True,
    )
    assert run.returncode != 0
    assert f"Settings: {name} must be " in run.stderr
