"""Redrive, edit or discard dead letters. Each is deleted last, so that none is lost."""

import getpass
import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ingest import messages, times
from ingest.cli.dlq.dead_letter import DeadLetter
from ingest.cli.dlq.queue import DeadLetterQueue
from ingest.cli.errors import CommandFailed
from ingest.client import LogClient
from ingest.messages import InvalidMessage
from ingest.sending import size
from ingest.sending.batches import send_batch, split_batches
from ingest.sending.outgoing import OutgoingLog
from ingest.wire import attributes, sqs
from ingest.writing import dead_letters

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef as Attribute
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef as Entry

# The site's own logs. Accounts that begin with _ are reserved for it.
ACCOUNT = "_logsite"
TYPE = "logsite"
DISCARDED = "dead-letter-discarded"
# The reason code of a message whose id another log has.
ID_CONFLICT = "id_conflict"


class NoRoomForIdentity(CommandFailed):
    """A body leaves too few bytes for `log-id` and `log-sent-at`.

    It lacks `id` or `created_at` too, so the identity of the first delivery would be lost.
    """

    def __init__(self) -> None:
        super().__init__(
            "The message would exceed 1 MiB with its attributes `log-id` and `log-sent-at`. "
            "Use `edit` to shorten its body, or to add `id` and `created_at` to it."
        )


@dataclass(frozen=True)
class Redrive(OutgoingLog):
    """A dead letter as a message for the queue of logs.

    It has the identity of its first delivery. The body may be compressed, to fit beside the attributes.
    """

    attributes: "dict[str, Attribute]"
    dead_letter: DeadLetter

    @property
    def size(self) -> int:
        """Return the size of the message in bytes, with its attributes."""
        size = sum(attributes.attribute_size(name, value) for name, value in self.attributes.items())
        return size + len(self.body.encode())

    def entry(self, entry_id: str) -> "Entry":
        """Return the message as an entry of SendMessageBatch."""
        return {"Id": entry_id, "MessageBody": self.body, "MessageAttributes": self.attributes}


def unchanged(dead_letter: DeadLetter) -> Redrive:
    """Return a dead letter as it was sent. Raise NoRoomForIdentity."""
    body, message_attributes = _message(dead_letter, dead_letter.body)
    return Redrive(dead_letter.log_id, body, message_attributes, dead_letter)


def edited(dead_letter: DeadLetter, body: str) -> Redrive:
    """Return a dead letter with a new body.

    After an id conflict, the log gets a new id, unless the new body has an `id`. Raise InvalidMessage if the
    writer would reject the body, or NoRoomForIdentity.
    """
    message = messages.parse(body)
    if message.id is None and dead_letter.reason().code == ID_CONFLICT:
        # Derived from the message id, so an interrupted redrive may be repeated.
        new_id = uuid.uuid5(messages.ID_NAMESPACE, dead_letter.message_id).hex
        dead_letter = replace(dead_letter, envelope=replace(dead_letter.envelope, log_id=new_id))
    text, message_attributes = _message(dead_letter, escape(body))
    return Redrive(message.id or dead_letter.envelope.log_id, text, message_attributes, dead_letter)


def escape(body: str) -> str:
    """Return a JSON text in which the characters that SQS rejects are escapes."""
    return attributes.NOT_XML.sub(lambda match: f"\\u{ord(match[0]):04x}", body)


def send(
    queue: DeadLetterQueue,
    queue_url: str,
    redrives: Iterable[Redrive],
    refuse: Callable[[DeadLetter, str], None],
    accept: Callable[[Redrive], None] = lambda message: None,
) -> Iterator[Redrive]:
    """Send messages to the queue of logs, and delete their dead letters. Yield the sent ones.

    `refuse` is called with each dead letter that SQS refuses, and the reason. `accept` is called with each
    message that SQS accepted, before its dead letter is deleted. An interrupted redrive may be repeated,
    because writing is idempotent. Costs two requests per ten messages, or per 1 MiB.

    Raise CommandFailed if SQS does not accept messages at the moment, NotDeleted, or one of AWS_ERRORS.
    """
    for batch in split_batches(redrives):
        result = send_batch(queue.client, queue_url, batch)
        unsent = {each.dead_letter.message_id for each in result.unsent}
        sent = [each for each in batch if each.dead_letter.message_id not in unsent]
        for message in sent:
            accept(message)
        queue.delete([each.dead_letter for each in sent])
        yield from sent
        for message in result.refused:
            refuse(message.dead_letter, f"SQS refused it: {result.reason}")
        if result.retryable:
            raise CommandFailed(f"SQS does not accept messages at the moment: {result.reason}")


def replay(
    queue: DeadLetterQueue,
    queue_url: str,
    dead_letters: Iterable[DeadLetter],
    refuse: Callable[[DeadLetter, str], None],
    accept: Callable[[Redrive], None] = lambda message: None,
) -> Iterator[Redrive]:
    """Send dead letters unchanged, as `send` does. Yield those that were sent.

    A dead letter without room for its identity is refused too.
    """

    def messages_to_send() -> Iterator[Redrive]:
        for dead_letter in dead_letters:
            try:
                yield unchanged(dead_letter)
            except NoRoomForIdentity as error:
                refuse(dead_letter, str(error))

    return send(queue, queue_url, messages_to_send(), refuse, accept)


def discard(queue: DeadLetterQueue, client: LogClient, dead_letter: DeadLetter, reason: str) -> bool:
    """Archive a dead letter, then delete it. Return whether its body was archived whole.

    Costs two requests. Raise `ingest.client.NotSent`, or one of AWS_ERRORS.
    """
    is_whole = archive(client, dead_letter, reason, _login())
    queue.delete([dead_letter])
    return is_whole


def archive(client: LogClient, dead_letter: DeadLetter, reason: str, operator: str) -> bool:
    """Send a dead letter as a log of the site. Return whether its body was archived whole.

    A body that is too large even compressed is truncated, and its size and SHA-256 are added. The client must
    be synchronous. `operator` is the user of the log. Costs one request. Raise `ingest.client.NotSent`.
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
        "user_id": operator,
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
    return is_whole


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
