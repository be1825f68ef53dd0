"""Dead letters as the pages show them. All their texts are masked, and come from senders."""

from dataclasses import dataclass
from functools import cached_property

from ingest import messages
from ingest.cli.dlq import text
from ingest.cli.dlq.dead_letter import DeadLetter
from ingest.masking import masker
from ingest.messages import InvalidMessage
from ingest.wire.json_text import NotAnObject, split_object
from logs.characters import visible
from logs.models import is_own_account
from logs.pages.display import Time, display_time, shorten

LINE_CHARACTERS = 160
MEMBER_CHARACTERS = 2_000
ATTRIBUTE_CHARACTERS = 1_000
# Longer bodies are corrected by the command line. Django accepts forms of 2.5 MB.
MAX_EDITED = 500_000
# In characters. A compressed body may have 16 MiB, and masking that takes seconds.
MAX_SHOWN, MAX_IN_LIST = 1_048_576, 65_536


@dataclass(frozen=True)
class Member:
    """A member of the body's JSON object, or a part of another body. `errors` belong to the member."""

    text: str
    errors: list[str]


@dataclass(frozen=True)
class DeadLetterView:
    """A dead letter with its texts."""

    dead_letter: DeadLetter

    @property
    def message_id(self) -> str:
        """Return the message id."""
        return self.dead_letter.message_id

    @property
    def log_id(self) -> str:
        """Return the id of the log."""
        return self.dead_letter.log_id

    @property
    def is_own(self) -> bool:
        """Return whether it is a log of Logsite's own accounts."""
        return is_own(self.dead_letter)

    @property
    def age(self) -> str:
        """Return the time since the first delivery, such as `3 h`."""
        return text.age(self.dead_letter.envelope.first_sent_at)

    @property
    def sent_at(self) -> Time:
        """Return the time of the first delivery, in UTC."""
        return display_time(self.dead_letter.envelope.first_sent_at)

    @cached_property
    def code(self) -> str:
        """Return the label of the reason."""
        return self.dead_letter.reason().label

    @cached_property
    def reason(self) -> str:
        """Return the reason in words."""
        return visible(self.dead_letter.reason().text)

    @cached_property
    def fields(self) -> list[str]:
        """Return the names of the wrong fields."""
        return [visible(name) for name in field_errors(self.dead_letter)]

    @cached_property
    def body(self) -> str:
        """Return the body, decompressed and masked. It is empty if it is longer than MAX_SHOWN."""
        body = messages.decompress(self.dead_letter.body)
        return masker.from_environment().body(body) if len(body) <= MAX_SHOWN else ""

    @cached_property
    def line(self) -> str:
        """Return the beginning of the body, or only the size of a large one."""
        body = self.dead_letter.body
        if len(body) > MAX_IN_LIST or messages.may_be_compressed(body):
            return f"(large body, {self.dead_letter.size:,} bytes)"
        masked = masker.from_environment().body(body)
        return shorten(" ".join(masked[: 4 * LINE_CHARACTERS].split()), LINE_CHARACTERS)

    @property
    def holder(self) -> str:
        """Return a sentence about the log that holds the id, after an id conflict."""
        return visible(text.holder(self.dead_letter))

    @property
    def moved_by(self) -> str:
        """Return who moved the message to the dead-letter queue."""
        return "the writer" if self.dead_letter.is_from_writer else "SQS, without a reason"

    @property
    def attributes(self) -> list[tuple[str, str]]:
        """Return names and values of the message attributes."""
        mask = masker.from_environment().text
        return [
            (visible(name), shorten(mask(text.attribute(value)), ATTRIBUTE_CHARACTERS))
            for name, value in self.dead_letter.attributes.items()
        ]

    @property
    def is_editable(self) -> bool:
        """Return whether the page has room to correct the body."""
        return bool(self.body) and len(self.body) <= MAX_EDITED


def is_own(dead_letter: DeadLetter) -> bool:
    """Return whether a dead letter is a log of Logsite's own accounts."""
    return dead_letter.account_id is not None and is_own_account(dead_letter.account_id)


def field_errors(dead_letter: DeadLetter) -> dict[str, list[str]]:
    """Return the errors by the names of the wrong fields.

    If the body itself is valid, they are the names that the writer stored, such as `id` after a conflict.
    """
    if dead_letter.rejection:
        return dead_letter.rejection.fields
    names = dead_letter.attribute_text("error-fields") if dead_letter.is_from_writer else ""
    return {name: [] for name in names.split(",") if name}


def members(body: str, errors: dict[str, list[str]]) -> list[Member]:
    """Return the members of a body's JSON object, with the errors of each.

    Another body is one member without errors.
    """
    try:
        parts = list(split_object(body))
    except NotAnObject:
        return [Member(_shorten(body, text.MAX_BODY_CHARACTERS), [])]
    size = 0
    result: list[Member] = []
    for name, value in parts:
        if size > text.MAX_BODY_CHARACTERS:
            result.append(Member(f"… {len(parts) - len(result):,} more members", []))
            break
        label = name[1:-1]
        result.append(Member(_shorten(f"{name}: {value}", MEMBER_CHARACTERS), errors.get(label, [])))
        size += len(result[-1].text)
        if label in errors and not errors[label]:
            result[-1].errors.append("is the cause")
    return result


def error_texts(errors: dict[str, list[str]]) -> list[str]:
    """Return each error with its field, such as `url: is required`."""
    return [f"{visible(name)}: {visible(each)}" for name, texts in errors.items() for each in texts]


def changed_fields(before: str, after: str) -> list[str]:
    """Return the names of the fields that differ between two bodies.

    It is `body` if one of them is not the JSON object of a log.
    """
    try:
        old, new = messages.unwrap(before)[0], messages.unwrap(after)[0]
    except InvalidMessage:
        return ["body"]
    names = [*new, *(name for name in old if name not in new)]
    return [name for name in names if name not in old or name not in new or old[name] != new[name]]


def _shorten(body: str, length: int) -> str:
    """Return the beginning of a text over several lines."""
    end = f"… {len(body):,} characters in all" if len(body) > length else ""
    return visible(body[:length], multiline=True) + end
