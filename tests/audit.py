"""The audit trail from the site through the queue and the writer to the table."""

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingest import handler
from logs import reader
from logs.filters import LogFilter
from logs.models import LogItem
from logs.plan import make_plan
from logsite.audit import trail
from tests.factories import NO_FAILURES, make_event, make_record
from tests.lambda_context import LambdaContext
from tests.queues import Queues

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

SENDER = "AIDALOCAL"


@dataclass(frozen=True)
class Trail:
    """The trail of a test, and its queue."""

    queues: Queues

    def bodies(self) -> list[str]:
        """Send all logs of the trail. Return the bodies in the queue."""
        assert trail.client().flush(10)
        return self.queues.bodies()

    def logs(self, *types: str) -> list[LogItem]:
        """Write the logs of the trail. Return the stored ones of these types, the oldest first."""
        assert trail.client().flush(10)
        if records := [_record(message) for message in self.queues.messages()]:
            assert handler.lambda_handler(make_event(*records), LambdaContext()) == NO_FAILURES
        assert self.queues.count_dead() == 0
        plan = make_plan(LogFilter(account_id=(trail.ACCOUNT,)), includes_own=True)
        page = reader.read_page(plan, None, 200)
        return [item for item in reversed(page.items) if not types or item.type in types]

    def log(self, kind: str) -> LogItem:
        """Return the only log of a type, whole."""
        [row] = self.logs(kind)
        item = reader.get(row.id, includes_own=True)
        assert item
        return item


def _record(message: "MessageTypeDef") -> dict[str, Any]:
    """Return a received message as Lambda passes it."""
    attributes: dict[str, str | bytes] = {
        name: value.get("StringValue") or base64.b64decode(value["BinaryValue"])
        for name, value in message.get("MessageAttributes", {}).items()
    }
    record = make_record(message["Body"], message_id=message["MessageId"], attributes=attributes)
    record["attributes"] = {**record["attributes"], **message["Attributes"], "SenderId": SENDER}
    return record
