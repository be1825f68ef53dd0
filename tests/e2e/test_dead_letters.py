"""Replaying dead letters of the deployed stage, by the command and by the pages."""

import json
import re

from tests.e2e.browser import Browser
from tests.e2e.deployment import EmulatedDeployment, make_log, wait_until


def test_replayed_dead_letter_is_stored(deployment: EmulatedDeployment) -> None:
    log = make_log(type="late")
    dead_letters = deployment.message_count("DeadLetterQueueUrl")
    # Like a message that SQS's own redrive policy moved: without an error code.
    deployment.client("sqs").send_message(
        QueueUrl=deployment.outputs["DeadLetterQueueUrl"], MessageBody=json.dumps(log)
    )
    run = deployment.command("manage", "--", "dead_letters", "replay", log["id"])

    assert run.returncode == 0, run.stderr
    assert f"Replayed: log {log['id']}" in run.stdout
    wait_until(lambda: deployment.has_log(log["id"]), "the log is stored")
    assert deployment.message_count("DeadLetterQueueUrl") == dead_letters


def test_dead_letter_is_replayed_on_the_site(deployment: EmulatedDeployment, admin: Browser) -> None:
    log = make_log(type="replayed")
    message = deployment.client("sqs").send_message(
        QueueUrl=deployment.outputs["DeadLetterQueueUrl"], MessageBody=json.dumps(log)
    )
    page = admin.get(f"admin/logs/deadletter/{message['MessageId']}/change/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token, page.text
    form = {"csrfmiddlewaretoken": token[1], "action": "replay", "ids": message["MessageId"]}

    result = admin.post("admin/logs/deadletter/run/", form)

    assert "Replayed: 1." in result.text
    wait_until(lambda: deployment.has_log(log["id"]), "the log is stored")
