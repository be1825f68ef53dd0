"""A dead letter as a line of NDJSON: written by `export`, read by `import`.

The member `body` is the body as JSON, so that tools such as jq can edit it. If the body is not JSON, the
member `body_text` has its text.
"""

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from ingest import messages, times
from ingest.cli.dlq import redrive
from ingest.cli.dlq.dead_letter import DeadLetter
from ingest.cli.ndjson import CONVERT, NUL_BYTES
from ingest.messages import MAX_NODES, InvalidMessage
from ingest.wire.json_text import has_at_most

# A line has more bytes than its body: `ensure_ascii` writes each byte of a text as six bytes at most.
MAX_LINE_BYTES = 6 * messages.MAX_INFLATED_BYTES + 10_000
# The values of a line beside those of the body.
MAX_OTHER_NODES = 100

LINE_RULE = "must be one JSON object on one line, as `export` writes it (jq needs -c)"


@dataclass(frozen=True)
class Correction:
    """A corrected line: the message id of a dead letter, and its new body."""

    message_id: str
    body: str


def to_line(dead_letter: DeadLetter) -> str:
    """Return a dead letter as one line of ASCII. All control characters are escaped."""
    reason = dead_letter.reason()
    members = {
        "message_id": dead_letter.message_id,
        "log_id": dead_letter.log_id,
        "sent_at": times.to_text(dead_letter.envelope.first_sent_at),
        "code": reason.code,
        "reason": reason.text,
        **_body_members(dead_letter.body),
    }
    return json.dumps(members).replace("\x7f", "\\u007f") + "\n"


def parse_line(line: bytes) -> Correction:
    """Return the correction in a line.

    Members beside the message id and the body are ignored. The new body is not validated. Raise
    InvalidMessage if the line is no such object.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        rule = f"must be UTF-8, but byte {error.start + 1} is not; {CONVERT}"
        raise InvalidMessage("not_json", {"line": [rule]}) from None
    if "\0" in text:
        raise InvalidMessage("not_json", {"line": [NUL_BYTES]})
    if not has_at_most(text, MAX_NODES + MAX_OTHER_NODES):
        rule = f"must have at most {MAX_NODES:,} values, or be a text in body_text"
        raise InvalidMessage("too_many_fields", {"body": [rule]})
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidMessage("not_json", {"line": [LINE_RULE]}) from None
    if not isinstance(members, dict):
        raise InvalidMessage("not_an_object", {"line": [LINE_RULE]})
    message_id = members.get("message_id")
    if not isinstance(message_id, str):
        raise InvalidMessage("invalid_fields", {"message_id": ["must be the text that `export` wrote"]})
    return Correction(message_id, _body(members))


def is_unchanged(correction: Correction, dead_letter: DeadLetter) -> bool:
    """Return whether a correction changes nothing but the spelling of the JSON."""
    return correction.body == _body(_body_members(dead_letter.body))


def _body_members(body: str) -> dict[str, Any]:
    """Return the member `body` or `body_text`. A compressed body is decompressed."""
    text = messages.decompress(body)
    try:
        # More values take too much memory.
        if has_at_most(text, MAX_NODES):
            value = json.loads(text.removeprefix("\ufeff"), parse_constant=_reject)
            json.dumps(value, allow_nan=False)  # json.loads reads 1e400 as infinity
            # Tools write null for a missing member, so null is no body.
            if value is not None:
                return {"body": value}
    except (ValueError, RecursionError):
        pass
    return {"body_text": text}


def _body(members: dict[str, Any]) -> str:
    """Return the body in the members of a line. Raise InvalidMessage unless there is one."""
    value, text = members.get("body"), members.get("body_text")
    if (value is None) == (text is None):
        raise InvalidMessage("invalid_fields", {"body": ["is required, or body_text, but not both"]})
    if text is None:
        # In ASCII, a text of 1 MiB could have 3 MiB.
        return redrive.escape(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    if not isinstance(text, str):
        raise InvalidMessage("invalid_fields", {"body_text": ["must be a text; JSON belongs into body"]})
    return text


def _reject(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
