"""zappa_settings.json has no secret and no account, and each role has the least privilege."""

import json
import re
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from deploy import roles, zappa
from deploy.account import Account
from deploy.commands import manage, up
from deploy.deployment import Deployment
from deploy.errors import NoSuchStage
from deploy.stage import SETTINGS, Stage
from deploy.target import Target
from logs.exports import worker

AWS = Account("123456789012", "eu-central-1", "aws", None)
EMULATOR = Account("000000000000", "us-east-1", "aws", "http://127.0.0.1:4566")
OUTPUTS = {
    "DeploymentBucketName": "bucket",
    "DigestsTableName": "logsite-dev-digests",
    "ExportsTableName": "logsite-dev-exports",
    "ExportsBucketName": "logsite-dev-exports-123456789012-eu-central-1",
    "LogsQueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/logsite-dev-logs",
    "DeadLetterQueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/logsite-dev-dead-letters",
    "OwnSenders": "AIDAOPERATOR",
    "Mask": "@default,api_key",
    "RetentionDays": "365",
    "SortingShards": "2",
    "SortingShardsRead": "4",
}
ROLES = {
    name: roles.Role(f"arn:aws:iam::123456789012:role/{name}", unique_id)
    for name, unique_id in {
        "logsite-dev": "AROASITE",
        "logsite-dev-writer": "AROAWRITER",
        "logsite-dev-digests": "AROADIGESTS",
        "logsite-dev-exports": "AROAEXPORTS",
    }.items()
}
DEV = Stage("dev")


def statements(function: str) -> list[dict[str, Any]]:
    """Return the statements of a function's policy."""
    policies = roles.permission_policies(Deployment(DEV, AWS))
    policy_statements: list[dict[str, Any]] = policies[function]["Statement"]
    return policy_statements


def as_list(value: str | list[str]) -> list[str]:
    """Return a policy element as a list. IAM accepts a single text too."""
    return [value] if isinstance(value, str) else value


def allowed(function: str, suffix: str) -> set[str]:
    """Return the actions that a function's role allows on resources with this ARN suffix."""
    return {
        action
        for statement in statements(function)
        if any(arn.endswith(suffix) for arn in as_list(statement["Resource"]))
        for action in as_list(statement["Action"])
    }


@pytest.mark.parametrize("function", DEV.functions.values())
def test_roles_name_each_action_and_resource(function: str) -> None:
    for statement in statements(function):
        assert statement["Effect"] == "Allow"
        assert all(re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action) for action in as_list(statement["Action"]))
        for arn in as_list(statement["Resource"]):
            # A wildcard only for the indexes of a table, for the streams of a log group, and for the parts
            # and files in a bucket.
            assert "*" not in re.sub(r"(/index/\*|:\*|/parts/\*|/files/\*)$", "", arn)
            assert "logsite-dev" in arn or "logsite/dev" in arn
            assert "$" not in arn


def test_site_role_reads_logs_and_uses_two_queues() -> None:
    read_actions = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
    assert allowed("logsite-dev", "table/logsite-dev-logs") == read_actions
    assert allowed("logsite-dev", ":logsite-dev-logs") == {"sqs:SendMessage", "sqs:GetQueueAttributes"}
    assert allowed("logsite-dev", ":logsite-dev-dead-letters") == {
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    }
    sqs = [each for each in statements("logsite-dev") if "sqs:" in str(each["Action"])]
    queue = "arn:aws:sqs:eu-central-1:123456789012:logsite-dev-"
    assert [each["Resource"] for each in sqs] == [f"{queue}logs", f"{queue}logs", f"{queue}dead-letters"]


def test_writer_role_has_no_access_to_users_or_key() -> None:
    for suffix in ("-users", "-sessions", "-tokens", "secret-key"):
        assert allowed("logsite-dev-writer", suffix) == set()
    assert allowed("logsite-dev-writer", ":logsite-dev-dead-letters") == {"sqs:SendMessage"}
    assert "sqs:SendMessage" not in allowed("logsite-dev-writer", ":logsite-dev-logs")


def test_builder_role_reads_logs_and_writes_digests() -> None:
    function = "logsite-dev-digests"
    read_actions = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
    assert allowed(function, "table/logsite-dev-logs") == read_actions
    assert allowed(function, "index/SortingIndex") == {"dynamodb:Query"}
    assert allowed(function, "/index/*") == set()
    written = allowed(function, "table/logsite-dev-digests")
    assert {"dynamodb:PutItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem"} <= written
    for suffix in ("-users", "-sessions", "-tokens", "secret-key", ":logsite-dev-logs", "-dead-letters"):
        assert allowed(function, suffix) == set()


def test_site_role_only_reads_digests() -> None:
    read_actions = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
    assert allowed("logsite-dev", "table/logsite-dev-digests") == read_actions


def test_exports_role_reads_logs_and_writes_files() -> None:
    function, bucket = "logsite-dev-exports", "s3:::logsite-dev-exports-123456789012-eu-central-1"
    read_actions = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
    for suffix in ("table/logsite-dev-logs", "/index/*", "table/logsite-dev-digests"):
        assert allowed(function, suffix) == read_actions
    assert allowed(function, "table/logsite-dev-exports") == {"dynamodb:GetItem", "dynamodb:UpdateItem"}
    assert allowed(function, f"{bucket}/parts/*") == {"s3:GetObject", "s3:PutObject"}
    assert allowed(function, f"{bucket}/files/*") == {"s3:PutObject"}
    assert allowed("logsite-dev", f"{bucket}/files/*") == {"s3:GetObject"}
    assert allowed("logsite-dev", f"{bucket}/parts/*") == set()
    for each in ("logsite-dev", function):
        assert allowed(each, f":function:{function}") == {"lambda:InvokeFunction"}
    for suffix in ("-users", "-sessions", "-tokens", "secret-key", ":logsite-dev-logs", "-dead-letters"):
        assert allowed(function, suffix) == set()


def test_only_lambda_and_api_gateway_assume_roles() -> None:
    services = {
        function: document["Statement"][0]["Principal"]["Service"]
        for function, document in roles.trust_policies(Deployment(DEV, AWS)).items()
    }
    assert services == {
        "logsite-dev": ["lambda.amazonaws.com", "apigateway.amazonaws.com"],
        "logsite-dev-writer": ["lambda.amazonaws.com"],
        "logsite-dev-digests": ["lambda.amazonaws.com"],
        "logsite-dev-exports": ["lambda.amazonaws.com"],
    }
    assert allowed("logsite-dev", ":function:logsite-dev") == {"lambda:InvokeFunction"}
    assert not any(action.startswith("lambda:") for action in allowed("logsite-dev-writer", ""))


def test_settings_have_no_secret_and_no_account() -> None:
    text = SETTINGS.read_text()
    assert not re.search(r"\d{12}|arn:|AKIA|https?://", text)
    variables = [stage["aws_environment_variables"] for stage in json.loads(text).values()]
    assert all("SECRET_KEY" not in each for each in variables)


@pytest.mark.parametrize("name", ["dev", "production"])
def test_settings_disable_zappas_own_features(name: str) -> None:
    stage = Stage(name)
    settings = stage.settings()
    for values in settings.values():
        # With Zappa's mapping, SQS would delete failed messages. Its warm-up requests cost money and fail.
        assert "events" not in values
        assert values["keep_warm"] is values["touch"] is values["debug"] is values["manage_roles"] is False
        assert values["use_precompiled_packages"] is False
        assert "environment_variables" not in values
    # Zappa ignores unknown names, so a misspelled one would go unnoticed.
    assert settings[name]["aws_environment_variables"]["INSTANTIATE_LAMBDA_HANDLER_ON_IMPORT"] == "1"
    writer = settings[stage.writer]
    assert writer["lambda_handler"] == "ingest.handler.lambda_handler"
    assert writer["apigateway_enabled"] is False
    digests = settings[stage.digests]
    assert digests["lambda_handler"] == "logs.digests.handler.lambda_handler"
    assert digests["apigateway_enabled"] is False
    exports = settings[stage.exports]
    assert exports["lambda_handler"] == "logs.exports.handler.lambda_handler"
    assert exports["apigateway_enabled"] is False
    # A worker needs this time to begin, to stop, and to join the parts.
    assert exports["timeout_seconds"] >= 3 * worker.JOIN_SECONDS
    # Zappa's own handler executes code of everybody who may invoke the function.
    assert settings[name]["lambda_handler"] == "logsite.handler.lambda_handler"
    assert settings[name]["aws_environment_variables"]["STAGE_PREFIX"] == f"/{name}"
    assert settings[name]["throttling"].keys() == {"requests_per_second", "burst"}


def test_settings_of_a_stage_name_no_other_stage() -> None:
    for name in ("dev", "production"):
        other = {"dev": "production", "production": "dev"}[name]
        assert other not in json.dumps(Stage(name).settings())


def test_settings_get_values_of_the_account(tmp_path: Path) -> None:
    path = zappa.write_settings(Deployment(DEV, AWS, tmp_path), Target("3.13", "arm64"), OUTPUTS, ROLES)
    settings = json.loads(path.read_text())
    for name, function in DEV.functions.items():
        values = settings[name]
        assert values["aws_region"] == "eu-central-1"
        assert values["role_arn"] == ROLES[function].arn
        assert (values["runtime"], values["architecture"]) == ("python3.13", "arm64")
        assert values["s3_bucket"] == "bucket"
        assert values["aws_environment_variables"]["LOGS_SORTING_SHARDS"] == "2"
        assert values["aws_environment_variables"]["DIGESTS_TABLE"] == "logsite-dev-digests"
    web = settings["dev"]["aws_environment_variables"]
    assert web["ALLOWED_HOSTS"] == ".execute-api.eu-central-1.amazonaws.com"
    assert web["LOGS_SORTING_SHARDS_READ"] == "4"
    assert web["LOGS_QUEUE_URL"] == OUTPUTS["LogsQueueUrl"]
    assert "CSRF_TRUSTED_ORIGINS" not in web
    writer = settings["dev_writer"]["aws_environment_variables"]
    assert writer["LOGS_RETENTION_DAYS"] == "365"
    assert writer["LOGS_QUEUE_URL"] == OUTPUTS["LogsQueueUrl"]
    assert writer["LOGS_DEAD_LETTER_QUEUE_URL"] == OUTPUTS["DeadLetterQueueUrl"]
    assert writer["LOGS_OWN_SENDERS"] == "AROASITE,AIDAOPERATOR"
    assert writer["LOGS_MASK"] == "@default,api_key"
    assert web["LOGS_DEAD_LETTER_QUEUE_URL"] == OUTPUTS["DeadLetterQueueUrl"]
    assert web["LOGS_MASK"] == writer["LOGS_MASK"]
    assert "LOGS_OWN_SENDERS" not in web
    exports = {
        "EXPORTS_TABLE": "logsite-dev-exports",
        "LOGS_EXPORTS_BUCKET": "logsite-dev-exports-123456789012-eu-central-1",
        "LOGS_EXPORTS_FUNCTION": "logsite-dev-exports",
    }
    assert web.items() >= exports.items()
    assert settings["dev_exports"]["aws_environment_variables"] == {
        "POWERTOOLS_SERVICE_NAME": "logsite-dev-exports",
        "LOGS_TABLE": "logsite-dev-logs",
        "DIGESTS_TABLE": "logsite-dev-digests",
        "LOGS_SORTING_SHARDS": "2",
        "LOGS_SORTING_SHARDS_READ": "4",
        **exports,
    }
    assert settings["dev_digests"]["aws_environment_variables"] == {
        "POWERTOOLS_SERVICE_NAME": "logsite-dev-digests",
        "LOGS_TABLE": "logsite-dev-logs",
        "DIGESTS_TABLE": "logsite-dev-digests",
        "LOGS_SORTING_SHARDS": "2",
        "LOGS_SORTING_SHARDS_READ": "4",
    }


def test_no_function_has_digests_if_they_are_off(tmp_path: Path) -> None:
    outputs = {name: value for name, value in OUTPUTS.items() if name != "DigestsTableName"}
    path = zappa.write_settings(Deployment(DEV, AWS, tmp_path), Target("3.13", "arm64"), outputs, ROLES)
    settings = json.loads(path.read_text())
    tables = [values["aws_environment_variables"]["DIGESTS_TABLE"] for values in settings.values()]
    assert tables == [""] * 4


@pytest.mark.parametrize(
    ("new", "current", "senders"),
    [
        ({}, {}, "AIDACALLER"),
        ({}, {"OwnSenders": "AIDAFIRST"}, "AIDAFIRST,AIDACALLER"),
        ({}, {"OwnSenders": "AIDACALLER,AIDAFIRST"}, "AIDACALLER,AIDAFIRST"),
        ({"OwnSenders": "AROANEW"}, {"OwnSenders": "AIDAFIRST"}, "AROANEW,AIDACALLER"),
        ({"OwnSenders": ""}, {"OwnSenders": "AIDAFIRST"}, "AIDACALLER"),
    ],
    ids=["first", "another_operator", "again", "replaced", "reset"],
)
def test_operator_is_always_an_own_sender(new: dict[str, str], current: dict[str, str], senders: str) -> None:
    account = Account("123456789012", "eu-central-1", "aws", None, "AIDACALLER")
    assert up.own_senders(Deployment(DEV, account), new, current) == senders


def test_retention_zero_sets_no_retention_days(tmp_path: Path) -> None:
    path = zappa.write_settings(
        Deployment(DEV, AWS, tmp_path), Target("3.13", "arm64"), {**OUTPUTS, "RetentionDays": "0"}, ROLES
    )
    writer = json.loads(path.read_text())["dev_writer"]["aws_environment_variables"]
    assert "LOGS_RETENTION_DAYS" not in writer


@pytest.mark.parametrize(("days", "variable"), [("365", "365"), ("0", "")])
def test_manage_writes_as_the_writer(days: str, variable: str) -> None:
    tables = {f"{name}TableName": "table" for name in ("Logs", "Users", "Sessions", "Tokens")}

    class Deployed(Deployment):
        def outputs(self) -> dict[str, str]:
            return {**OUTPUTS, **tables, "RetentionDays": days}

    variables = manage.variables(Deployed(DEV, AWS))
    assert variables["LOGS_RETENTION_DAYS"] == variable
    assert variables["LOGS_MASK"] == OUTPUTS["Mask"]
    assert variables["LOGS_SORTING_SHARDS"] == OUTPUTS["SortingShards"]


def test_empty_mask_switches_masking_off(tmp_path: Path) -> None:
    outputs = {name: value for name, value in OUTPUTS.items() if name != "Mask"}
    path = zappa.write_settings(Deployment(DEV, AWS, tmp_path), Target("3.13", "arm64"), outputs, ROLES)
    assert json.loads(path.read_text())["dev_writer"]["aws_environment_variables"]["LOGS_MASK"] == ""


def test_invalid_mask_is_an_error_before_the_deployment() -> None:
    options = Namespace(python="", arch="", keep_days="", set=["Mask=/(/", "BatchSize=7"])
    [problem] = up.check(options)
    assert problem.startswith("Mask: '/(/' must be a regular expression: missing )")


def test_emulator_host_and_http_origin_are_trusted(tmp_path: Path) -> None:
    path = zappa.write_settings(Deployment(DEV, EMULATOR, tmp_path), Target("3.13", "x86_64"), OUTPUTS, ROLES)
    web = json.loads(path.read_text())["dev"]["aws_environment_variables"]
    assert web["ALLOWED_HOSTS"] == ".execute-api.localhost"
    assert web["CSRF_TRUSTED_ORIGINS"] == "http://*.execute-api.localhost:4566"


@pytest.mark.parametrize("name", ["", "staging", "dev_writer", "Dev", "../dev"])
def test_unknown_stage_is_rejected_with_valid_names(name: str) -> None:
    with pytest.raises(NoSuchStage, match=r"STAGE must be one of dev, production"):
        Stage(name).settings()
