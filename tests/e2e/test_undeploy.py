"""`make undeploy` deletes the functions, and the data only after a confirmation."""

import re

from tests.e2e.deployment import EmulatedDeployment, make_log, wait_until


def names(deployment: EmulatedDeployment) -> dict[str, list[str]]:
    """Return the names of all Logsite resources in the account, by kind."""
    resources = {
        "tables": deployment.client("dynamodb").list_tables()["TableNames"],
        "queues": deployment.client("sqs").list_queues().get("QueueUrls", []),
        "functions": [
            each["FunctionName"] for each in deployment.client("lambda").list_functions()["Functions"]
        ],
        "apis": [each["name"] for each in deployment.client("apigateway").get_rest_apis()["items"]],
        "roles": [each["RoleName"] for each in deployment.client("iam").list_roles()["Roles"]],
        "buckets": [each["Name"] for each in deployment.client("s3").list_buckets()["Buckets"]],
        "parameters": [each["Name"] for each in deployment.client("ssm").describe_parameters()["Parameters"]],
        "groups": [
            each["logGroupName"] for each in deployment.client("logs").describe_log_groups()["logGroups"]
        ],
        "stacks": [
            each["StackName"]
            for each in deployment.client("cloudformation").describe_stacks()["Stacks"]
            if each["StackStatus"] != "DELETE_COMPLETE"
        ],
        "mappings": deployment.client("lambda").list_event_source_mappings()["EventSourceMappings"],
        "rules": [each["Name"] for each in deployment.client("events").list_rules()["Rules"]],
        "topics": [each["TopicArn"] for each in deployment.client("sns").list_topics()["Topics"]],
        "dashboards": [
            each["DashboardName"]
            for each in deployment.client("cloudwatch").list_dashboards()["DashboardEntries"]
        ],
        "policies": [
            each["PolicyName"] for each in deployment.client("iam").list_policies(Scope="Local")["Policies"]
        ],
        "alarms": deployment.client("cloudwatch").describe_alarms()["MetricAlarms"],
    }
    return {kind: [name for name in values if "logsite" in str(name)] for kind, values in resources.items()}


def test_undeploy_keeps_data_until_confirmed(deployment: EmulatedDeployment) -> None:
    log = make_log()
    deployment.send(log)
    wait_until(lambda: deployment.has_log(log["id"]), "the log is stored")

    rejection = deployment.command("down", "--delete-data")
    assert rejection.returncode == 1
    assert "To confirm, set DELETE_DATA=yes and CONFIRM=dev." in rejection.stderr
    with deployment.iam_user(deployment.outputs["SenderPolicyArn"]):
        rejection = deployment.command("down", "--delete-data", "--confirm", "dev")
    assert rejection.returncode == 1
    assert re.search(
        r"Nothing was deleted, because the user user-\w+ may send logs\. Detach arn:", rejection.stderr
    )
    assert len(names(deployment)["functions"]) == 4

    down = deployment.command("down")
    assert down.returncode == 0, down.stdout + down.stderr
    resources = names(deployment)
    for kind in ("functions", "apis", "roles", "mappings", "rules", "alarms"):
        assert resources[kind] == [], kind
    assert sorted(resources["tables"]) == sorted(deployment.stage.tables)
    assert len(resources["queues"]) == 2
    for kind in ("buckets", "policies", "groups", "topics", "dashboards"):
        assert resources[kind], kind
    assert resources["parameters"] == ["/logsite/dev/secret-key"]
    assert resources["stacks"] == ["logsite-dev-resources"]
    assert deployment.has_log(log["id"])
    deployment.send(make_log())
    assert deployment.message_count() == 1

    again = deployment.command("down")
    assert again.returncode == 0, again.stdout + again.stderr
    deletion = deployment.command("down", "--delete-data", "--confirm", "dev")
    assert deletion.returncode == 0, deletion.stdout + deletion.stderr
    assert {kind: values for kind, values in names(deployment).items() if values} == {}

    # The remains of a failed first deployment or a stopped deletion are deleted too.
    deployment.client("ssm").put_parameter(Name="/logsite/dev/secret-key", Value="x", Type="SecureString")
    deployment.client("sqs").create_queue(QueueName=deployment.stage.queues[0])
    deletion = deployment.command("down", "--delete-data", "--confirm", "dev")
    assert deletion.returncode == 0, deletion.stdout + deletion.stderr
    assert {kind: values for kind, values in names(deployment).items() if values} == {}

    repetition = deployment.command("down")
    assert repetition.returncode == 1
    assert "Nothing of logsite-dev exists in account 000000000000, region eu-central-1." in repetition.stderr
