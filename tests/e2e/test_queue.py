"""The path from the queue to the table through the deployed writer."""

import json

from tests.e2e.browser import Browser
from tests.e2e.deployment import EmulatedDeployment, make_log, wait_until


def test_invalid_message_is_dead_lettered_alone(deployment: EmulatedDeployment) -> None:
    valid = [make_log(sub_type=f"{number}") for number in range(4)]
    before = deployment.message_count("DeadLetterQueueUrl")
    sqs = deployment.client("sqs")
    bodies = [*map(json.dumps, valid[:2]), '{"poison": true}', *map(json.dumps, valid[2:])]
    entries = [{"Id": str(place), "MessageBody": body} for place, body in enumerate(bodies)]
    assert not sqs.send_message_batch(QueueUrl=deployment.outputs["LogsQueueUrl"], Entries=entries).get(
        "Failed"
    )
    wait_until(lambda: all(deployment.has_log(log["id"]) for log in valid), "the valid logs are stored")
    wait_until(
        lambda: deployment.message_count("DeadLetterQueueUrl") == before + 1,
        "the invalid message is a dead letter",
    )
    [dead_letter] = sqs.receive_message(
        QueueUrl=deployment.outputs["DeadLetterQueueUrl"], MessageAttributeNames=["All"], VisibilityTimeout=0
    )["Messages"]
    assert dead_letter["Body"] == '{"poison": true}'
    assert dead_letter["MessageAttributes"]["error-code"]["StringValue"] == "invalid_fields"
    wait_until(lambda: deployment.message_count() == 0, "the queue is empty")


def test_log_appears_in_listing_and_detail(deployment: EmulatedDeployment, admin: Browser) -> None:
    log = make_log(account_id=4711, type="export", payload={"rows": [1, 2.5, None]}, submitter_city="Ōsaka")
    deployment.send(log)
    wait_until(lambda: deployment.has_log(log["id"]), "the log is stored")
    listing = admin.get("admin/logs/log/?account_id=4711")
    assert listing.status == 200
    assert log["id"] in listing.text
    detail = admin.get(f"admin/logs/log/{log['id']}/change/")
    assert detail.status == 200
    assert "Ōsaka" in detail.text
    assert "2.5" in detail.text


def test_tail_prints_lines_of_the_writer(deployment: EmulatedDeployment) -> None:
    deployment.send(make_log())
    wait_until(lambda: deployment.message_count() == 0, "the queue is empty")

    def tail_has_writer_line() -> bool:
        run = deployment.command("tail", "--once", "--minutes", "60")
        assert run.returncode == 0, run.stderr
        return '"service":"logsite-dev-writer"' in run.stdout

    wait_until(tail_has_writer_line, "tail prints a line of the writer")
