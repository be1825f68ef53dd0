"""Redrive, edit or discard a dead letter. Each deletes it last, so that none is lost."""

import getpass
import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ingest import messages, times
from ingest.cli.dlq.dead_letter import DeadLetter
from ingest.cli.dlq.queue import DeadLetterQueue
from ingest.cli.errors import CommandFailed
from ingest.client import LogClient
from ingest.messages import InvalidMessage
from ingest.sending import size
from ingest.wire import attributes, sqs
from ingest.writing import dead_letters

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef as Attribute

# The site's own logs. Accounts that begin with _ are reserved for it.
ACCOUNT = "_logsite"
TYPE = "logsite"
DISCARDED = "dead-letter-discarded"


class NoRoomForIdentity(CommandFailed):
    """A body leaves too few bytes for `log-id` and `log-sent-at`.

    It lacks `id` or `created_at` too, so the identity of the first delivery would be lost.
    """

    def __init__(self) -> None:
        super().__init__(
            "The message would exceed 1 MiB with its attributes `log-id` and `log-sent-at`. "
            "Use `edit` to shorten its body, or to add `id` and `created_at` to it."
        )


def redrive(queue: DeadLetterQueue, queue_url: str, dead_letter: DeadLetter) -> None:
    """Send a dead letter to the queue of logs, then delete it.

    The message has the identity of its first delivery. An interrupted redrive may be repeated, because
    writing is idempotent. Costs two requests. Raise NoRoomForIdentity, or one of AWS_ERRORS.
    """
    _send(queue, queue_url, dead_letter, dead_letter.body)


def edit(queue: DeadLetterQueue, queue_url: str, dead_letter: DeadLetter, body: str) -> str:
    """Send a new body in place of a dead letter, then delete it. Return the id of the log.

    The message has the identity of the first delivery. After an id conflict, the log gets a new id, unless
    the new body has an `id`. Costs two requests.

    Raise InvalidMessage if the writer would reject the body, NoRoomForIdentity, or one of AWS_ERRORS.
    """
    message = messages.parse(body)
    if message.id is None and dead_letter.reason().code == "id_conflict":
        new_id = uuid.uuid5(messages.ID_NAMESPACE, dead_letter.message_id).hex
        dead_letter = replace(dead_letter, envelope=replace(dead_letter.envelope, log_id=new_id))
    # JSON texts may contain U+FFFE and U+FFFF, which SQS rejects unless they are escaped.
    escaped = attributes.NOT_XML.sub(lambda match: f"\\u{ord(match[0]):04x}", body)
    _send(queue, queue_url, dead_letter, escaped)
    return message.id or dead_letter.envelope.log_id


def discard(queue: DeadLetterQueue, client: LogClient, dead_letter: DeadLetter, reason: str) -> bool:
    """Archive a dead letter as a log of the site, then delete it.

    Return whether the body was archived whole. A body that is too large even compressed is truncated, and its
    size and SHA-256 are added. The client must be synchronous. Costs two requests. Raise
    `ingest.client.NotSent`, or one of AWS_ERRORS.
    """
    payload: dict[str, Any] = {
        "reason": reason,
        "error": str(dead_letter.reason()),
        "log_id": dead_letter.log_id,
        "sent_at": times.to_text(dead_letter.envelope.first_sent_at),
        "message_id": dead_letter.message_id,
        # If the writer sent the dead letter, the envelope names the writer.
        "sender": None if dead_letter.is_from_writer else dead_letter.envelope.sender,
        "body": dead_letter.body,
    }
    fields: dict[str, Any] = {
        "id": uuid.uuid4().hex,
        "created_at": times.to_text(datetime.now(UTC)),
        "account_id": ACCOUNT,
        "user_id": _login(),
        "type": TYPE,
        "sub_type": DISCARDED,
        "url": "",
        "payload": payload,
    }
    is_whole = _fits(fields)
    if not is_whole:
        body = dead_letter.body.encode()
        payload |= {"body_bytes": len(body), "body_sha256": hashlib.sha256(body).hexdigest()}
        while not _fits(fields):
            payload["body"] = payload["body"][: len(payload["body"]) // 2]
    client.enqueue(**fields)
    queue.delete(dead_letter)
    return is_whole


def _send(queue: DeadLetterQueue, queue_url: str, dead_letter: DeadLetter, body: str) -> None:
    message_body, message_attributes = _message(dead_letter, body)
    queue.client.send_message(
        QueueUrl=queue_url, MessageBody=message_body, MessageAttributes=message_attributes
    )
    queue.delete(dead_letter)


def _message(dead_letter: DeadLetter, body: str) -> "tuple[str, dict[str, Attribute]]":
    """Return a body and message attributes within SQS's limits. Raise NoRoomForIdentity.

    The identity comes first, then as many of the sender's attributes as fit.
    """
    identity: dict[str, Attribute] = {
        "log-id": {"DataType": "String", "StringValue": dead_letter.envelope.log_id},
        "log-sent-at": {
            "DataType": "String",
            "StringValue": times.to_text(dead_letter.envelope.first_sent_at),
        },
    }
    senders = {
        name: value
        for name, value in dead_letter.attributes.items()
        if name not in dead_letters.WRITER_ATTRIBUTES
    }
    for text in _encodings(body):
        selected = attributes.limit({**identity, **senders}, sqs.MAX_BYTES - len(text.encode()))
        if selected.keys() >= identity.keys():
            return text, selected
    remaining = sqs.MAX_BYTES - len(body.encode())
    if remaining >= 0 and _has_identity(body):
        return body, attributes.limit(senders, remaining)
    raise NoRoomForIdentity


def _encodings(body: str) -> Iterator[str]:
    """Yield a body unchanged, then compressed if it is the same message."""
    yield body
    compressed = size.compress(body)
    if compressed:
        try:
            if messages.parse(compressed) == messages.parse(body):
                yield compressed
        except InvalidMessage:
            pass  # the writer will reject it again, and the dead letter must have the original body


def _has_identity(body: str) -> bool:
    """Return whether a body is valid, and has both `id` and `created_at`."""
    try:
        message = messages.parse(body)
    except InvalidMessage:
        return False
    return message.id is not None and message.created_at is not None


def _fits(fields: dict[str, Any]) -> bool:
    """Return whether the client sends a log whole, compressed if necessary."""
    text = size.encode(fields)
    return not size.oversize(text) or size.compress(text) is not None


def _login() -> str:
    """Return the login name of the current user, or 0 ("no one")."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name; KeyError before Python 3.13
        return "0"
