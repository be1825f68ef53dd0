"""A dead letter's way out: sent again, mended, or given up. It is deleted last, when the rest is sent."""

import getpass
import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ingest import messages, times
from ingest.cli.dlq import dead_letter as letter
from ingest.cli.dlq.dead_letter import Letter
from ingest.cli.dlq.queue import DeadLetterQueue
from ingest.client import LogClient
from ingest.messages import InvalidMessage
from ingest.sending import size
from ingest.wire import attributes, sqs
from ingest.writing import dead_letters

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef as Attribute

# The site's own logs: accounts that begin with _ are no one else's.
ACCOUNT = "_logsite"
TYPE = "logsite"
DISCARDED = "dead-letter-discarded"


class NoRoom(Exception):
    """Its 1 MiB leaves no room for `log-id` and `log-sent-at`, and it does not say them itself: edit it."""

    def __str__(self) -> str:
        return str(self.__doc__)


def replay(queue: DeadLetterQueue, logs_url: str, dead: Letter) -> None:
    """Send a letter to the queue of logs as the message that it first was, then delete it.

    Whoever is stopped in between may replay it again: the writer stores it once. Raises NoRoom, and
    botocore's BotoCoreError or ClientError.
    """
    _send(queue, logs_url, dead, dead.body)


def edit(queue: DeadLetterQueue, logs_url: str, dead: Letter, body: str) -> str:
    """Send a new body in place of a letter's, under the identity that it first had, then delete the letter.

    Return the id of the log that it will be.

    One that is dead because another log has its id gets an id of its own, where the new body names none.
    Raises InvalidMessage where the writer would refuse the body, NoRoom, and botocore's BotoCoreError or
    ClientError.
    """
    message = messages.parse(body)
    if message.id is None and letter.reason(dead).code == "id_conflict":
        own_id = uuid.uuid5(messages.ID_NAMESPACE, dead.message_id).hex
        dead = replace(dead, known=replace(dead.known, log_id=own_id))
    # JSON allows two characters in its texts that SQS refuses; the others that SQS refuses it refuses too.
    escaped = attributes.NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", body)
    _send(queue, logs_url, dead, escaped)
    return message.id or dead.known.log_id


def discard(queue: DeadLetterQueue, logs: LogClient, dead: Letter, why: str) -> bool:
    """Keep a letter as a log of the site's own, then delete it; return whether its body was kept whole.

    `logs` sends within the call. What does not fit, even compressed, is cut, with its size and SHA-256.
    Raises `ingest.client.NotSent`, and botocore's BotoCoreError or ClientError.
    """
    payload: dict[str, Any] = {
        "reason": why,
        "error": str(letter.reason(dead)),
        "log_id": dead.log_id,
        "sent_at": times.to_text(dead.known.sent_at),
        "message_id": dead.message_id,
        # That of a letter of ours is the writer.
        "sender": None if dead.is_ours else dead.known.sender,
        "body": dead.body,
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
        whole = dead.body.encode()
        payload |= {"body_bytes": len(whole), "body_sha256": hashlib.sha256(whole).hexdigest()}
        while not _fits(fields):
            payload["body"] = payload["body"][: len(payload["body"]) // 2]
    logs.enqueue(**fields)
    queue.delete(dead)
    return is_whole


def _send(queue: DeadLetterQueue, logs_url: str, dead: Letter, body: str) -> None:
    text, taken = _message(dead, body)
    queue.client.send_message(QueueUrl=logs_url, MessageBody=text, MessageAttributes=taken)
    queue.delete(dead)


def _message(dead: Letter, body: str) -> "tuple[str, dict[str, Attribute]]":
    """Return a body and attributes that SQS takes: the identity, then the sender's own as far as they fit."""
    identity: dict[str, Attribute] = {
        "log-id": {"DataType": "String", "StringValue": dead.known.log_id},
        "log-sent-at": {"DataType": "String", "StringValue": times.to_text(dead.known.sent_at)},
    }
    own = {
        name: value for name, value in dead.attributes.items() if name not in dead_letters.WRITER_ATTRIBUTES
    }
    for text in _spellings(body):
        taken = attributes.limit({**identity, **own}, sqs.MAX_BYTES - len(text.encode()))
        if taken.keys() >= identity.keys():
            return text, taken
    room = sqs.MAX_BYTES - len(body.encode())
    if room >= 0 and _names_itself(body):
        return body, attributes.limit(own, room)
    raise NoRoom


def _spellings(body: str) -> Iterator[str]:
    """Give a body as it is, and compressed where the writer reads the same in that."""
    yield body
    packed = size.compress(body)
    if packed:
        try:
            if messages.parse(packed) == messages.parse(body):
                yield packed
        except InvalidMessage:
            pass  # it will be a dead letter again, and is to be one with its own body


def _names_itself(body: str) -> bool:
    try:
        message = messages.parse(body)
    except InvalidMessage:
        return False
    return message.id is not None and message.created_at is not None


def _fits(fields: dict[str, Any]) -> bool:
    text = size.encode(fields)
    return not size.oversize(text) or size.compress(text) is not None


def _login() -> str:
    """Return who is at work here, or 0 for no one."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name; KeyError before Python 3.13
        return "0"
