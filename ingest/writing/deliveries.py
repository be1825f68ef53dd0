"""Messages of SQS as items of the logs table, or as rejections."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingest import messages
from ingest.messages import Envelope, Rejected
from ingest.writing import body_masking, items, memory
from ingest.writing.retry import Deadline
from logs.models import LogItem


@dataclass(frozen=True)
class Delivery:
    """One record of an event, read."""

    # With the masked body: a dead letter has it too.
    record: Mapping[str, Any]
    envelope: Envelope
    content: LogItem | Rejected


def read(record: Mapping[str, Any], deadline: Deadline) -> Delivery:
    """Return the log of a record, or why it is rejected. No request.

    Raise KeyError or ValueError if the record lacks SQS's attributes, OutOfTime if other messages take the
    memory until the deadline.
    """
    envelope = messages.envelope(record)
    with memory.BUDGET.reserve(memory.weight(record["body"]), deadline):
        masked = {**record, "body": body_masking.mask_body(record["body"])}
        try:
            return Delivery(masked, envelope, items.to_item(messages.parse(masked["body"]), envelope))
        except Rejected as rejection:
            return Delivery(masked, envelope, rejection)
