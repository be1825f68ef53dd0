"""A deployment: one stage in one AWS account."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.account import Account
from deploy.errors import NotDeployed
from deploy.stacks import Stack
from deploy.stage import ROOT, Stage
from ingest.cli.terminal import escape_controls

BUILD = ROOT / "build"


def print_progress(line: str) -> None:
    """Print a line without control characters. Flush it, because standard output may be a pipe."""
    print(escape_controls(line, keep="\n\t"), flush=True)


@dataclass(frozen=True)
class Deployment:
    """The stage, its account, the build folder, and a function that reports progress."""

    stage: Stage
    account: Account
    build: Path = BUILD
    report: Callable[[str], None] = print_progress

    @property
    def folder(self) -> Path:
        """Return the folder of everything that is built for the stage."""
        return self.build / self.stage.name

    @property
    def alarms(self) -> str:
        """Return the templates' parameter Alarms. The emulator's CloudFormation has no metric math."""
        return "plain" if self.account.endpoint else "on"

    @property
    def resources_stack(self) -> Stack:
        """Return the stack of tables, queues and alarms."""
        return Stack(self.account, self.stage.resources_stack)

    @property
    def zappa_stack(self) -> Stack:
        """Return the stack of the API, which Zappa creates."""
        return Stack(self.account, self.stage.web_function)

    @property
    def mapping_stack(self) -> Stack:
        """Return the stack of the event source mapping."""
        return Stack(self.account, self.stage.mapping_stack)

    @property
    def schedule_stack(self) -> Stack:
        """Return the stack of the schedule of the digests builder."""
        return Stack(self.account, self.stage.schedule_stack)

    def client(self, service: str) -> Any:
        """Return a boto3 client of the service."""
        return self.account.client(service)

    def outputs(self) -> dict[str, str]:
        """Return the outputs of the resources stack. Raise NotDeployed if it has none."""
        outputs = self.resources_stack.outputs()
        if not outputs:
            raise self.not_deployed(self.stage.resources_stack)
        return outputs

    def not_deployed(self, resource: str) -> NotDeployed:
        """Return the error for a missing stack or function."""
        return NotDeployed(
            f"{resource} does not exist in account {self.account.number}, region {self.account.region}. "
            f"Create it with: make deploy STAGE={self.stage.name}"
        )
