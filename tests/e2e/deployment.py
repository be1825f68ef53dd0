"""A stage deployed to an emulator of AWS that enforces IAM, and what tests need to look into it."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from deploy.stage import ROOT, Stage
from logsite.local import queues
from logsite.local.processes import Child, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "eu-central-1"
# A port that nothing listens on: what does not go to this machine goes nowhere.
NOWHERE = "http://127.0.0.1:9"
KEEP_DAYS = 30
TOOL = [sys.executable, "-m", "deploy"]


@dataclass
class Deployment:
    """The emulator, and the stage `dev` on it."""

    endpoint: str
    folder: Path
    stage: Stage
    output: str = ""  # what the first `up` printed
    _outputs: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of an operator's commands: credentials of the emulator's root, no way out."""
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
            "HTTP_PROXY": NOWHERE,
            "HTTPS_PROXY": NOWHERE,
            "NO_PROXY": "127.0.0.1,localhost",
        }

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of the stack of resources."""
        if not self._outputs:
            answer = self.client("cloudformation").describe_stacks(StackName=self.stage.resources_stack)
            self._outputs = {
                each["OutputKey"]: each["OutputValue"] for each in answer["Stacks"][0]["Outputs"]
            }
        return self._outputs

    @property
    def address(self) -> str:
        """The site's address, as `up` printed it."""
        found = re.search(r"^Site: +(\S+)$", self.output, re.MULTILINE)
        assert found, self.output
        return found[1]

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m deploy …`, as `make deploy` and its relatives do."""
        name, *rest = arguments
        return subprocess.run(
            [*TOOL, name, "--stage", self.stage.name, "--build", str(self.stage.build), *rest],
            cwd=ROOT,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def up(self, *options: str) -> str:
        """Deploy, or bring up to date; return what was printed."""
        run = self.command("up", "--keep-days", str(KEEP_DAYS), "--set", "MaximumConcurrency=2", *options)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def client(self, service: str, *credentials: str) -> Any:
        """Return a client of a service, with the operator's credentials or those given."""
        key, secret = credentials or ("test", "test")
        session: Any = boto3.session.Session(key, secret, region_name=REGION)
        return session.client(service, endpoint_url=self.endpoint)

    @contextmanager
    def someone(self, policy: dict[str, Any] | str) -> "Iterator[Callable[[str], Any]]":
        """Make a user with this policy alone (a document, or an ARN); give what makes their clients."""
        iam = self.client("iam")
        name = f"someone-{uuid.uuid4().hex[:8]}"
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
        """Return the policy of a function's role, as the account has it."""
        iam = self.client("iam")
        role = f"{function}-{REGION}"
        [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
        document: dict[str, Any] = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        return document

    def send(self, *bodies: dict[str, Any] | str) -> None:
        """Put messages on the queue, as the operator."""
        sqs = self.client("sqs")
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            sqs.send_message(QueueUrl=self.outputs["LogsQueueUrl"], MessageBody=text)

    @contextmanager
    def impatience(self) -> "Iterator[None]":
        """Let what failed come again after seconds, any number of times: else it would after six minutes."""
        sqs, queue = self.client("sqs"), self.outputs["LogsQueueUrl"]
        names = ["VisibilityTimeout", "RedrivePolicy"]
        usual = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        redrive = json.dumps({**json.loads(usual["RedrivePolicy"]), "maxReceiveCount": 1000})
        sqs.set_queue_attributes(
            QueueUrl=queue, Attributes={"VisibilityTimeout": "2", "RedrivePolicy": redrive}
        )
        try:
            yield
            wait_until(lambda: self.waiting() == 0, "nothing waits")
        finally:
            sqs.set_queue_attributes(QueueUrl=queue, Attributes=usual)

    def waiting(self, key: str = "LogsQueueUrl") -> int:
        """Return how many messages are in a queue, in flight or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.client("sqs").get_queue_attributes(QueueUrl=self.outputs[key], AttributeNames=names)
        return sum(int(number) for number in answer["Attributes"].values())

    def stored(self, log_id: str) -> bool:
        """Tell whether the table has a log of this id."""
        table = self.outputs["LogsTableName"]
        return "Item" in self.client("dynamodb").get_item(TableName=table, Key={"id": {"S": log_id}})


def a_log(**fields: Any) -> dict[str, Any]:
    """Return a message with an id of its own."""
    return {
        "id": uuid.uuid4().hex,
        "account_id": 7,
        "user_id": 12,
        "type": "login",
        "sub_type": "password",
        "url": "/login",
        **fields,
    }


def wait_until(happened: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Wait until something happened; fail with the word for it after some seconds."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"in {seconds} s not: {what}"
        time.sleep(0.2)


@contextmanager
def emulator(folder: Path) -> "Iterator[str]":
    """Run MiniStack meanwhile, with IAM enforced and no way off this machine; give its endpoint."""
    port = free_port()
    own = folder / "emulator"
    own.mkdir()
    environment = {
        **queues.environment(port, own),
        "AUTH": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "NO_PROXY": "127.0.0.1,localhost",
    }
    del environment["SERVICES"]
    child = Child("emulator", queues.command(), environment, folder / "emulator.log", stop_timeout=1)
    endpoint = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(f"{endpoint}/_ministack/health", child), "the emulator answers")
        yield endpoint
    finally:
        child.stop()


def _answers(url: str, child: Child) -> bool:
    assert not child.has_exited, child.report()
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except OSError:
        return False
    return True
