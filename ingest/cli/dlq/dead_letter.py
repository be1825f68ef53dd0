"""A dead-letter message: its identity, and the reason why it was not stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from ingest import messages
from ingest.messages import Envelope, InvalidMessage
from ingest.wire import attributes, sqs
from ingest.writing import dead_letters

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef as Attribute

# The values of `Reason.label`: the writer's error codes, and VALID for a message without an error.
VALID = "valid"
LABELS = (
    "invalid_fields",
    "not_json",
    "not_an_object",
    "not_deflated",
    "too_many_fields",
    "too_large",
    "id_conflict",
    VALID,
)

# The writer's reason may be missing if the body leaves fewer bytes than this for it.
REASON_BYTES = 150


@dataclass(frozen=True)
class Reason:
    """The reason why a message was not stored. `code` is None if the message is valid."""

    code: str | None
    text: str

    @property
    def label(self) -> str:
        """Return the code, or VALID if the message is valid. The option --code selects by it."""
        return self.code or VALID

    def __str__(self) -> str:
        return ": ".join(part for part in (self.label, self.text) if part)


@dataclass(frozen=True)
class DeadLetter:
    """A message of the dead-letter queue.

    `envelope` is the envelope of its first delivery. `log_id` is the id of the body, or that of the envelope.
    `is_from_writer` is true if the writer sent it, with its reason. Otherwise the redrive policy of the queue
    moved it, which preserves the message id and the time of sending:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html
    """

    message_id: str
    receipt_handle: str
    body: str
    attributes: "Mapping[str, Attribute]"
    envelope: Envelope
    log_id: str
    is_from_writer: bool
    # Why the writer would reject the body, or None. Validating a large body takes seconds.
    rejection: InvalidMessage | None
    # The account of a valid body. It is None if the body is invalid.
    account_id: str | None = None

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Self:
        """Return the dead letter in a response of ReceiveMessage, which must have all attributes."""
        message_attributes = message.get("MessageAttributes", {})
        system_attributes = message["Attributes"]
        lambda_attributes = {name: attributes.to_lambda(value) for name, value in message_attributes.items()}
        envelope = messages.envelope(
            {
                "messageId": message["MessageId"],
                "attributes": system_attributes,
                "messageAttributes": lambda_attributes,
            }
        )
        rejection = account_id = None
        try:
            log = messages.parse(message["Body"])
            body_id, account_id = log.id, log.account_id
        except InvalidMessage as error:
            rejection, body_id = error, error.log_id
        return cls(
            message_id=message["MessageId"],
            receipt_handle=message["ReceiptHandle"],
            body=message["Body"],
            attributes={name: attributes.to_sqs(value) for name, value in lambda_attributes.items()},
            envelope=envelope,
            log_id=body_id or envelope.log_id,
            # If somebody moved a dead letter back unchanged, and SQS moved it here again, its reason is
            # outdated.
            is_from_writer=(
                message_attributes.keys() >= dead_letters.REQUIRED_ATTRIBUTES
                and "DeadLetterQueueSourceArn" not in system_attributes
            ),
            rejection=rejection,
            account_id=account_id,
        )

    @property
    def size(self) -> int:
        """Return the size of the body in bytes."""
        return len(self.body.encode())

    def attribute_text(self, name: str) -> str:
        """Return the text of a message attribute, empty if it is missing."""
        value = self.attributes.get(name)
        return value.get("StringValue", "") if value else ""

    def reason(self) -> Reason:
        """Return why the message was not stored.

        It is the writer's reason, or the result of validating the message.
        """
        code, text = self.attribute_text("error-code"), self.attribute_text("error-message")
        if self.is_from_writer and text:
            return Reason(code, text)
        if self.rejection:
            return Reason(self.rejection.code, str(self.rejection))
        if self.is_from_writer:
            return Reason(code, "")
        text = "DynamoDB was probably unavailable"
        if sqs.MAX_BYTES - self.size < REASON_BYTES:
            text += ", or another log has its id and the body left too few bytes for this reason"
        return Reason(None, text)
