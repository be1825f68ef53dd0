"""`make undeploy`: the functions go and the data stays; what holds data goes when that is said twice."""

import re

from tests.e2e.deployment import Deployment, a_log, wait_until


def names(deployment: Deployment) -> dict[str, list[str]]:
    """Return what of ours is in the account, by its kind."""
    found = {
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
    return {kind: [name for name in values if "logsite" in str(name)] for kind, values in found.items()}


def test_the_functions_go_and_the_data_stays_until_that_is_said_twice(deployment: Deployment) -> None:
    log = a_log()
    deployment.send(log)
    wait_until(lambda: deployment.stored(log["id"]), "it is stored")

    refused = deployment.command("down", "--delete-data")
    assert refused.returncode == 1
    assert "say it twice" in refused.stderr
    with deployment.someone(deployment.outputs["SenderPolicyArn"]):
        refused = deployment.command("down", "--delete-data", "--confirm", "dev")
    assert refused.returncode == 1
    assert re.search(r"Nothing was deleted: the user someone-\w+ may send logs\. Detach arn:", refused.stderr)
    assert len(names(deployment)["functions"]) == 2

    down = deployment.command("down")
    assert down.returncode == 0, down.stdout + down.stderr
    left = names(deployment)
    for kind in ("functions", "apis", "roles", "mappings", "alarms"):
        assert left[kind] == [], kind
    assert sorted(left["tables"]) == sorted(deployment.stage.tables)
    assert len(left["queues"]) == 2
    for kind in ("buckets", "policies", "groups", "topics", "dashboards"):
        assert left[kind], kind
    assert left["parameters"] == ["/logsite/dev/secret-key"]
    assert left["stacks"] == ["logsite-dev-resources"]
    assert deployment.stored(log["id"])
    deployment.send(a_log())
    assert deployment.waiting() == 1

    again = deployment.command("down")
    assert again.returncode == 0, again.stdout + again.stderr
    gone = deployment.command("down", "--delete-data", "--confirm", "dev")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert {kind: values for kind, values in names(deployment).items() if values} == {}

    # What a first deployment that fails, or a deletion that is stopped, leaves goes too.
    deployment.client("ssm").put_parameter(Name="/logsite/dev/secret-key", Value="x", Type="SecureString")
    deployment.client("sqs").create_queue(QueueName=deployment.stage.queues[0])
    gone = deployment.command("down", "--delete-data", "--confirm", "dev")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert {kind: values for kind, values in names(deployment).items() if values} == {}

    nothing = deployment.command("down")
    assert nothing.returncode == 1
    assert "There is nothing of logsite-dev in 000000000000, eu-central-1." in nothing.stderr
