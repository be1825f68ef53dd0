"""From the queue to the table, through the deployed writer."""

import json

from tests.e2e.browser import Browser
from tests.e2e.deployment import Deployment, a_log, wait_until


def test_a_poisoned_message_is_a_dead_letter_and_keeps_none_of_its_batch(deployment: Deployment) -> None:
    good = [a_log(sub_type=f"{number}") for number in range(4)]
    before = deployment.waiting("DeadLetterQueueUrl")
    sqs = deployment.client("sqs")
    bodies = [*map(json.dumps, good[:2]), '{"poison": true}', *map(json.dumps, good[2:])]
    entries = [{"Id": str(place), "MessageBody": body} for place, body in enumerate(bodies)]
    assert not sqs.send_message_batch(QueueUrl=deployment.outputs["LogsQueueUrl"], Entries=entries).get(
        "Failed"
    )
    wait_until(lambda: all(deployment.stored(log["id"]) for log in good), "the good ones are stored")
    wait_until(lambda: deployment.waiting("DeadLetterQueueUrl") == before + 1, "the bad one is a dead letter")
    [letter] = sqs.receive_message(
        QueueUrl=deployment.outputs["DeadLetterQueueUrl"], MessageAttributeNames=["All"], VisibilityTimeout=0
    )["Messages"]
    assert letter["Body"] == '{"poison": true}'
    assert letter["MessageAttributes"]["error-code"]["StringValue"] == "invalid_fields"
    wait_until(lambda: deployment.waiting() == 0, "nothing waits")


def test_a_log_shows_up_in_the_listing_and_whole_in_its_detail(
    deployment: Deployment, admin: Browser
) -> None:
    log = a_log(account_id=4711, type="export", payload={"rows": [1, 2.5, None]}, submitter_city="Ōsaka")
    deployment.send(log)
    wait_until(lambda: deployment.stored(log["id"]), "it is stored")
    listing = admin.get("admin/logs/log/?account_id=4711")
    assert listing.status == 200
    assert log["id"] in listing.text
    detail = admin.get(f"admin/logs/log/{log['id']}/change/")
    assert detail.status == 200
    assert "Ōsaka" in detail.text
    assert "2.5" in detail.text


def test_the_log_lines_of_both_functions_can_be_read(deployment: Deployment) -> None:
    deployment.send(a_log())
    wait_until(lambda: deployment.waiting() == 0, "nothing waits")

    def tailed() -> bool:
        run = deployment.command("tail", "--once", "--minutes", "60")
        assert run.returncode == 0, run.stderr
        return '"service":"logsite-dev-writer"' in run.stdout

    wait_until(tailed, "the writer's line is there")
