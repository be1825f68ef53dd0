"""A dead letter as it lies in its queue: which log it was to be, and why it is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingest import messages
from ingest.messages import Envelope, InvalidMessage
from ingest.wire import attributes, sqs
from ingest.writing import dead_letters

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef as Attribute

# What `Reason.word` may be: the writer's codes, and that nothing is wrong with the message.
VALID = "valid"
REASONS = ("invalid_fields", "not_json", "not_an_object", "not_deflated", "id_conflict", VALID)

# A body that leaves the writer so little room may be here without a reason for want of room.
ROOM_FOR_A_REASON = 150


@dataclass(frozen=True)
class Letter:
    """A dead letter: `known` is the envelope of the message that was sent first.

    `is_ours` where the writer sent it here with its reason; else SQS moved it, which keeps a message's id and
    the time it was sent:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html
    """

    message_id: str
    receipt: str
    body: str
    attributes: "Mapping[str, Attribute]"
    known: Envelope
    log_id: str
    is_ours: bool

    @property
    def size(self) -> int:
        """Return the body's size in bytes."""
        return len(self.body.encode())

    def text(self, name: str) -> str:
        """Return a message attribute's text, or an empty one where there is none."""
        value = self.attributes.get(name)
        return value.get("StringValue", "") if value else ""


@dataclass(frozen=True)
class Reason:
    """Why a letter is dead: a code, and words. Without a code nothing is wrong with the message."""

    code: str | None
    text: str

    @property
    def word(self) -> str:
        """The code, or VALID."""
        return self.code or VALID

    def __str__(self) -> str:
        return ": ".join(part for part in (self.word, self.text) if part)


def read(message: Mapping[str, Any]) -> Letter:
    """Return a received message as a letter; it was received with all of its attributes."""
    told = message.get("MessageAttributes", {})
    system = message["Attributes"]
    spelled = {name: attributes.to_lambda(value) for name, value in told.items()}
    known = messages.envelope(
        {"messageId": message["MessageId"], "attributes": system, "messageAttributes": spelled}
    )
    try:
        named = messages.parse(message["Body"]).id
    except InvalidMessage as refusal:
        named = refusal.log_id
    return Letter(
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        attributes={name: attributes.to_sqs(value) for name, value in spelled.items()},
        known=known,
        log_id=named or known.log_id,
        # One of ours that somebody moved back, and that SQS moved here then, tells an old reason.
        is_ours=told.keys() >= dead_letters.REQUIRED_ATTRIBUTES and "DeadLetterQueueSourceArn" not in system,
    )


def reason(letter: Letter) -> Reason:
    """Say why a letter is dead: in the writer's words, else by validating it again."""
    code, text = letter.text("error-code"), letter.text("error-message")
    if letter.is_ours and text:
        return Reason(code, text)
    try:
        messages.parse(letter.body)
    except InvalidMessage as refusal:
        return Reason(refusal.code, str(refusal))
    if letter.is_ours:
        return Reason(code, "")
    words = "the store was likely away when it was tried"
    if sqs.MAX_BYTES - letter.size < ROOM_FOR_A_REASON:
        words += ", or another log has its id and it left no room to say so"
    return Reason(None, words)
