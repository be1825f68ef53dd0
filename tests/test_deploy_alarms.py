"""The alarms and the dashboard of the templates: their metrics, rules and recipients."""

import json
from typing import Any

import pytest

from deploy.stage import Stage
from ingest import handler
from logs.digests import handler as digests_handler
from tests.templates import all_resources, of_type, template

ALARMS = {
    "resources.yaml": {
        "DeadLettersAlarm",
        "OldestMessageAlarm",
        "WriterErrorsAlarm",
        "WriterThrottlesAlarm",
        "TableWriteThrottlesAlarm",
        "TableReadThrottlesAlarm",
        "WebErrorsAlarm",
        "AuditAlarm",
        "NothingWrittenAlarm",
    },
    "mapping.yaml": {"MappingDisabledAlarm"},
    "schedule.yaml": {"DigestsErrorsAlarm", "DigestsStoppedAlarm"},
}


def as_text(value: Any) -> str:
    """Return a value of a template as text, with its functions as their arguments."""
    if not isinstance(value, dict):
        return str(value)
    [(function, argument)] = value.items()
    return ".".join(argument) if function == "Fn::GetAtt" else str(argument)


def metric_key(metric: dict[str, Any]) -> tuple[str, ...]:
    """Return namespace, name, dimensions and statistic of an alarm's metric."""
    fields = metric.get("Metric", metric)
    dimensions = [f"{each['Name']}={as_text(each['Value'])}" for each in fields["Dimensions"]]
    return fields["Namespace"], fields["MetricName"], *dimensions, metric.get("Stat") or metric["Statistic"]


WRITER, DIGESTS = "logsite-${Stage}-writer", "logsite-${Stage}-digests"
# By alarm: its metrics, and its rule: period in seconds, datapoints to alarm, evaluation periods, comparison,
# threshold, missing data.
RULES: dict[str, tuple[list[tuple[str, ...]], tuple[Any, ...]]] = {
    "DeadLettersAlarm": (
        [("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName=DeadLetterQueue.QueueName", "Maximum")],
        (60, 1, 1, ">=", "1", "notBreaching"),
    ),
    "OldestMessageAlarm": (
        [("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName=LogsQueue.QueueName", "Maximum")],
        (60, 3, 5, ">=", "OldestMessageSeconds", "notBreaching"),
    ),
    "WriterErrorsAlarm": (
        [
            ("AWS/Lambda", "Errors", f"FunctionName={WRITER}", "Sum"),
            ("Logsite", "failed", f"service={WRITER}", "Sum"),
        ],
        (300, 2, 4, ">=", "1", "notBreaching"),
    ),
    "WriterThrottlesAlarm": (
        [("AWS/Lambda", "Throttles", f"FunctionName={WRITER}", "Sum")],
        (60, 3, 5, ">=", "1", "notBreaching"),
    ),
    "WebErrorsAlarm": (
        [("AWS/ApiGateway", "5XXError", "ApiName=logsite-${Stage}", "Sum")],
        (300, 1, 1, ">=", "1", "notBreaching"),
    ),
    "AuditAlarm": (
        [("Logsite", "audit_unsent", "service=logsite-${Stage}", "Sum")],
        (300, 1, 1, ">=", "1", "notBreaching"),
    ),
    "NothingWrittenAlarm": (
        [("Logsite", "written", f"service={WRITER}", "Sum")],
        (60, "NothingWrittenMinutes", "NothingWrittenMinutes", "<", "1", "breaching"),
    ),
    "DigestsErrorsAlarm": (
        [("AWS/Lambda", "Errors", f"FunctionName={DIGESTS}", "Sum")],
        (300, 2, 4, ">=", "1", "notBreaching"),
    ),
    "DigestsStoppedAlarm": (
        [("Logsite", "runs", f"service={DIGESTS}", "Sum")],
        (300, 6, 6, "<", "1", "breaching"),
    ),
    "MappingDisabledAlarm": (
        [
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName=LogsQueueName", "Minimum"),
            ("AWS/Lambda", "Invocations", f"FunctionName={WRITER}", "Sum"),
        ],
        (60, 5, 10, ">=", "1", "notBreaching"),
    ),
}
COMPARISONS = {"GreaterThanOrEqualToThreshold": ">=", "LessThanThreshold": "<"}
EXPRESSIONS = {
    "WriterErrorsAlarm": "FILL(errors, 0) + FILL(failed, 0)",
    "TableWriteThrottlesAlarm": "SUM(FILL(METRICS(), 0))",
    "TableReadThrottlesAlarm": "SUM(FILL(METRICS(), 0))",
    "MappingDisabledAlarm": "IF(waiting > 0 AND FILL(invocations, 0) == 0, 1, 0)",
}


@pytest.mark.parametrize("name", RULES)
def test_alarm_has_expected_metrics_and_rule(name: str) -> None:
    alarm = all_resources()[name]["Properties"]
    metrics = [each["MetricStat"] for each in alarm.get("Metrics", [alarm]) if "MetricStat" in each] or [
        alarm
    ]
    [period] = {metric["Period"] for metric in metrics}
    periods = alarm["EvaluationPeriods"]
    rule = (
        period,
        *(
            as_text(each) if isinstance(each, dict) else each
            for each in (alarm.get("DatapointsToAlarm", periods), periods)
        ),
        COMPARISONS[alarm["ComparisonOperator"]],
        as_text(alarm["Threshold"]),
        alarm["TreatMissingData"],
    )
    assert ([metric_key(metric) for metric in metrics], rule) == RULES[name]


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_metric_math_alarm_has_expected_expression(name: str) -> None:
    metrics = all_resources()[name]["Properties"]["Metrics"]
    [expression] = [each for each in metrics if "Expression" in each]
    assert expression["Expression"] == EXPRESSIONS[name]
    assert expression["ReturnData"] is True


def test_functions_emit_the_metrics_of_the_alarms() -> None:
    assert handler.metrics.namespace == "Logsite"
    writer = Stage("dev").settings()["dev_writer"]["aws_environment_variables"]
    assert writer["POWERTOOLS_SERVICE_NAME"] == WRITER.replace("${Stage}", "dev")
    assert digests_handler.metrics.namespace == "Logsite"
    digests = Stage("dev").settings()["dev_digests"]["aws_environment_variables"]
    assert digests["POWERTOOLS_SERVICE_NAME"] == DIGESTS.replace("${Stage}", "dev")


def test_dashboard_shows_the_metrics_of_the_alarms() -> None:
    body = json.loads(all_resources()["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    metrics = {
        str(part)
        for widget in body["widgets"]
        for metric in widget["properties"]["metrics"]
        for part in metric
    }
    assert {
        "written",
        "failed",
        "ApproximateAgeOfOldestMessage",
        "Errors",
        "Throttles",
        "5XXError",
        "built_logs",
        "seconds_behind",
    } <= metrics


@pytest.mark.parametrize("name", ALARMS)
def test_every_alarm_notifies_the_topic(name: str) -> None:
    alarms = of_type(template(name)["Resources"], "AWS::CloudWatch::Alarm")
    assert alarms.keys() == ALARMS[name]
    topics = [{"Ref": "AlarmTopic"}, {"Ref": "AlarmTopicArn"}]
    for logical_id, alarm in alarms.items():
        properties = alarm["Properties"]
        assert properties["AlarmName"]["Fn::Sub"] == f"logsite-${{Stage}}-{logical_id}"
        [action] = properties["AlarmActions"]
        assert action in topics


@pytest.mark.parametrize("kind", ["Write", "Read"])
def test_throttles_alarm_covers_every_index(kind: str) -> None:
    resources = all_resources()
    metrics = [
        (metric["MetricName"], *(each["Value"] for each in metric["Dimensions"][1:]))
        for each in resources[f"Table{kind}ThrottlesAlarm"]["Properties"]["Metrics"]
        if "MetricStat" in each
        for metric in [each["MetricStat"]["Metric"]]
    ]
    indexes = [index["IndexName"] for index in resources["LogsTable"]["Properties"]["GlobalSecondaryIndexes"]]
    assert sorted(metrics) == sorted(
        (f"{kind}ThrottleEvents", *index) for index in [(), *((name,) for name in indexes)]
    )


def test_alarm_has_at_most_ten_metrics() -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create-alarm-on-metric-math-expression.html"""
    for name, alarm in of_type(all_resources(), "AWS::CloudWatch::Alarm").items():
        metrics = [each for each in alarm["Properties"].get("Metrics", []) if "MetricStat" in each]
        assert len(metrics) <= 10, name
