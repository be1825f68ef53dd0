"""A dead letter as text and as JSON, escaped for the terminal."""

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ingest import messages, times
from ingest.cli.dlq.dead_letter import DeadLetter
from ingest.cli.terminal import escape_controls

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef as Attribute

ID_WIDTH, AGE_WIDTH, REASON_WIDTH = 8, 6, 50
MIN_BODY_WIDTH = 20
# A compressed body may have 16 MiB.
MAX_BODY_CHARACTERS = 100_000
ELLIPSIS = "…"


def truncate(text: str, width: int) -> str:
    """Return a text as one escaped line, truncated to `width` characters."""
    # A body may have 1 MiB: escape no more of it than can be shown.
    line = escape_controls(" ".join(text[: 4 * width].split()))
    return line if len(line) <= width else line[: width - 1] + ELLIPSIS


def age(since: datetime) -> str:
    """Return the time since a moment in its largest unit, such as `3 h`."""
    seconds = max(0, int((datetime.now(UTC) - since).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def header() -> str:
    """Return the header line of `row`."""
    return f"{'ID':{ID_WIDTH}}  {'AGE':{AGE_WIDTH}}  {'REASON':{REASON_WIDTH}}  BODY"


def row(dead_letter: DeadLetter, width: int) -> str:
    """Return a dead letter as a line of about `width` characters."""
    body_width = max(MIN_BODY_WIDTH, width - ID_WIDTH - AGE_WIDTH - REASON_WIDTH - 6)
    columns = (
        dead_letter.message_id[:ID_WIDTH],
        f"{age(dead_letter.envelope.first_sent_at):{AGE_WIDTH}}",
        f"{truncate(str(dead_letter.reason()), REASON_WIDTH):{REASON_WIDTH}}",
        truncate(messages.decompress(dead_letter.body), body_width),
    )
    return "  ".join(columns)


def details(dead_letter: DeadLetter) -> str:
    """Return a dead letter: its identity and reason, its attributes and its body.

    The body is decompressed, and truncated to MAX_BODY_CHARACTERS.
    """
    sent_at = dead_letter.envelope.first_sent_at
    body = messages.decompress(dead_letter.body)
    if len(body) > MAX_BODY_CHARACTERS:
        note = f"\n{ELLIPSIS} {len(body):,} characters in all. `show --body` prints the body as it was sent."
        body = body[:MAX_BODY_CHARACTERS] + note
    lines = [
        f"message   {dead_letter.message_id}",
        f"log       {dead_letter.log_id}",
        f"sent      {times.to_text(sent_at)} ({age(sent_at)} ago)",
        f"reason    {escape_controls(str(dead_letter.reason()))}",
        *_conflict(dead_letter),
        f"moved     {'by the writer' if dead_letter.is_from_writer else 'by SQS, without a reason'}",
        f"size      {dead_letter.size:,} bytes",
        "",
    ]
    name_width = max((len(name) for name in dead_letter.attributes), default=0)
    for name, value in dead_letter.attributes.items():
        lines.append(f"{escape_controls(name):{name_width}}  {escape_controls(attribute(value))}")
    if dead_letter.attributes:
        lines.append("")
    return "\n".join([*lines, escape_controls(body, keep="\n\t")])


def attribute(value: "Attribute") -> str:
    """Return the value of a message attribute as text. A binary value is in base64."""
    binary = value.get("BinaryValue")
    if isinstance(binary, bytes):
        return f"(binary, in base64) {base64.b64encode(binary).decode()}"
    return value.get("StringValue", "")


def _conflict(dead_letter: DeadLetter) -> list[str]:
    """Return a line about the log that holds the id, after an id conflict."""
    text = holder(dead_letter)
    return [f"holder    {escape_controls(text)}"] if text else []


def holder(dead_letter: DeadLetter) -> str:
    """Return a sentence about the log that holds the id. It is empty without an id conflict."""
    received_at = dead_letter.attribute_text("conflict-received-at")
    if not (dead_letter.is_from_writer and received_at):
        return ""
    sender = dead_letter.attribute_text("conflict-sender") or "an unknown sender"
    return f"the log with this id was received at {received_at} from {sender}"


def to_json(dead_letter: DeadLetter) -> str:
    """Return a whole dead letter as one line of JSON in ASCII."""
    reason = dead_letter.reason()
    return json.dumps(
        {
            "message_id": dead_letter.message_id,
            "log_id": dead_letter.log_id,
            "sent_at": times.to_text(dead_letter.envelope.first_sent_at),
            "rejected_at": dead_letter.attribute_text("rejected-at") or None,
            "put_here_by": "writer" if dead_letter.is_from_writer else "sqs",
            "code": reason.code,
            "reason": reason.text,
            "size": dead_letter.size,
            "body": dead_letter.body,
        }
    )
