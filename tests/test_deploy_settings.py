"""zappa_settings.json and the roles: no secret, no account, and no more than each function needs."""

import json
import re
from typing import Any

import pytest

from deploy import functions, roles
from deploy.account import Account
from deploy.environment import Target
from deploy.stage import SETTINGS, NoSuchStage, Stage

AWS = Account("123456789012", "eu-central-1", "aws", "arn:aws:iam::123456789012:user/me", None)
EMULATOR = Account(
    "000000000000", "us-east-1", "aws", "arn:aws:iam::000000000000:root", "http://127.0.0.1:4566"
)
OUTPUTS = {
    "DeploymentBucketName": "bucket",
    "DeadLetterQueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/logsite-dev-dead-letters",
    "RetentionDays": "365",
    "SortingShards": "2",
    "SortingShardsRead": "4",
}
ARNS = {name: f"arn:aws:iam::123456789012:role/{name}" for name in ("logsite-dev", "logsite-dev-writer")}
DEV = Stage("dev")


@pytest.fixture
def stage(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Return the stage dev, whose files are built in a folder of this test."""
    monkeypatch.setattr(Stage, "folder", tmp_path)
    return DEV


def statements(function: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = roles.policies(DEV, AWS)[function]["Statement"]
    return found


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def allowed(function: str, resource: str) -> set[str]:
    """Return the actions that a function's role allows on resources whose ARN ends so."""
    return {
        action
        for statement in statements(function)
        if any(arn.endswith(resource) for arn in listed(statement["Resource"]))
        for action in listed(statement["Action"])
    }


@pytest.mark.parametrize("function", ["logsite-dev", "logsite-dev-writer"])
def test_a_role_names_its_actions_and_its_resources(function: str) -> None:
    for statement in statements(function):
        assert statement["Effect"] == "Allow"
        assert all(re.fullmatch(r"[a-z]+:[A-Za-z]+", action) for action in listed(statement["Action"]))
        for arn in listed(statement["Resource"]):
            # All indexes of one table and all streams of one log group: AWS has no other form for the latter.
            assert "*" not in arn.removesuffix("/index/*").removesuffix(":*")
            assert "logsite-dev" in arn or "logsite/dev" in arn
            assert "$" not in arn


def test_the_site_reads_logs_and_cannot_write_them() -> None:
    reading = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
    assert allowed("logsite-dev", "table/logsite-dev-logs") == reading
    assert not any(action.startswith("sqs:") for action in allowed("logsite-dev", ""))


def test_the_writer_cannot_read_users_sessions_tokens_or_the_key() -> None:
    for resource in ("-users", "-sessions", "-tokens", "secret-key"):
        assert allowed("logsite-dev-writer", resource) == set()
    assert allowed("logsite-dev-writer", ":logsite-dev-dead-letters") == {"sqs:SendMessage"}
    assert "sqs:SendMessage" not in allowed("logsite-dev-writer", ":logsite-dev-logs")


def test_only_lambda_takes_a_role_and_api_gateway_the_one_that_it_calls_the_site_with() -> None:
    taken_by = {
        function: document["Statement"][0]["Principal"]["Service"]
        for function, document in roles.trust(DEV).items()
    }
    assert taken_by == {
        "logsite-dev": ["lambda.amazonaws.com", "apigateway.amazonaws.com"],
        "logsite-dev-writer": ["lambda.amazonaws.com"],
    }
    assert allowed("logsite-dev", ":function:logsite-dev") == {"lambda:InvokeFunction"}
    assert not any(action.startswith("lambda:") for action in allowed("logsite-dev-writer", ""))


def test_the_settings_hold_no_secret_and_no_account() -> None:
    text = SETTINGS.read_text()
    assert not re.search(r"\d{12}|arn:|AKIA|https?://", text)
    variables = [stage["aws_environment_variables"] for stage in json.loads(text).values()]
    assert all("SECRET_KEY" not in each for each in variables)


@pytest.mark.parametrize("name", ["dev", "production"])
def test_each_stage_has_a_site_and_a_writer_that_zappa_leaves_alone(name: str) -> None:
    stage = Stage(name)
    settings = stage.settings()
    for values in settings.values():
        # Zappa's own mapping would let SQS delete what failed; its warm-up call costs, and finds no handler.
        assert "events" not in values
        assert values["keep_warm"] is values["touch"] is values["debug"] is values["manage_roles"] is False
        assert values["use_precompiled_packages"] is False
        assert "environment_variables" not in values
    # Zappa does not complain of a name that it does not know.
    assert settings[name]["aws_environment_variables"]["INSTANTIATE_LAMBDA_HANDLER_ON_IMPORT"] == "1"
    writer = settings[stage.writer]
    assert writer["lambda_handler"] == "ingest.handler.lambda_handler"
    assert writer["apigateway_enabled"] is False
    assert settings[name]["aws_environment_variables"]["STAGE_PREFIX"] == f"/{name}"
    assert settings[name]["throttling"].keys() == {"requests_per_second", "burst"}


def test_every_name_in_the_settings_is_its_stages_own() -> None:
    for name in ("dev", "production"):
        other = {"dev": "production", "production": "dev"}[name]
        assert other not in json.dumps(Stage(name).settings())


def test_what_depends_on_the_account_is_filled_in(stage: Stage) -> None:
    path = functions.write_settings(stage, AWS, Target("3.13", "arm64"), OUTPUTS, ARNS)
    settings = json.loads(path.read_text())
    for name, function in stage.functions.items():
        values = settings[name]
        assert values["aws_region"] == "eu-central-1"
        assert values["role_arn"] == ARNS[function]
        assert (values["runtime"], values["architecture"]) == ("python3.13", "arm64")
        assert values["s3_bucket"] == "bucket"
        assert values["aws_environment_variables"]["LOGS_SORTING_SHARDS"] == "2"
    web = settings["dev"]["aws_environment_variables"]
    assert web["ALLOWED_HOSTS"] == ".execute-api.eu-central-1.amazonaws.com"
    assert web["LOGS_SORTING_SHARDS_READ"] == "4"
    assert "CSRF_TRUSTED_ORIGINS" not in web
    writer = settings["dev_writer"]["aws_environment_variables"]
    assert writer["LOGS_RETENTION_DAYS"] == "365"
    assert writer["LOGS_DEAD_LETTER_QUEUE_URL"] == OUTPUTS["DeadLetterQueueUrl"]


def test_logs_are_kept_for_ever_where_the_operator_said_so(stage: Stage) -> None:
    path = functions.write_settings(
        stage, AWS, Target("3.13", "arm64"), {**OUTPUTS, "RetentionDays": "0"}, ARNS
    )
    writer = json.loads(path.read_text())["dev_writer"]["aws_environment_variables"]
    assert "LOGS_RETENTION_DAYS" not in writer


def test_on_an_emulator_the_site_takes_its_host_and_plain_http(stage: Stage) -> None:
    path = functions.write_settings(stage, EMULATOR, Target("3.13", "x86_64"), OUTPUTS, ARNS)
    web = json.loads(path.read_text())["dev"]["aws_environment_variables"]
    assert web["ALLOWED_HOSTS"] == ".execute-api.localhost"
    assert web["CSRF_TRUSTED_ORIGINS"] == "http://*.execute-api.localhost:4566"


@pytest.mark.parametrize("name", ["", "staging", "dev_writer", "Dev", "../dev"])
def test_a_stage_that_is_not_there_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(NoSuchStage, match=r"STAGE must be one of dev, production"):
        Stage(name).settings()
