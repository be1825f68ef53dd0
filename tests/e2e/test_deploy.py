"""The output of `make deploy`, updates during traffic, rollback and status."""

import re
import threading

import pytest

from deploy.target import PYTHONS
from tests.e2e.browser import Browser
from tests.e2e.deployment import KEEP_DAYS, REGION, EmulatedDeployment, make_log, wait_until

# During an update, the emulator kills the worker of the old code, or deletes its files, while it starts or
# serves a request. AWS lets it finish. A worker that fails by itself at its start has a traceback after
# "stderr: ".
KILLED_BY_THE_EMULATOR = re.compile(
    r"Worker (returned no response|process died|process exited immediately\. stderr: \\*\")"
    r"|Broken pipe|'NoneType' object has no attribute 'std(in|out)'"
    r"|No such file or directory: '[^']*/emulator/"
)


def test_up_prints_address_queue_and_next_steps(deployment: EmulatedDeployment) -> None:
    assert deployment.address.endswith(
        ".execute-api.localhost:" + deployment.endpoint.split(":")[-1] + "/dev/"
    )
    assert "logsite-dev-logs" in deployment.outputs["LogsQueueUrl"]
    for line in (
        deployment.outputs["LogsQueueUrl"],
        deployment.outputs["SenderPolicyArn"],
        "aws sqs send-message",
    ):
        assert line in deployment.output
    assert "make admin STAGE=dev" in deployment.output


def test_secret_key_is_only_in_parameter_store(deployment: EmulatedDeployment) -> None:
    parameter = deployment.client("ssm").get_parameter(Name="/logsite/dev/secret-key", WithDecryption=True)
    assert parameter["Parameter"]["Type"] == "SecureString"
    key = parameter["Parameter"]["Value"]
    assert len(key) > 60
    for function in deployment.stage.functions.values():
        configuration = deployment.client("lambda").get_function_configuration(FunctionName=function)
        assert key not in str(configuration)
    assert key not in (deployment.build / "dev" / "zappa_settings.json").read_text()


def test_mapping_and_writer_are_configured(deployment: EmulatedDeployment) -> None:
    [mapping] = deployment.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["State"] == "Enabled"
    writer = deployment.client("lambda").get_function_configuration(FunctionName="logsite-dev-writer")
    assert writer["Environment"]["Variables"]["LOGS_RETENTION_DAYS"] == str(KEEP_DAYS)
    site = deployment.client("iam").get_role(RoleName=f"logsite-dev-{REGION}")["Role"]["RoleId"]
    operator = deployment.client("sts").get_caller_identity()["UserId"].split(":")[0]
    assert writer["Environment"]["Variables"]["LOGS_OWN_SENDERS"] == f"{site},{operator}"


def test_api_is_throttled(deployment: EmulatedDeployment) -> None:
    gateway = deployment.client("apigateway")
    [api] = gateway.get_rest_apis()["items"]
    [stage] = gateway.get_stages(restApiId=api["id"])["item"]
    method = stage["methodSettings"]["*/*"]
    assert (method["throttlingRateLimit"], method["throttlingBurstLimit"]) == (50, 100)


def test_update_loses_no_message_and_no_request(deployment: EmulatedDeployment, browser: Browser) -> None:
    ids: list[str] = []
    responses: list[str] = []
    done = threading.Event()

    def produce() -> None:
        while not done.wait(0.2):
            log = make_log(type="update")
            deployment.send(log)
            ids.append(log["id"])

    def visit() -> None:
        while not done.wait(0.5):
            response = browser.get("admin/login/")
            responses.append("ok" if response.status == 200 else response.text)

    client = deployment.client("lambda")

    def variables() -> dict[str, str]:
        configuration = client.get_function_configuration(FunctionName="logsite-dev-writer")
        environment: dict[str, str] = configuration["Environment"]["Variables"]
        return environment

    # The emulator would kill the writer while it has a message, such as the audit trail of the deployment.
    wait_until(lambda: deployment.message_count() == 0, "the queue is empty")
    settings = variables()
    client.update_function_configuration(
        FunctionName="logsite-dev-writer", Environment={"Variables": {**settings, "NOT_IN_THE_SETTINGS": "1"}}
    )
    threads = [threading.Thread(target=work) for work in (produce, visit)]
    with deployment.short_visibility_timeout():
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: bool(ids and responses), "messages and requests flow")
            before = len(ids), len(responses)
            # The table of digests is deleted while the functions still use it.
            output = deployment.up("--set", "NothingWrittenMinutes=30", "--set", "Digests=off")
            during = len(ids) - before[0], len(responses) - before[1]
        finally:
            done.set()
            for thread in threads:
                thread.join()
        assert all(during), "messages and requests flowed during the update"
        wait_until(lambda: all(map(deployment.has_log, ids)), "every message is stored")
    assert deployment.address in output
    assert variables() == {**settings, "DIGESTS_TABLE": ""}
    assert "logsite-dev-digests" not in deployment.client("dynamodb").list_tables()["TableNames"]
    assert deployment.client("events").list_rules()["Rules"] == []
    assert responses[0] == "ok"
    assert browser.get("admin/login/").status == 200
    # At most two requests fail: the code and the configuration change once each.
    failures = [each for each in responses if each != "ok"]
    assert all(map(KILLED_BY_THE_EMULATOR.search, failures))
    assert len(failures) <= 2
    [alarm] = deployment.client("cloudwatch").describe_alarms(AlarmNames=["logsite-dev-NothingWrittenAlarm"])[
        "MetricAlarms"
    ]
    assert int(alarm["EvaluationPeriods"]) == 30


def test_rollback_runs_previous_code(deployment: EmulatedDeployment, browser: Browser) -> None:
    run = deployment.command("rollback")
    assert run.returncode == 0, run.stdout + run.stderr
    assert browser.get("admin/login/").status == 200
    run = deployment.command("rollback", "--versions", "50")
    assert run.returncode == 1
    assert "--versions must be at most " in run.stderr
    assert "the number of earlier versions of logsite-dev, not 50" in run.stderr


def test_rollback_keeps_a_builder_that_is_too_new(deployment: EmulatedDeployment) -> None:
    client, function = deployment.client("lambda"), deployment.stage.digests_function
    versions = client.list_versions_by_function(FunctionName=function)["Versions"]
    *earlier_versions, _ = sorted(int(each["Version"]) for each in versions if each["Version"] != "$LATEST")
    for version in earlier_versions:
        client.delete_function(FunctionName=function, Qualifier=str(version))
    run = deployment.command("rollback")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "logsite-dev, logsite-dev-writer, logsite-dev-exports run the code of one deployment" in run.stdout
    assert "logsite-dev-digests has no code of that deployment, and keeps its code." in run.stdout


def test_rollback_rejects_code_of_another_python(deployment: EmulatedDeployment) -> None:
    client, function = deployment.client("lambda"), "logsite-dev-writer"
    runtime = client.get_function_configuration(FunctionName=function)["Runtime"]
    other = next(f"python{python}" for python in PYTHONS if f"python{python}" != runtime)
    client.update_function_configuration(FunctionName=function, Runtime=other)
    try:
        run = deployment.command("rollback")
    finally:
        client.update_function_configuration(FunctionName=function, Runtime=runtime)
    assert run.returncode == 1
    assert (
        f"{function} runs on {other}, x86_64, and its code of that deployment needs {runtime}, x86_64."
        in run.stderr
    )


def test_rollback_rejects_code_of_another_handler(deployment: EmulatedDeployment) -> None:
    client, function = deployment.client("lambda"), "logsite-dev"
    handler = client.get_function_configuration(FunctionName=function)["Handler"]
    client.update_function_configuration(FunctionName=function, Handler="handler.lambda_handler")
    try:
        run = deployment.command("rollback")
    finally:
        client.update_function_configuration(FunctionName=function, Handler=handler)
    assert run.returncode == 1
    assert (
        f"{function} has the handler handler.lambda_handler, and its code of that deployment " in run.stderr
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--arch", "arm64"],
            "ARCH must be x86_64, the processor of logsite-dev, not arm64. To change it, run `make undeploy",
        ),
        (["--set", "AlarmMail=me@example.com"], "--set must name one of AlarmEmail, BatchSize, "),
        (["--keep-days", "soon", "--set", "AlarmEmail"], "KEEP must be a number of days up to 36500"),
    ],
)
def test_up_rejects_wrong_options_before_any_change(
    deployment: EmulatedDeployment, options: list[str], message: str
) -> None:
    run = deployment.command("up", *options)
    assert run.returncode == 1
    assert message in run.stderr
    assert run.stdout == ""


def test_status_shows_stacks_functions_and_mapping(deployment: EmulatedDeployment) -> None:
    run = deployment.command("status")
    assert run.returncode == 0, run.stderr
    lines = dict(line.split(maxsplit=1) for line in run.stdout.splitlines() if line.startswith("logsite-dev"))
    assert lines["logsite-dev-resources"].endswith("COMPLETE")
    assert lines["logsite-dev-writer"].startswith("python3.")
    assert "mapping                           Enabled" in run.stdout
    assert re.search(r"^schedule of digests +(off|rate\(5 minutes\), ENABLED)$", run.stdout, re.MULTILINE)
    assert deployment.address in run.stdout


def test_admin_without_terminal_needs_all_options(deployment: EmulatedDeployment) -> None:
    run = deployment.command("admin")
    assert run.returncode == 1
    assert "there is no terminal. Set ARGS=" in run.stderr
    run = deployment.command("admin", "--", "--no-input", "--username", "half")
    assert "there is no terminal" not in run.stderr
    assert "email" in run.stderr
