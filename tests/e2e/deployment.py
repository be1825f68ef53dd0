"""A stage deployed to an AWS emulator that enforces IAM, with helpers for tests."""

import json
import os
import re
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from deploy.stage import ROOT, Stage
from logsite.local import queues
from logsite.local.ports import free_port
from logsite.local.processes import Child
from tests import waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "eu-central-1"
# The proxy of all requests to other hosts. Nothing listens on this port, so these requests fail.
DEAD_PROXY = "http://127.0.0.1:9"
KEEP_DAYS = 30
TOOL = [sys.executable, "-m", "deploy"]
VISIBILITY_SECONDS = 2
# Deployed functions take longer than a test's own threads, and each poll is a request.
wait_until = partial(waiting.wait_until, seconds=120, every=0.2)


@dataclass
class EmulatedDeployment:
    """A stage on the emulator, as an operator and the main application use it."""

    endpoint: str
    folder: Path
    stage: Stage
    output: str = ""  # the output of the first `up`
    _outputs: dict[str, str] = field(default_factory=dict)

    @property
    def build(self) -> Path:
        """The build folder."""
        return self.folder / "build"

    @property
    def environment(self) -> dict[str, str]:
        """The complete environment of the operator's commands: root credentials, and no other network."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "HTTP_PROXY": DEAD_PROXY,
            "HTTPS_PROXY": DEAD_PROXY,
            "NO_PROXY": "127.0.0.1,localhost",
        }

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of the resources stack."""
        if not self._outputs:
            response = self.client("cloudformation").describe_stacks(StackName=self.stage.resources_stack)
            self._outputs = {
                each["OutputKey"]: each["OutputValue"] for each in response["Stacks"][0]["Outputs"]
            }
        return self._outputs

    @property
    def address(self) -> str:
        """The site's address, from the output of `up`."""
        match = re.search(r"^Site: +(\S+)$", self.output, re.MULTILINE)
        assert match, self.output
        return match[1]

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `python -m deploy`, as `make` does."""
        name, *rest = arguments
        return subprocess.run(
            [*TOOL, name, "--stage", self.stage.name, "--build", str(self.build), *rest],
            cwd=ROOT,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def up(self, *options: str) -> str:
        """Deploy the stage or update it; return the output."""
        run = self.command("up", "--keep-days", str(KEEP_DAYS), "--set", "MaximumConcurrency=2", *options)
        assert run.returncode == 0, run.stdout + run.stderr
        self._outputs.clear()
        return run.stdout

    def client(self, service: str, *credentials: str) -> Any:
        """Return a client of a service, with the operator's credentials by default."""
        return _client(service, self.endpoint, *(credentials or ("test", "test")))

    @contextmanager
    def iam_user(self, policy: dict[str, Any] | str) -> "Iterator[Callable[[str], Any]]":
        """Create a user with only this policy; yield a factory of the user's clients.

        The policy is a document, or the ARN of a managed policy.
        """
        iam = self.client("iam")
        name = f"user-{uuid.uuid4().hex[:8]}"
        iam.create_user(UserName=name)
        if isinstance(policy, str):
            iam.attach_user_policy(UserName=name, PolicyArn=policy)
        else:
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        try:
            yield lambda service: self.client(service, key["AccessKeyId"], key["SecretAccessKey"])
        finally:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
            if isinstance(policy, str):
                iam.detach_user_policy(UserName=name, PolicyArn=policy)
            else:
                iam.delete_user_policy(UserName=name, PolicyName="p")
            iam.delete_user(UserName=name)

    def role_policy(self, function: str) -> dict[str, Any]:
        """Return the policy of a function's role from IAM."""
        iam = self.client("iam")
        role = f"{function}-{REGION}"
        [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
        document: dict[str, Any] = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        return document

    def send(self, *bodies: dict[str, Any] | str) -> None:
        """Send messages to the queue, as the operator."""
        sqs = self.client("sqs")
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            sqs.send_message(QueueUrl=self.outputs["LogsQueueUrl"], MessageBody=text)

    @contextmanager
    def short_visibility_timeout(self) -> "Iterator[None]":
        """Let SQS redeliver failed messages after two seconds instead of seven minutes.

        They never become dead letters.
        """
        sqs, queue = self.client("sqs"), self.outputs["LogsQueueUrl"]
        names = ["VisibilityTimeout", "RedrivePolicy"]
        attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        redrive = json.dumps({**json.loads(attributes["RedrivePolicy"]), "maxReceiveCount": 1000})
        sqs.set_queue_attributes(
            QueueUrl=queue,
            Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS), "RedrivePolicy": redrive},
        )
        try:
            yield
            wait_until(lambda: self.message_count() == 0, "the queue is empty")
        finally:
            sqs.set_queue_attributes(QueueUrl=queue, Attributes=attributes)

    def message_count(self, key: str = "LogsQueueUrl") -> int:
        """Return the number of messages in a queue, visible or in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        response = self.client("sqs").get_queue_attributes(QueueUrl=self.outputs[key], AttributeNames=names)
        return sum(int(number) for number in response["Attributes"].values())

    def has_log(self, log_id: str) -> bool:
        """Return whether the table has a log with this id."""
        table = self.outputs["LogsTableName"]
        return "Item" in self.client("dynamodb").get_item(TableName=table, Key={"id": {"S": log_id}})


def make_log(**fields: Any) -> dict[str, Any]:
    """Return a message with a new id."""
    return {
        "id": uuid.uuid4().hex,
        "account_id": 7,
        "user_id": 12,
        "type": "login",
        "sub_type": "password",
        "url": "/login",
        **fields,
    }


@contextmanager
def emulator(folder: Path) -> "Iterator[str]":
    """Run MiniStack with IAM enforced and without network access; yield its endpoint."""
    port = free_port()
    data = folder / "emulator"
    data.mkdir()
    environment = {
        **queues.environment(port, data),
        "AUTH": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HTTP_PROXY": DEAD_PROXY,
        "HTTPS_PROXY": DEAD_PROXY,
        "NO_PROXY": "127.0.0.1,localhost",
    }
    del environment["SERVICES"]
    child = Child("emulator", queues.command(), environment, folder / "emulator.log", stop_timeout=1)
    endpoint = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _responds(f"{endpoint}/_ministack/health", child), "the emulator responds")
        yield endpoint
    finally:
        child.stop()


def _responds(url: str, child: Child) -> bool:
    assert not child.has_exited, child.report()
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except OSError:
        return False
    return True


@cache  # many tests ask for the same clients, and some ask in a loop
def _client(service: str, endpoint: str, key: str, secret: str) -> Any:
    session: Any = boto3.session.Session(key, secret, region_name=REGION)
    return session.client(service, endpoint_url=endpoint)
