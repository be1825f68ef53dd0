"""What `make deploy` and its relatives do, a function each."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from deploy import environment, functions, mapping, package, roles, secret, stacks, tailing
from deploy.account import Account
from deploy.environment import Target
from deploy.stage import ROOT, Stage

Say = Callable[[str], None]
TEMPLATE = "resources.yaml"
# The templates' parameters that are nobody's to choose.
OWN_PARAMETERS = {
    *("Stage", "Alarms", "DeletionProtection", "TlsOnly"),
    *("LogsQueueArn", "LogsQueueName", "AlarmTopicArn"),
}


class NotDeployed(Exception):
    """The stage is not there."""


class StillUsed(Exception):
    """Somebody else would lose something; the text says who."""


def up(stage: Stage, account: Account, target: Target, given: Mapping[str, str], say: Say) -> str:
    """Deploy a stage, or bring it up to date; return the site's address.

    `given` are parameters of the two templates; what it does not name stays as it is.
    """
    started = time.monotonic()
    # What needs minutes to be known everywhere in AWS comes first, what takes longest goes on beside it.
    with ThreadPoolExecutor(1) as pool:
        preparing = pool.submit(package.prepare, stage, target, say)
        arns = roles.ensure(stage, account)
        if secret.ensure(stage, account):
            say(f"Made SECRET_KEY: the parameter {stage.secret_parameter} of SSM")
        outputs = _resources(stage, account, given)
        say(f"Resources: {stage.resources_stack}")
        preparing.result()
    settings = functions.write_settings(stage, account, target, outputs, arns)
    built = package.build(stage, settings)
    say(f"Package: {built.size / 2**20:.1f} MiB for {target.runtime} on {target.architecture}")
    address = functions.deploy(stage, account, settings, built, outputs["DeploymentBucketName"])
    say(f"Functions: {stage.web_function}, {stage.writer_function}")
    values = {key: value for key, value in given.items() if key in mapping.PARAMETERS}
    for key in ("LogsQueueArn", "LogsQueueName", "AlarmTopicArn"):
        values[key] = outputs[key]
    mapping.ensure(stage, account, {**values, "Stage": stage.name, "Alarms": _alarms(account)})
    say(f"Mapping: {stage.mapping_stack}")
    say(f"Done in {time.monotonic() - started:.0f} s.\n")
    say(_what_next(stage, account, address, outputs))
    return address


def _resources(stage: Stage, account: Account, given: Mapping[str, str]) -> dict[str, str]:
    """Make or update the resources; return the stack's outputs."""
    values = {key: value for key, value in given.items() if key not in mapping.PARAMETERS}
    values.update(Stage=stage.name, Alarms=_alarms(account))
    if account.endpoint:
        # The emulator knows no budgets.
        values.update(MonthlyBudget="0", TlsOnly="yes" if account.has_tls else "no")
    before = stacks.parameters(account, stage.resources_stack)
    # The site reads what any number of shards was ever written with.
    ever = [values.get("SortingShards"), values.get("SortingShardsRead"), before.get("SortingShardsRead")]
    values["SortingShardsRead"] = str(max(int(shards or 1) for shards in ever))
    if not stacks.is_made(account, stage.resources_stack):
        # Protected tables would outlive a stack that cannot be made, and be in the way of the next one.
        stacks.ensure(account, stage.resources_stack, TEMPLATE, {**values, "DeletionProtection": "off"})
    return stacks.ensure(account, stage.resources_stack, TEMPLATE, {**values, "DeletionProtection": "on"})


def _alarms(account: Account) -> str:
    # The emulator's CloudFormation knows no metric math.
    return "plain" if account.endpoint else "on"


def _what_next(stage: Stage, account: Account, address: str, outputs: Mapping[str, str]) -> str:
    url = outputs["LogsQueueUrl"]
    body = '{"account_id": 7, "user_id": 0, "type": "hello", "sub_type": "first", "url": ""}'
    return f"""\
Site:    {address}
Queue:   {url}
Sender:  {outputs["SenderPolicyArn"]}
         (attach this policy to the role or user of the main application)

Send a log:
  aws sqs send-message --region {account.region} --queue-url {url} --message-body '{body}'

Next:
  make admin STAGE={stage.name}           an administrator; asks for the password here
  make deploy-status STAGE={stage.name}   what runs, what waits, which alarms ring
  make tail STAGE={stage.name}            the functions' log lines
  make deploy STAGE={stage.name}          again after a change; make rollback takes it back"""


def down(stage: Stage, account: Account, say: Say) -> None:
    """Take mapping, functions and roles down; tables, queues and what waits in them stay, with no alarms.

    Raises NotDeployed where the account has nothing of the stage.
    """
    if not _is_there(stage, account):
        raise NotDeployed(f"There is nothing of logsite-{stage.name} in {account.number}, {account.region}.")
    stacks.delete(account, stage.mapping_stack)
    say(f"Gone: {stage.mapping_stack}")
    if outputs := stacks.outputs(account, stage.resources_stack):
        placeholder = dict.fromkeys(stage.functions.values(), "")
        target = Target(environment.this_python(), "x86_64")
        settings = functions.write_settings(stage, account, target, outputs, placeholder)
        functions.undeploy(stage, account, settings)
        say(f"Gone: {', '.join(stage.functions.values())}")
        if not stacks.is_half_deleted(account, stage.resources_stack):
            stacks.ensure(account, stage.resources_stack, TEMPLATE, {"Alarms": "off"})
    roles.delete(stage, account)
    say("Gone: the functions' roles")


def _is_there(stage: Stage, account: Account) -> bool:
    """Tell whether the account has anything of a stage, also what a failed or stopped command left."""
    names = (stage.resources_stack, stage.web_function, stage.mapping_stack)
    tables = account.client("dynamodb").get_paginator("list_tables").paginate()
    return (
        any(stacks.describe(account, name) for name in names)
        or any(functions.exists(account, function) for function in stage.functions.values())
        or any(table in page["TableNames"] for page in tables for table in stage.tables)
        or any(_has_queue(account, queue) for queue in stage.queues)
        or roles.is_there(stage, account)
        or secret.is_there(stage, account)
    )


def _has_queue(account: Account, name: str) -> bool:
    sqs = account.client("sqs")
    try:
        sqs.get_queue_url(QueueName=name)
    except sqs.exceptions.QueueDoesNotExist:
        return False
    return True


def check_deletable(stage: Stage, account: Account) -> None:
    """Raise StillUsed where a role, user or group has the sender's policy: IAM would not delete it."""
    iam = account.client("iam")
    policy = stacks.outputs(account, stage.resources_stack).get("SenderPolicyArn")
    if not policy:
        return
    try:
        pages = list(iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=policy))
    except iam.exceptions.NoSuchEntityException:
        return
    holders = [
        f"the {kind} {each[f'{kind.title()}Name']}"
        for page in pages
        for kind in ("role", "user", "group")
        for each in page.get(f"Policy{kind.title()}s", [])
    ]
    if holders:
        raise StillUsed(f"Nothing was deleted: {', '.join(holders)} may send logs. Detach {policy} first.")


def delete_data(stage: Stage, account: Account, say: Say) -> None:
    """Delete all that `down` left: logs, users, queues, the key. AWS keeps a backup of tables for 35 days."""
    dynamodb, sqs, s3 = (account.client(service) for service in ("dynamodb", "sqs", "s3"))
    outputs = stacks.outputs(account, stage.resources_stack)
    if bucket := outputs.get("DeploymentBucketName"):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for item in page.get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=item["Key"])
    stacks.delete(account, stage.resources_stack)
    for table in stage.tables:
        try:
            dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
            dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
            dynamodb.delete_table(TableName=table)
        except dynamodb.exceptions.ResourceNotFoundException:
            continue
    for queue in stage.queues:
        try:
            sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"])
        except sqs.exceptions.QueueDoesNotExist:
            continue
    secret.delete(stage, account)
    say(f"Gone: {stage.resources_stack}, its tables, its queues and SECRET_KEY")


def rollback(stage: Stage, account: Account, versions: int, say: Say) -> None:
    """Let both functions run the code of `versions` deployments ago. Raises NotDeployed, BuildFailed."""
    _deployed(stage, account)
    for function in stage.functions.values():
        if not functions.exists(account, function):
            raise NotDeployed(f"There is no {function} here: make deploy STAGE={stage.name} makes it.")
    functions.roll_back(stage, account, versions)
    ago = "one deployment" if versions == 1 else f"{versions} deployments"
    say(f"{', '.join(stage.functions.values())} run what they ran {ago} ago.")
    say(f"That counts as a deployment: make rollback STAGE={stage.name} again would take it back.")
    say("Settings and resources stay as they are: make deploy brings both to what stands in this folder.")


def status(stage: Stage, account: Account, say: Say) -> None:
    """Say what runs, what waits, and which alarms ring. Raises NotDeployed."""
    outputs = _deployed(stage, account)
    for name in (stage.resources_stack, stage.web_function, stage.mapping_stack):
        stack = stacks.describe(account, name)
        say(f"{name:34}{stack['StackStatus'] if stack else 'missing'}")
    for function in stage.functions.values():
        found = functions.configuration(account, function)
        runs = (
            f"{found['Runtime']}, {found['CodeSize'] / 2**20:.1f} MiB, changed {found['LastModified']}"
            if found
            else "missing"
        )
        say(f"{function:34}{runs}")
    say(f"{'mapping':34}{_mapping_state(stage, account)}")
    sqs = account.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    for label, key in (("messages waiting", "LogsQueueUrl"), ("dead letters", "DeadLetterQueueUrl")):
        counts = sqs.get_queue_attributes(QueueUrl=outputs[key], AttributeNames=names)["Attributes"]
        say(f"{label:34}{sum(int(count) for count in counts.values())}")
    answer = account.client("cloudwatch").describe_alarms(
        AlarmNamePrefix=f"logsite-{stage.name}-", StateValue="ALARM"
    )
    ringing = [alarm["AlarmName"] for alarm in answer["MetricAlarms"]]
    say(f"{'alarms that ring':34}{', '.join(ringing) or 'none'}")
    if functions.exists(account, stage.web_function):
        say(f"{'site':34}{functions.address(stage, account)}")


def _mapping_state(stage: Stage, account: Account) -> str:
    answer = account.client("lambda").list_event_source_mappings(FunctionName=stage.writer_function)
    return ", ".join(mapping["State"] for mapping in answer["EventSourceMappings"]) or "missing"


def tail(
    stage: Stage, account: Account, minutes: int, level: str | None, say: Say, *, follow: bool = True
) -> None:
    """Print both functions' log lines of the last minutes, and go on until Ctrl-C with `follow`.

    Without Lambda's own lines and metrics; those of `level` and above, or all. Raises NotDeployed.
    """
    _deployed(stage, account)
    for line in tailing.lines(account, list(stage.functions.values()), minutes, follow=follow):
        if tailing.is_told(line.text, level):
            say(f"{line.at:%Y-%m-%dT%H:%M:%SZ} {line.function} {line.text}")


def manage(stage: Stage, account: Account, arguments: list[str]) -> int:
    """Run a command of manage.py here, against the stage, with the operator's own credentials.

    Returns its exit status. Raises NotDeployed.
    """
    command = [sys.executable, "-m", "django", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **variables(stage, account)}).returncode


def variables(stage: Stage, account: Account) -> dict[str, str]:
    """Return the environment in which the site's and the writer's code run here against the stage."""
    outputs = _deployed(stage, account)
    return {
        "DJANGO_SETTINGS_MODULE": "logsite.settings",
        "DEBUG": "off",
        # What commands do needs no signature of the site's own.
        "SECRET_KEY": secrets.token_urlsafe(40),
        "SECRET_KEY_PARAMETER": "",
        "ALLOWED_HOSTS": "localhost",
        "AWS_DEFAULT_REGION": account.region,
        "LOGS_TABLE": outputs["LogsTableName"],
        "USERS_TABLE": outputs["UsersTableName"],
        "SESSIONS_TABLE": outputs["SessionsTableName"],
        "TOKENS_TABLE": outputs["TokensTableName"],
        "LOGS_QUEUE_URL": outputs["LogsQueueUrl"],
        "LOGS_DEAD_LETTER_QUEUE_URL": outputs["DeadLetterQueueUrl"],
        "LOGS_SORTING_SHARDS": outputs["SortingShards"],
        "LOGS_SORTING_SHARDS_READ": outputs["SortingShardsRead"],
    }


def _deployed(stage: Stage, account: Account) -> dict[str, str]:
    outputs = stacks.outputs(account, stage.resources_stack)
    if not outputs:
        raise NotDeployed(
            f"There is no {stage.resources_stack} here: make deploy STAGE={stage.name} makes it."
        )
    return outputs
