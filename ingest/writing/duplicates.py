"""Whether a log in the table is the same log as a new one."""

import json
import zlib
from typing import Any

from ingest import times
from ingest.messages import MAX_NODES, Rejected
from ingest.wire.json_text import has_at_most
from ingest.writing import memory, summary
from ingest.writing.result import Outcome
from ingest.writing.retry import Deadline
from logs.models import LogItem
from logs.storage import documents, parts
from logs.storage.documents import Content

# Of two logs with the same id, larger documents are duplicates only if all their bytes are equal.
MAX_COMPARED_BYTES = 4 * 1024 * 1024


class IdConflict(Rejected):
    """The table holds a log with the same id and other content.

    `attributes` names the sender of that log, and the time when SQS received it.
    """

    def __init__(self, existing: LogItem) -> None:
        super().__init__("id_conflict", {"id": ["belongs to a log with other content already"]}, existing.id)
        self.attributes = {
            "conflict-sender": existing.sender or "",
            "conflict-received-at": times.to_text(existing.received_at),
        }


def compare(existing: LogItem, item: LogItem, deadline: Deadline) -> Outcome:
    """Return Outcome.DUPLICATE if an existing item is the same log. Otherwise raise IdConflict."""
    parts.join(existing)
    size = memory.document_weight(existing) + memory.document_weight(item)
    with memory.BUDGET.reserve(size, deadline):
        is_duplicate = _is_duplicate(existing, item)
    if not is_duplicate:
        raise IdConflict(existing)
    return Outcome.DUPLICATE


def _is_duplicate(existing: LogItem, item: LogItem) -> bool:
    """Return whether an existing item is the same log as a new one.

    A derived summary is not compared, because another version of the writer may derive another one.
    """
    differences = {name for name in documents.SENDER_FIELDS if getattr(existing, name) != getattr(item, name)}
    if differences - {"summary"}:
        return False
    if _is_large(existing) or _is_large(item):
        return not differences and not existing.damage and _stored_content(existing) == _stored_content(item)
    theirs, ours = documents.content(existing), documents.content(item)
    if differences and item.summary != summary.derive(ours.payload):
        return False
    if theirs.damage or _header(existing, theirs) != _header(item, ours):
        return False
    # Equal texts need no parsing. Whitespace and key order are not content.
    return _texts(theirs) == _texts(ours) or canonical_json(theirs) == canonical_json(ours)


def _is_large(item: LogItem) -> bool:
    """Return whether an item's document is compared as bytes, because its values take too much memory."""
    if item.document is None:
        return False
    try:
        documents.decompress(item.document, MAX_COMPARED_BYTES)
    except documents.Damaged:
        return True
    except (ValueError, zlib.error):
        pass  # damaged, but not large
    return False


def _stored_content(item: LogItem) -> tuple[Any, ...]:
    """Return the content of a log without parsing it: its own time, its payload and its document."""
    document = documents.decompress(item.document) if item.document is not None else None
    return _sender_time(item), item.payload, item.payload_type, document


def _header(item: LogItem, content: Content) -> tuple[dict[str, str | None], str | None]:
    """Return the sender's fields except the summary, and the sender's time of a log."""
    fields = {name: value for name, value in content.fields.items() if name != "summary"}
    return fields, _sender_time(item, content.sent_created_at)


def _sender_time(item: LogItem, sent: str | None = None) -> str | None:
    """Return the time of the sender, which is `sent` if its clock was wrong.

    It is None if SQS set the time: a message that is sent twice with its id and without `created_at` is a
    duplicate. The time of an imported log is that of its source.
    """
    is_senders = item.imported_at or item.created_at != (item.first_sent_at or item.received_at)
    if sent is None and is_senders:
        return times.to_text(item.created_at)
    return sent


def _texts(content: Content) -> tuple[bool, str | None, str | None]:
    return content.payload_is_json, content.payload_text, content.extra_text


def canonical_json(content: Content) -> str:
    """Return payload and extra fields as canonical JSON, to deduplicate logs.

    JSON keeps 1, 1.0 and true apart, and its keys are sorted. JSON of more than MAX_NODES values is compared
    as text.
    """
    payload, extra = content.payload_text, content.extra_text
    values: dict[str, Any] = {
        "payload": content.payload if not content.payload_is_json or _is_parsable(payload) else payload,
        "extra": content.extra if _is_parsable(extra) else extra,
    }
    return json.dumps(values, sort_keys=True)


def _is_parsable(text: str | None) -> bool:
    return text is None or has_at_most(text, MAX_NODES)
