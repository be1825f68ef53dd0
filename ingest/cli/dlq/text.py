"""A dead letter in words and as JSON, harmless for the terminal that shows it."""

import base64
import json
from datetime import UTC, datetime

from ingest import messages, times
from ingest.cli.dlq import dead_letter as letter
from ingest.cli.dlq.dead_letter import Letter

ID_WIDTH, AGE_WIDTH, REASON_WIDTH = 8, 6, 50
MIN_BODY_WIDTH = 20
ELLIPSIS = "…"


def harmless(text: str, kept: str = "") -> str:
    """Spell out what could move a terminal's cursor or turn its text round, but for the characters `kept`."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character in kept
        else character.encode("unicode_escape").decode()
        for character in text
    )


def bounded(text: str, width: int) -> str:
    """Return one line of a text, harmless and at most `width` characters long."""
    # What is cut off need not be looked at: a body may have a MiB.
    line = harmless(" ".join(text[: 4 * width].split()))
    return line if len(line) <= width else line[: width - 1] + ELLIPSIS


def age(since: datetime) -> str:
    """Say how long ago a moment was, in its greatest unit."""
    seconds = max(0, int((datetime.now(UTC) - since).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def header() -> str:
    """Return the line above those of `row`."""
    return f"{'ID':{ID_WIDTH}}  {'AGE':{AGE_WIDTH}}  {'REASON':{REASON_WIDTH}}  BODY"


def row(dead: Letter, width: int) -> str:
    """Return a letter as a line of about `width` characters."""
    room = max(MIN_BODY_WIDTH, width - ID_WIDTH - AGE_WIDTH - REASON_WIDTH - 6)
    why = bounded(str(letter.reason(dead)), REASON_WIDTH)
    return (
        f"{dead.message_id[:ID_WIDTH]}  {age(dead.known.sent_at):{AGE_WIDTH}}  {why:{REASON_WIDTH}}  "
        f"{bounded(messages.decompress(dead.body), room)}"
    )


def page(dead: Letter) -> str:
    """Return a letter whole, over many lines."""
    lines = [
        f"message   {dead.message_id}",
        f"log       {dead.log_id}",
        f"sent      {times.to_text(dead.known.sent_at)} ({age(dead.known.sent_at)} ago)",
        f"reason    {harmless(str(letter.reason(dead)))}",
        f"put here  {'by the writer' if dead.is_ours else 'by SQS, without a reason'}",
        f"size      {dead.size:,} bytes",
        "",
    ]
    names = max((len(name) for name in dead.attributes), default=0)
    for name, value in dead.attributes.items():
        binary = value.get("BinaryValue")
        told = value.get("StringValue", "")
        if isinstance(binary, bytes):
            told = f"(binary, in base64) {base64.b64encode(binary).decode()}"
        lines.append(f"{harmless(name):{names}}  {harmless(told)}")
    if dead.attributes:
        lines.append("")
    return "\n".join([*lines, harmless(messages.decompress(dead.body), kept="\n\t")])


def as_json(dead: Letter) -> str:
    """Return a letter whole as one line of JSON in ASCII."""
    why = letter.reason(dead)
    return json.dumps(
        {
            "message_id": dead.message_id,
            "log_id": dead.log_id,
            "sent_at": times.to_text(dead.known.sent_at),
            "rejected_at": dead.text("rejected-at") or None,
            "put_here_by": "writer" if dead.is_ours else "sqs",
            "code": why.code,
            "reason": why.text,
            "size": dead.size,
            "body": dead.body,
        }
    )
