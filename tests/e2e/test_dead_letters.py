"""Replaying a dead letter of the deployed stage."""

import json

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
