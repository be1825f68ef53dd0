"""The site's settings: their values, and the errors that stop a start."""

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
KEY = "a secret key that is long enough to be safe"


@pytest.fixture(autouse=True)
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a valid environment for production: DEBUG off, a key, a host name."""
    monkeypatch.setenv("DEBUG", "off")
    monkeypatch.setenv("SECRET_KEY", KEY)
    monkeypatch.setenv("ALLOWED_HOSTS", "logs.example.com")


def settings() -> dict[str, Any]:
    """Return the settings for the current environment."""
    return runpy.run_path(str(ROOT / "logsite" / "settings.py"))


def settings_error() -> str:
    """Return the message of the ImproperlyConfigured that the settings raise."""
    with pytest.raises(ImproperlyConfigured) as error:
        settings()
    return str(error.value)


@pytest.fixture
def ssm(sqs_server: str, monkeypatch: pytest.MonkeyPatch) -> "SSMClient":
    """Set a Parameter Store as the source of the key, instead of SECRET_KEY."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", sqs_server)
    monkeypatch.delenv("SECRET_KEY")
    return boto3.client("ssm")


@pytest.fixture
def parameter(ssm: "SSMClient", monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Set the name of a parameter that does not exist yet."""
    name = f"/logsite/{uuid4().hex}/secret-key"
    monkeypatch.setenv("SECRET_KEY_PARAMETER", name)
    yield name
    ssm.delete_parameters(Names=[name])


def test_production_needs_a_key_and_a_host_name() -> None:
    values = settings()
    assert values["SECRET_KEY"] == KEY
    assert values["SECRET_KEY_FALLBACKS"] == []
    assert values["ALLOWED_HOSTS"] == ["logs.example.com"]


def test_key_is_read_from_a_parameter(ssm: "SSMClient", parameter: str) -> None:
    ssm.put_parameter(Name=parameter, Value=KEY, Type="SecureString")
    assert settings()["SECRET_KEY"] == KEY


@pytest.mark.parametrize("separator", [",", "\n", " ,\n "])
def test_first_key_of_a_parameter_signs(
    ssm: "SSMClient", parameter: str, separator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY_FALLBACKS", "the oldest")
    ssm.put_parameter(Name=parameter, Value=separator.join([KEY, "the one before"]), Type="SecureString")
    values = settings()
    assert values["SECRET_KEY"] == KEY
    assert values["SECRET_KEY_FALLBACKS"] == ["the one before", "the oldest"]


def test_missing_parameter_is_named(parameter: str) -> None:
    assert f"there is no parameter {parameter} in us-east-1" in settings_error()


def test_parameter_without_a_key_is_named(ssm: "SSMClient", parameter: str) -> None:
    ssm.put_parameter(Name=parameter, Value=",\n", Type="SecureString")
    assert f"the parameter {parameter} holds no key" in settings_error()


def test_unreachable_parameter_store_is_an_error(parameter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as context:
        context.setenv("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:9")
        assert f"{parameter} is not readable: Could not connect" in settings_error()


def test_key_and_parameter_exclude_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY_PARAMETER", "/logsite/secret-key")
    assert settings_error() == "Set SECRET_KEY or SECRET_KEY_PARAMETER, not both."


def test_missing_key_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY")
    assert "Set SECRET_KEY, or SECRET_KEY_PARAMETER" in settings_error()


@pytest.mark.parametrize("key", [secret_key.EXAMPLE_KEY, "django-insecure-" + "x" * 50, "changeme"])
def test_weak_key_is_refused_only_in_production(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", key)
    message = settings_error()
    assert message.startswith("SECRET_KEY ")
    assert key not in message
    monkeypatch.setenv("DEBUG", "on")
    assert settings()["SECRET_KEY"] == key


def test_key_of_env_example_is_refused() -> None:
    example = re.search("^SECRET_KEY=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert example
    assert example[1] == secret_key.EXAMPLE_KEY


def test_wildcard_host_is_refused_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "logs.example.com,*")
    assert settings_error().startswith("ALLOWED_HOSTS must list")


def test_debug_is_refused_on_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "on")
    settings()
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "logsite-dev")
    assert settings_error().startswith("DEBUG must be off on Lambda")


def test_stage_prefix_applies_to_static_files_and_cookies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE_PREFIX", "/dev")
    values = settings()
    assert values["FORCE_SCRIPT_NAME"] == "/dev"
    assert values["STATIC_URL"] == "/dev/static/"
    assert values["SESSION_COOKIE_PATH"] == values["CSRF_COOKIE_PATH"] == "/dev"


def test_default_stage_prefix_is_empty() -> None:
    values = settings()
    assert values["FORCE_SCRIPT_NAME"] is None
    assert values["STATIC_URL"] == "/static/"
    assert values["SESSION_COOKIE_PATH"] == values["CSRF_COOKIE_PATH"] == "/"


@pytest.mark.parametrize(
    "prefix",
    [
        "dev",
        "/dev/",
        "/",
        "//evil.example",
        "/a//b",
        "/dev\n",
        "/a b",
        '/"><script>',
        "/..",
        "/\\evil.example",
        "/é",
        "/a?b",
        "/%2e",
    ],
)
def test_invalid_stage_prefix_is_refused(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE_PREFIX", prefix)
    assert settings_error().startswith("STAGE_PREFIX must begin with /")


def test_forwarded_proto_is_trusted_only_on_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "SECURE_PROXY_SSL_HEADER" not in settings()
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "logsite-dev")
    assert settings()["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")


def test_log_lines_are_json_on_lambda_and_text_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings()["LOGGING"]["formatters"].keys() == {"text"}
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "logsite-dev")
    assert settings()["LOGGING"]["formatters"].keys() == {"json"}


def test_trusted_proxy_trusts_the_forwarded_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings()["TRUSTED_PROXY"] == 0
    monkeypatch.setenv("TRUSTED_PROXY", "1")
    values = settings()
    assert values["TRUSTED_PROXY"] == 1
    assert values["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")
    assert values["SECURE_HSTS_SECONDS"] == 31_536_000
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "logsite-dev")
    assert settings_error().startswith("TRUSTED_PROXY must be unset on Lambda")


@pytest.mark.parametrize("value", ["yes", "-1", "1.5"])
def test_invalid_trusted_proxy_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXY", value)
    message = settings_error()
    assert message.startswith("TRUSTED_PROXY must be ")
    assert value in message


@pytest.mark.parametrize(
    "name",
    [
        "LOGSITE_SIGN_IN_FAILURES",
        "LOGSITE_SIGN_IN_FAILURES_PER_ADDRESS",
        "LOGSITE_SIGN_IN_MAX_DELAY_SECONDS",
        "LOGSITE_SESSION_DAYS",
        "LOGSITE_SESSION_IDLE_HOURS",
        "LOGS_API_REQUESTS_PER_MINUTE",
        "LOGS_API_EXAMINED_PER_MINUTE",
        "LOGS_API_READ_UNITS_PER_MINUTE",
    ],
)
@pytest.mark.parametrize("value", ["0", "x"])
def test_invalid_limit_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert re.fullmatch(f"{name} must be .*{value}.*", settings_error())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOGSITE_SESSION_DAYS", "36501"),
        ("LOGSITE_SESSION_IDLE_HOURS", "99999999999999999999"),
        ("LOGSITE_SIGN_IN_MAX_DELAY_SECONDS", "1e9"),
        ("LOGS_API_READ_UNITS_PER_MINUTE", "9" * 40),
        ("LOGS_API_REQUESTS_PER_MINUTE", "1_000"),
        ("TRUSTED_PROXY", "101"),
    ],
)
def test_number_out_of_range_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert re.fullmatch(rf"{name} must be a whole number from \d to \d+, not '{value}'\.", settings_error())


def test_session_settings_are_days_and_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    values = settings()
    assert (values["SESSION_COOKIE_AGE"], values["SESSION_IDLE_SECONDS"]) == (14 * 86_400, 8 * 3600)
    monkeypatch.setenv("LOGSITE_SESSION_DAYS", "1")
    monkeypatch.setenv("LOGSITE_SESSION_IDLE_HOURS", "2")
    values = settings()
    assert (values["SESSION_COOKIE_AGE"], values["SESSION_IDLE_SECONDS"]) == (86_400, 7200)


def test_debug_turns_secure_cookies_and_hsts_off(monkeypatch: pytest.MonkeyPatch) -> None:
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
        ("LOGS_SORTING_SHARDS", "51"),
        ("LOGS_MAX_SECONDS", "x"),
        ("LOGS_MAX_EXAMINED", "-1"),
        ("LOGS_EXPORT_ROWS", "0"),
    ],
)
def test_invalid_number_is_refused_at_the_start(name: str, value: str) -> None:
    run = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "logsite.settings", name: value},
        capture_output=True,
        text=True,
    )
    assert run.returncode != 0
    assert f"Settings: {name} must be " in run.stderr
