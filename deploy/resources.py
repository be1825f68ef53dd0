"""The stack of resources.yaml: tables, queues and alarms. Tables and queues outlive it."""

from collections.abc import Mapping

from deploy import mapping
from deploy.account import Account
from deploy.deployment import Deployment

TEMPLATE = "resources.yaml"


def ensure(deployment: Deployment, parameters: Mapping[str, str]) -> dict[str, str]:
    """Create or update the resources; return the stack's outputs.

    `parameters` may hold parameters of both templates; those of mapping.yaml are ignored. Raise StackFailed.
    """
    account, stack = deployment.account, deployment.resources_stack
    values = {key: value for key, value in parameters.items() if key not in mapping.PARAMETERS}
    values.update(Stage=deployment.stage.name, Alarms=deployment.alarms)
    if account.endpoint:
        # The emulator has no budgets.
        values.update(MonthlyBudget="0", TlsOnly="yes" if account.has_tls else "no")
    # The site must read every shard that was ever written to.
    shards = [
        values.get("SortingShards"),
        values.get("SortingShardsRead"),
        stack.parameters().get("SortingShardsRead"),
    ]
    values["SortingShardsRead"] = str(max(int(number or 1) for number in shards))
    if not stack.was_created():
        # If the creation failed, protected tables would remain and block the next attempt.
        stack.ensure(TEMPLATE, {**values, "DeletionProtection": "off"})
    return stack.ensure(TEMPLATE, {**values, "DeletionProtection": "on"})


def disable_alarms(deployment: Deployment) -> None:
    """Delete the alarms of a stage without functions. Raise StackFailed."""
    deployment.resources_stack.ensure(TEMPLATE, {"Alarms": "off"})


def delete(deployment: Deployment) -> None:
    """Delete the stack, the objects of its buckets, the tables and the queues. Raise StackFailed.

    AWS keeps a backup of each table for 35 days, except of digests and exports.
    """
    s3 = deployment.client("s3")
    outputs = deployment.resources_stack.outputs()
    for output in ("DeploymentBucketName", "ExportsBucketName"):
        if bucket := outputs.get(output):
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for item in page.get("Contents", []):
                    s3.delete_object(Bucket=bucket, Key=item["Key"])
    deployment.resources_stack.delete()
    _delete_tables(deployment)
    _delete_queues(deployment)


def _delete_tables(deployment: Deployment) -> None:
    dynamodb = deployment.client("dynamodb")
    for table in deployment.stage.tables:
        try:
            dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
            dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
            dynamodb.delete_table(TableName=table)
        except dynamodb.exceptions.ResourceNotFoundException:
            continue


def _delete_queues(deployment: Deployment) -> None:
    sqs = deployment.client("sqs")
    for queue in deployment.stage.queues:
        if url := _queue_url(deployment.account, queue):
            sqs.delete_queue(QueueUrl=url)


def exist(deployment: Deployment) -> bool:
    """Return whether the stack, a table or a queue of the stage exists."""
    stage = deployment.stage
    tables = deployment.client("dynamodb").get_paginator("list_tables").paginate()
    return (
        deployment.resources_stack.describe() is not None
        or any(table in page["TableNames"] for page in tables for table in stage.tables)
        or any(_queue_url(deployment.account, queue) for queue in stage.queues)
    )


def _queue_url(account: Account, name: str) -> str | None:
    """Return a queue's URL, or None if the queue does not exist."""
    sqs = account.client("sqs")
    try:
        url: str = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        return None
    return url


def sender_policy_holders(deployment: Deployment) -> tuple[str, list[str]]:
    """Return the ARN of the sender's policy, and the names of its holders.

    Holders are roles, users and groups, such as "the role app". The ARN is empty if there is no policy.
    """
    iam = deployment.client("iam")
    policy = deployment.resources_stack.outputs().get("SenderPolicyArn", "")
    if not policy:
        return "", []
    try:
        pages = list(iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=policy))
    except iam.exceptions.NoSuchEntityException:
        return "", []
    return policy, [
        f"the {kind} {entity[f'{kind.title()}Name']}"
        for page in pages
        for kind in ("role", "user", "group")
        for entity in page.get(f"Policy{kind.title()}s", [])
    ]
