"""What `make deploy` prints, and `make deploy` again while messages flow."""

import re
import threading

import pytest

from tests.e2e.browser import Browser
from tests.e2e.deployment import KEEP_DAYS, Deployment, a_log, wait_until

# The emulator ends the worker of the old code in the midst of a request or of its start; AWS lets it
# finish. A worker that ends by itself at its start leaves a traceback behind "stderr: ".
ENDED_BY_THE_EMULATOR = re.compile(
    r"Worker (returned no response|process died|process exited immediately\. stderr: \\*\")"
    r"|Broken pipe|'NoneType' object has no attribute 'std(in|out)'"
)


def test_it_prints_address_queue_and_what_to_do_next(deployment: Deployment) -> None:
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


def test_no_secret_stands_in_a_function_s_configuration_or_in_what_was_built(deployment: Deployment) -> None:
    parameter = deployment.client("ssm").get_parameter(Name="/logsite/dev/secret-key", WithDecryption=True)
    assert parameter["Parameter"]["Type"] == "SecureString"
    key = parameter["Parameter"]["Value"]
    assert len(key) > 60
    for function in deployment.stage.functions.values():
        configuration = deployment.client("lambda").get_function_configuration(FunctionName=function)
        assert key not in str(configuration)
    assert key not in (deployment.stage.folder / "zappa_settings.json").read_text()


def test_the_mapping_reports_failures_and_the_writer_knows_how_long_to_keep(deployment: Deployment) -> None:
    [mapping] = deployment.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["State"] == "Enabled"
    writer = deployment.client("lambda").get_function_configuration(FunctionName="logsite-dev-writer")
    assert writer["Environment"]["Variables"]["LOGS_RETENTION_DAYS"] == str(KEEP_DAYS)


def test_the_api_is_throttled(deployment: Deployment) -> None:
    gateway = deployment.client("apigateway")
    [api] = gateway.get_rest_apis()["items"]
    [stage] = gateway.get_stages(restApiId=api["id"])["item"]
    method = stage["methodSettings"]["*/*"]
    assert (method["throttlingRateLimit"], method["throttlingBurstLimit"]) == (50, 100)


def test_an_update_loses_neither_a_message_nor_a_request(deployment: Deployment, browser: Browser) -> None:
    sent: list[str] = []
    answers: list[str] = []
    over = threading.Event()

    def produce() -> None:
        while not over.wait(0.2):
            log = a_log(type="update")
            deployment.send(log)
            sent.append(log["id"])

    def visit() -> None:
        while not over.wait(0.5):
            answer = browser.get("admin/login/")
            answers.append("fine" if answer.status == 200 else answer.text)

    client = deployment.client("lambda")

    def variables() -> dict[str, str]:
        found = client.get_function_configuration(FunctionName="logsite-dev-writer")
        held: dict[str, str] = found["Environment"]["Variables"]
        return held

    settings = variables()
    client.update_function_configuration(
        FunctionName="logsite-dev-writer", Environment={"Variables": {**settings, "NOT_IN_THE_SETTINGS": "1"}}
    )
    threads = [threading.Thread(target=work) for work in (produce, visit)]
    with deployment.impatience():
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: bool(sent and answers), "messages and requests flow")
            before = len(sent), len(answers)
            printed = deployment.up("--set", "NothingWrittenMinutes=30")
            during = len(sent) - before[0], len(answers) - before[1]
        finally:
            over.set()
            for thread in threads:
                thread.join()
        assert all(during), "messages and requests flowed during the update"
        wait_until(lambda: all(map(deployment.stored, sent)), "every message is stored")
    assert deployment.address in printed
    assert variables() == settings
    assert answers[0] == "fine"
    assert browser.get("admin/login/").status == 200
    # Code and configuration change once each.
    assert all(map(ENDED_BY_THE_EMULATOR.search, others := [each for each in answers if each != "fine"]))
    assert len(others) <= 2
    [alarm] = deployment.client("cloudwatch").describe_alarms(AlarmNames=["logsite-dev-NothingWrittenAlarm"])[
        "MetricAlarms"
    ]
    assert int(alarm["EvaluationPeriods"]) == 30


def test_the_code_of_the_deployment_before_runs_again(deployment: Deployment, browser: Browser) -> None:
    run = deployment.command("rollback")
    assert run.returncode == 0, run.stdout + run.stderr
    assert browser.get("admin/login/").status == 200
    run = deployment.command("rollback", "--versions", "50")
    assert run.returncode == 1
    assert "earlier versions, not 50" in run.stderr


def test_code_does_not_go_back_to_where_another_python_ran(deployment: Deployment) -> None:
    client, function = deployment.client("lambda"), "logsite-dev-writer"
    runtime = client.get_function_configuration(FunctionName=function)["Runtime"]
    client.update_function_configuration(FunctionName=function, Runtime="python3.12")
    try:
        run = deployment.command("rollback")
    finally:
        client.update_function_configuration(FunctionName=function, Runtime=runtime)
    assert run.returncode == 1
    assert f"{function} ran on {runtime}, x86_64 then, and runs on python3.12, x86_64 now" in run.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["--arch", "arm64"],
            "logsite-dev runs on x86_64, where code for arm64 does not start: make undeploy",
        ),
        (["--set", "AlarmMail=me@example.com"], "--set knows AlarmEmail, BatchSize, "),
        (["--keep-days", "soon", "--set", "AlarmEmail"], "KEEP must be a number of days up to 36500"),
    ],
)
def test_what_cannot_be_is_said_before_anything_changes(
    deployment: Deployment, words: list[str], told: str
) -> None:
    run = deployment.command("up", *words)
    assert run.returncode == 1
    assert told in run.stderr
    assert run.stdout == ""


def test_the_status_says_what_runs_and_what_waits(deployment: Deployment) -> None:
    run = deployment.command("status")
    assert run.returncode == 0, run.stderr
    lines = dict(line.split(maxsplit=1) for line in run.stdout.splitlines() if line.startswith("logsite-dev"))
    assert lines["logsite-dev-resources"].endswith("COMPLETE")
    assert lines["logsite-dev-writer"].startswith("python3.")
    assert "mapping                           Enabled" in run.stdout
    assert deployment.address in run.stdout


def test_an_administrator_without_a_terminal_needs_all_on_the_command_line(deployment: Deployment) -> None:
    run = deployment.command("admin")
    assert run.returncode == 1
    assert "there is no terminal: ARGS=" in run.stderr
    run = deployment.command("admin", "--", "--no-input", "--username", "half")
    assert "there is no terminal" not in run.stderr
    assert "email" in run.stderr
