"""A dead letter of the deployed stage, on its way back."""

import json

from tests.e2e.deployment import Deployment, a_log, wait_until


def test_a_dead_letter_is_replayed_and_stored(deployment: Deployment) -> None:
    log = a_log(type="late")
    dead = deployment.waiting("DeadLetterQueueUrl")
    # As SQS's own redrive leaves it, where the table was away for long.
    deployment.client("sqs").send_message(
        QueueUrl=deployment.outputs["DeadLetterQueueUrl"], MessageBody=json.dumps(log)
    )
    run = deployment.command("manage", "--", "dead_letters", "replay", log["id"])

    assert run.returncode == 0, run.stderr
    assert f"Replayed: log {log['id']}" in run.stdout
    wait_until(lambda: deployment.stored(log["id"]), "it is stored")
    assert deployment.waiting("DeadLetterQueueUrl") == dead
