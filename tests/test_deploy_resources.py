"""The templates match the models and the design, and cfn-lint accepts them."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pynamodb.models import Model

from deploy.stage import ROOT, Stage
from logs.exports import jobs
from logs.models import LogItem
from logs.storage import tables
from logs.storage.digest_items import DigestItem
from logs.storage.export_items import ExportItem
from logs.storage.view_items import ViewsItem
from logsite.accounts.store import SessionItem, TokenItem, UserItem
from tests.templates import all_resources, of_type, template

MODELS = {
    "LogsTable": LogItem,
    "UsersTable": UserItem,
    "SessionsTable": SessionItem,
    "TokensTable": TokenItem,
    "DigestsTable": DigestItem,
    "ViewsTable": ViewsItem,
    "ExportsTable": ExportItem,
}
# Tables without a backup: derived data, and exports, which expire in a few days.
DERIVED = ("DigestsTable", "ExportsTable")
BUCKET_POLICIES = ("DeploymentBucketPolicy", "ExportsBucketPolicy")
RETAINING = {"Retain", "RetainExceptOnCreate"}


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    """Return the resources of deploy/resources.yaml."""
    content: dict[str, Any] = template("resources.yaml")["Resources"]
    return content


@pytest.mark.parametrize("name", MODELS)
def test_table_matches_its_model(resources: dict[str, Any], name: str) -> None:
    assert tables.differences(MODELS[name], resources[name]["Properties"]) == []


@pytest.mark.parametrize("name", MODELS)
def test_only_key_attributes_are_declared(resources: dict[str, Any], name: str) -> None:
    properties = resources[name]["Properties"]
    indexes = properties.get("GlobalSecondaryIndexes", [])
    schemas = [properties["KeySchema"], *(index["KeySchema"] for index in indexes)]
    keys = {key["AttributeName"] for schema in schemas for key in schema}
    assert {each["AttributeName"] for each in properties["AttributeDefinitions"]} == keys


@pytest.mark.parametrize("name", MODELS)
def test_table_ttl_matches_its_model(resources: dict[str, Any], name: str) -> None:
    model: type[Model] = MODELS[name]
    attribute = model._ttl_attribute()
    expected = {"AttributeName": attribute.attr_name, "Enabled": True} if attribute else None
    assert resources[name]["Properties"].get("TimeToLiveSpecification") == expected


@pytest.mark.parametrize(
    "drift",
    [
        lambda table: table["GlobalSecondaryIndexes"].pop(),
        lambda table: table["GlobalSecondaryIndexes"][0]["Projection"]["NonKeyAttributes"].append("payload"),
        lambda table: table["GlobalSecondaryIndexes"][1]["Projection"]["NonKeyAttributes"].remove("url"),
        lambda table: (
            table["GlobalSecondaryIndexes"][2]["KeySchema"].reverse()
            or table["GlobalSecondaryIndexes"][2]["KeySchema"][0].update(KeyType="HASH")
        ),
        lambda table: table["AttributeDefinitions"][-1].update(AttributeType="N"),
    ],
)
def test_drift_from_the_model_is_detected(drift: Any) -> None:
    table = template("resources.yaml")["Resources"]["LogsTable"]["Properties"]
    drift(table)
    assert tables.differences(LogItem, table)


def test_tables_are_protected_and_on_demand(resources: dict[str, Any]) -> None:
    resource_tables = of_type(resources, "AWS::DynamoDB::Table")
    assert resource_tables.keys() == MODELS.keys()
    for name, table in resource_tables.items():
        properties = table["Properties"]
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        if name in DERIVED:
            continue
        assert properties["DeletionProtectionEnabled"] == {"Fn::If": ["IsProtected", True, False]}
        assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_tables_and_queues_outlive_the_stack(resources: dict[str, Any]) -> None:
    stateful = of_type(resources, "AWS::DynamoDB::Table") | of_type(resources, "AWS::SQS::Queue")
    assert len(stateful) == 9
    for name in DERIVED:
        del stateful[name]
    for resource in stateful.values():
        assert resource["DeletionPolicy"] in RETAINING
        assert resource["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", DERIVED)
def test_derived_tables_have_no_backup_and_are_deleted(resources: dict[str, Any], name: str) -> None:
    table = resources[name]
    assert table.get("Condition") == {"DigestsTable": "HasDigests"}.get(name)
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Delete"
    assert table["Properties"]["DeletionProtectionEnabled"] is False
    recovery = table["Properties"]["PointInTimeRecoverySpecification"]
    assert recovery == {"PointInTimeRecoveryEnabled": False}


def test_one_parameter_switches_digests_off() -> None:
    content = template("resources.yaml")
    assert content["Parameters"]["Digests"]["Default"] == "on"
    assert content["Conditions"]["HasDigests"] == {"Fn::Equals": [{"Ref": "Digests"}, "on"]}
    assert content["Outputs"]["DigestsTableName"]["Condition"] == "HasDigests"


def test_queues_are_encrypted_with_redrive_policy(resources: dict[str, Any]) -> None:
    queue = resources["LogsQueue"]["Properties"]
    dead_letter_queue = resources["DeadLetterQueue"]["Properties"]
    for each in (queue, dead_letter_queue):
        assert each["SqsManagedSseEnabled"] == {"Fn::If": ["HasKey", False, True]}
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]},
        "maxReceiveCount": {"Ref": "ReceiveCount"},
    }
    assert dead_letter_queue["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"]


def test_only_the_queue_uses_its_dead_letter_queue(resources: dict[str, Any]) -> None:
    name = resources["LogsQueue"]["Properties"]["QueueName"]["Fn::Sub"]
    arn = f"arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{AWS::AccountId}}:{name}"
    assert resources["DeadLetterQueue"]["Properties"]["RedriveAllowPolicy"] == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [{"Fn::Sub": arn}],
    }


def test_one_key_encrypts_every_store(resources: dict[str, Any]) -> None:
    key = {"Ref": "KmsKeyArn"}

    def choice(value: Any, default: Any = None) -> dict[str, Any]:
        return {"Fn::If": ["HasKey", value, {"Ref": "AWS::NoValue"} if default is None else default]}

    for table in of_type(resources, "AWS::DynamoDB::Table").values():
        encryption = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
        assert table["Properties"]["SSESpecification"] == choice(encryption)
    for kind, name in {
        "AWS::SQS::Queue": "KmsMasterKeyId",
        "AWS::SNS::Topic": "KmsMasterKeyId",
        "AWS::Logs::LogGroup": "KmsKeyId",
    }.items():
        for resource in of_type(resources, kind).values():
            assert resource["Properties"][name] == choice(key)
    for bucket in of_type(resources, "AWS::S3::Bucket").values():
        [rule] = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {
            "SSEAlgorithm": choice("aws:kms", "AES256"),
            "KMSMasterKeyID": choice(key),
        }


def test_buckets_are_private_and_files_expire(resources: dict[str, Any]) -> None:
    buckets = of_type(resources, "AWS::S3::Bucket")
    assert buckets.keys() == {"DeploymentBucket", "ExportsBucket"}
    for bucket in buckets.values():
        access = bucket["Properties"]["PublicAccessBlockConfiguration"]
        assert len(access) == 4
        assert all(access.values())
    rules = buckets["ExportsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    assert days == {"parts/": jobs.PARTS_KEPT.days, "files/": jobs.FILES_KEPT.days}
    assert jobs.MAX_AGE < jobs.PARTS_KEPT


@pytest.mark.parametrize(
    ("name", "valid", "invalid"),
    [
        ("KmsKeyArn", ["", "arn:aws:kms:eu-central-1:123456789012:key/mrk-1a"], ["alias/aws/sns", "1a-2b"]),
        (
            "OwnSenders",
            ["", "AROAEXAMPLE12", "AROAEXAMPLE12,AIDAEXAMPLE34"],
            ["*", "AROA:x", "A,", "aroa12345678"],
        ),
    ],
)
def test_parameter_pattern(name: str, valid: list[str], invalid: list[str]) -> None:
    pattern = template("resources.yaml")["Parameters"][name]["AllowedPattern"]
    assert all(re.fullmatch(pattern, value) for value in valid)
    assert not any(re.fullmatch(pattern, value) for value in invalid)


def test_visibility_timeout_is_six_writer_timeouts() -> None:
    visibility_timeout = template("resources.yaml")["Parameters"]["VisibilityTimeout"]["Default"]
    for name in ("dev", "production"):
        stage = Stage(name)
        assert visibility_timeout >= 6 * stage.settings()[stage.writer]["timeout_seconds"]


def test_queues_bucket_and_topic_require_tls(resources: dict[str, Any]) -> None:
    for name in ("LogsQueuePolicy", "DeadLetterQueuePolicy", *BUCKET_POLICIES, "AlarmTopicPolicy"):
        statements = resources[name]["Properties"]["PolicyDocument"]["Statement"]
        plain = [each["Fn::If"][1] if "Fn::If" in each else each for each in statements]
        [denial] = [each for each in plain if each["Sid"] == "OnlyTls"]
        assert denial["Effect"] == "Deny"
        assert denial["Principal"] == "*"
        assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_sender_can_only_send(resources: dict[str, Any]) -> None:
    statement, for_key = resources["SenderPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    condition, key_statement, otherwise = for_key["Fn::If"]
    assert (condition, otherwise) == ("HasKey", {"Ref": "AWS::NoValue"})
    assert key_statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert key_statement["Resource"] == {"Ref": "KmsKeyArn"}
    assert key_statement["Condition"]["StringEquals"].keys() == {"kms:ViaService"}
    assert statement == {
        "Effect": "Allow",
        "Action": "sqs:SendMessage",
        "Resource": {"Fn::GetAtt": ["LogsQueue", "Arn"]},
    }
    cross_account = [
        each["Fn::If"][1]
        for each in resources["LogsQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
        if each["Fn::If"][1]["Effect"] == "Allow"
    ]
    assert [each["Action"] for each in cross_account] == ["sqs:SendMessage"] * 2


def test_log_groups_expire_and_topic_accepts_alarms(resources: dict[str, Any]) -> None:
    for group in of_type(resources, "AWS::Logs::LogGroup").values():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogGroupDays"}
    statement = resources["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
    assert statement["Principal"] == {"Service": ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]}
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sns:Publish")
    for notification in resources["BudgetAlarm"]["Properties"]["NotificationsWithSubscribers"]:
        assert notification["Subscribers"] == [{"SubscriptionType": "SNS", "Address": {"Ref": "AlarmTopic"}}]
    assert resources["AlarmSubscription"]["Properties"]["Endpoint"] == {"Ref": "AlarmEmail"}


def test_every_name_contains_the_stage() -> None:
    names = {
        name: value
        for name, resource in all_resources().items()
        for key, value in resource["Properties"].items()
        if key in {"TableName", "QueueName", "BucketName", "LogGroupName", "AlarmName", "TopicName"}
        or key in {"ManagedPolicyName", "DashboardName", "Name"}
    }
    assert len(names) == 31
    for name, value in names.items():
        assert "logsite-${Stage}" in value["Fn::Sub"], name


def test_stage_and_template_have_the_same_names(resources: dict[str, Any]) -> None:
    stage = Stage("dev")

    def names(kind: str, key: str) -> list[str]:
        return [
            resource["Properties"][key]["Fn::Sub"].replace("${Stage}", "dev")
            for resource in of_type(resources, kind).values()
        ]

    assert names("AWS::DynamoDB::Table", "TableName") == stage.tables
    assert names("AWS::SQS::Queue", "QueueName") == stage.queues
    groups = [f"/aws/lambda/{function}" for function in stage.functions.values()]
    assert names("AWS::Logs::LogGroup", "LogGroupName") == groups


def test_mapping_reports_batch_item_failures() -> None:
    mapping = template("mapping.yaml")["Resources"]["Mapping"]["Properties"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["Enabled"] is True
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "MaximumConcurrency"}}
    # AWS requires a window for batches of more than 10 messages.
    assert template("mapping.yaml")["Parameters"]["BatchingWindow"]["MinValue"] >= 1


def test_schedule_invokes_the_builder_without_retries() -> None:
    resources = template("schedule.yaml")["Resources"]
    rule = resources["Rule"]["Properties"]
    assert rule["ScheduleExpression"] == "rate(5 minutes)"
    assert rule["State"] == "ENABLED"
    [target] = rule["Targets"]
    assert target["Arn"]["Fn::Sub"].endswith(":function:logsite-${Stage}-digests")
    permission = resources["Permission"]["Properties"]
    assert permission["Principal"] == "events.amazonaws.com"
    assert permission["SourceArn"] == {"Fn::GetAtt": ["Rule", "Arn"]}
    assert resources["Retries"]["Properties"]["MaximumRetryAttempts"] == 0


def test_runs_of_the_builder_do_not_overlap() -> None:
    # EventBridge invokes within the minute.
    for name in ("dev", "production"):
        stage = Stage(name)
        assert stage.settings()[stage.digests]["timeout_seconds"] + 60 <= 5 * 60


def test_cfn_lint_reports_nothing() -> None:
    run = subprocess.run(
        [
            Path(sys.executable).with_name("cfn-lint"),
            "--include-checks=I",
            "--non-zero-exit-code=informational",
            "--template",
            *sorted((ROOT / "deploy").glob("*.yaml")),
        ],
        capture_output=True,
        text=True,
    )
    assert run.stdout + run.stderr == ""
    assert run.returncode == 0


def test_templates_disable_no_cfn_lint_rule() -> None:
    for path in (ROOT / "deploy").glob("*.yaml"):
        assert "cfn-lint" not in path.read_text()
