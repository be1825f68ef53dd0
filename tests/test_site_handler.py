"""The site's Lambda function accepts requests of API Gateway only. Zappa itself runs behind it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
# The settings that Zappa writes into the package.
ZAPPA_SETTINGS = """
LOG_LEVEL, PROJECT_NAME, API_STAGE, DOMAIN, BASE_PATH = "INFO", "logsite", "dev", None, None
DJANGO_SETTINGS, BINARY_SUPPORT, DEBUG, EXCEPTION_HANDLER = "logsite.settings", True, False, None
ENVIRONMENT_VARIABLES, CONTEXT_HEADER_MAPPINGS = {}, {}
"""
PROGRAM = """
import json, os, sys
from tests.lambda_context import LambdaContext
from logsite import handler

results = []
for event in json.load(sys.stdin):
    try:
        results.append(handler.lambda_handler(event, LambdaContext()))
    except Exception as error:
        results.append({"error": f"{type(error).__name__}: {error}"})
print(json.dumps({"results": results, "environment": sorted(os.environ)}))
"""
REQUEST: dict[str, Any] = {
    "resource": "/{proxy+}",
    "path": "/healthz",
    "httpMethod": "GET",
    "headers": {"Host": "site.example.com", "X-Forwarded-Proto": "https"},
    "multiValueHeaders": {"Host": ["site.example.com"], "X-Forwarded-Proto": ["https"]},
    "queryStringParameters": None,
    "multiValueQueryStringParameters": None,
    "pathParameters": {"proxy": "healthz"},
    "stageVariables": None,
    "requestContext": {"apiId": "a1", "stage": "dev", "requestId": "r1"},
    "body": None,
    "isBase64Encoded": False,
}
RECORD = {"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:1:q", "body": "{}"}
REFUSED: dict[str, Any] = {
    "empty": {},
    "null": None,
    "list": [REQUEST],
    "text": "raw_command",
    "raw_command": {"raw_command": "import os; os.environ['EXECUTED'] = '1'"},
    "command": {"command": "os.abort"},
    "manage": {"manage": "create_user --superuser mallory"},
    "sqs": {"Records": [RECORD]},
    "s3": {"Records": [{"s3": {"configurationId": "p:os.abort", "bucket": {"arn": "arn:aws:s3:::b"}}}]},
    "sns": {"Records": [{"Sns": {"Message": '{"command": "os.abort"}', "TopicArn": "arn:aws:sns:::t"}}]},
    "schedule": {"detail-type": "Scheduled Event", "resources": ["arn:aws:events:::rule/x-os.abort"]},
    "keep_warm": {"detail-type": "Scheduled Event", "resources": ["rule/x-handler.keep_warm_callback"]},
    "authorizer": {"type": "TOKEN", "authorizationToken": "t", "methodArn": "arn:aws:execute-api:::a"},
    "cognito": {"triggerSource": "PreSignUp_SignUp"},
    "lex": {"bot": {"name": "b"}, "currentIntent": {"name": "i"}, "invocationSource": "DialogCodeHook"},
    "log_subscription": {"awslogs": {"data": "H4sIAAAAAAAA"}},
    "websocket": {"requestContext": {"eventType": "CONNECT", "apiId": "a1", "stage": "dev"}},
    "load_balancer": {
        **REQUEST,
        "requestContext": {"elb": {}, "apiId": "a1", "stage": "dev"},
    },
    "http_api": {
        "version": "2.0",
        "rawPath": "/healthz",
        "requestContext": {"apiId": "a1", "stage": "$default", "http": {"method": "GET", "path": "/healthz"}},
    },
    "command_with_version": {**REQUEST, "version": "2.0", "raw_command": "raise SystemExit(3)"},
    "no_method": {**REQUEST, "httpMethod": ""},
    "method_is_number": {**REQUEST, "httpMethod": 7},
    "no_context": {**REQUEST, "requestContext": None},
    "no_api": {**REQUEST, "requestContext": {"stage": "dev"}},
    "headers_are_list": {**REQUEST, "headers": ["Host"]},
    "body_is_object": {**REQUEST, "body": {}},
}
SMUGGLED = {
    **REQUEST,
    "raw_command": "import os; os.environ['EXECUTED'] = '1'",
    "command": "os.abort",
    "manage": "create_user --superuser mallory",
    "Records": [RECORD],
    "stageVariables": {"AWS_ENDPOINT_URL_DYNAMODB": "http://192.0.2.9", "EXECUTED": "1"},
}


def invoke(folder: Path, *events: Any) -> tuple[list[dict[str, Any]], set[str], list[str]]:
    """Invoke the handler in a new process, as Lambda would.

    Return its results, the names in its environment and its log lines.
    """
    (folder / "zappa_settings.py").write_text(ZAPPA_SETTINGS)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
        "INSTANTIATE_LAMBDA_HANDLER_ON_IMPORT": "1",
        "AWS_LAMBDA_FUNCTION_NAME": "logsite-dev",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "SECRET_KEY": "a key for the tests, long enough for production",
        "ALLOWED_HOSTS": "site.example.com",
    }
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(events),
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    *lines, last = process.stdout.splitlines()
    output = json.loads(last)
    return output["results"], set(output["environment"]), lines


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return results, environment and log lines of all refused events, by one process."""
    results, environment, lines = invoke(tmp_path_factory.mktemp("lambda"), *REFUSED.values())
    refused_lines = [line for line in lines if "event refused" in line]
    return {"results": dict(zip(REFUSED, results, strict=True)), "names": environment, "lines": refused_lines}


@pytest.mark.parametrize("name", REFUSED)
def test_handler_refuses_other_events(refusals: dict[str, Any], name: str) -> None:
    message = "The event must be a request of API Gateway. Nothing else is accepted."
    assert refusals["results"][name] == {"error": f"EventRefused: {message}"}


def test_refused_events_execute_nothing(refusals: dict[str, Any]) -> None:
    assert "EXECUTED" not in refusals["names"]


def test_each_refusal_is_one_ascii_log_line(refusals: dict[str, Any]) -> None:
    assert len(refusals["lines"]) == len(REFUSED)
    for line in refusals["lines"]:
        assert line.isascii()
        assert json.loads(line)["level"] == "ERROR"


def test_request_of_api_gateway_is_served(tmp_path: Path) -> None:
    responses, _, _ = invoke(tmp_path, REQUEST, {**REQUEST, "version": "1.0"})
    assert [(each["statusCode"], each["body"]) for each in responses] == [(200, "ok")] * 2


def test_other_fields_of_a_request_have_no_effect(tmp_path: Path) -> None:
    [response], names, _ = invoke(tmp_path, SMUGGLED)
    assert (response["statusCode"], response["body"]) == (200, "ok")
    assert not names & {"EXECUTED", "AWS_ENDPOINT_URL_DYNAMODB"}


def test_refusal_escapes_and_limits_field_names(tmp_path: Path) -> None:
    event = {"\u202eraw\n" + "x" * 5000: 1, **{f"name{number}": number for number in range(5000)}}
    _, _, lines = invoke(tmp_path, event)
    [line] = [line for line in lines if "event refused" in line]
    assert line.isascii()
    assert len(line) < 1000
