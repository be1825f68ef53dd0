"""Looking into the dead-letter queue: a letter is hidden while it is looked at, then visible again."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

from botocore.exceptions import BotoCoreError, ClientError

from ingest.cli.dlq import dead_letter as letter
from ingest.cli.dlq.dead_letter import Letter
from ingest.wire import sqs

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

MIN_ID_CHARACTERS = 6
ID_CHARACTERS = 32

LOOK_SECONDS = 20
# A letter stays hidden longer than a look takes: none comes twice, and there is time to act on it.
MARGIN_SECONDS = 10
MAX_LOOK_SECONDS = 12 * 3600 - MARGIN_SECONDS  # SQS hides a message for 12 h at most

# Only a poll that waits asks all of SQS's servers; even then one empty answer proves little.
WAIT_SECONDS = 1
EMPTY_ANSWERS = 2
# Answers in a row that bring only letters which were seen before.
STALE_ANSWERS = 20


class Unfit(Exception):
    """What was asked for cannot be done, as the text says; nothing was changed."""


class DeadLetterQueue:
    """The dead-letter queue. As a context manager it makes visible again, at its end, all that it hid."""

    def __init__(self, client: "SQSClient", url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.client = client
        self.url = url
        self._clock = clock
        self.is_cut_short = False  # the last look ended because its time was up
        self.came_back = (
            False  # it received a letter again, which may have taken another's place in an answer
        )
        self.hidden_until: datetime | None = None  # set where letters could not be made visible again
        self._hidden: dict[str, str] = {}  # receipts by message id
        self._last_end = datetime.min.replace(tzinfo=UTC)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def check(self) -> None:
        """Raise Unfit where looking at a message would count as a try, and might move it elsewhere."""
        answer = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["RedrivePolicy"])
        if "RedrivePolicy" in answer.get("Attributes", {}):
            raise Unfit(
                "This queue has a dead-letter queue of its own: looking at its messages would move them "
                "there. Is it really the dead-letter queue?"
            )

    def look(self, seconds: int = LOOK_SECONDS) -> Iterator[Letter]:
        """Give each letter once, for so many seconds at most; then `is_cut_short` tells whether any is left.

        Letters stay hidden from everyone else until `release`, `seconds` and MARGIN_SECONDS at most.
        """
        return self._receive(sqs.MAX_BATCH, seconds + MARGIN_SECONDS, self._clock() + seconds)

    def take(self, per_second: float, seconds: int = LOOK_SECONDS) -> Iterator[Letter]:
        """Give each letter once, until there are no more; no more in hand than a second is enough for.

        One that is not deleted stays hidden until `release`, `seconds` and MARGIN_SECONDS at most.
        """
        at_once = min(sqs.MAX_BATCH, max(1, int(per_second)))
        return self._receive(at_once, seconds + MARGIN_SECONDS, None)

    def find(self, ids: Sequence[str], seconds: int = LOOK_SECONDS) -> list[Letter]:
        """Return the letters of these ids (`id_key` of them), in that order, hidden; all others are visible.

        Raises Unfit where there is none, or where it may be another that was meant.
        """
        found: dict[str, Letter] = {}
        for each in self.look(seconds):
            if any(_is(each, key) for key in ids):
                found[each.message_id] = each
            if all(any(_key(each.message_id) == key for each in found.values()) for key in ids):
                break
        rest = self.count()
        self.release(keep=found)
        chosen = {self._only(key, found, rest).message_id: None for key in ids}
        self.release(keep=chosen)
        return [found[message_id] for message_id in chosen]

    def delete(self, dead: Letter) -> None:
        """Delete a letter for good."""
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=self._hidden[dead.message_id])
        del self._hidden[dead.message_id]

    def release(self, keep: Iterable[str] = ()) -> None:
        """Make visible again what is hidden, but for the message ids in `keep`.

        Where SQS does not answer, `hidden_until` says when they are at the latest.
        """
        kept = {message_id: self._hidden[message_id] for message_id in keep}
        receipts = [receipt for message_id, receipt in self._hidden.items() if message_id not in kept]
        self._hidden = kept
        for start in range(0, len(receipts), sqs.MAX_BATCH):
            try:
                # One that it lists as failed is visible already, or gone: nothing is left to do.
                self.client.change_message_visibility_batch(
                    QueueUrl=self.url,
                    Entries=[
                        {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                        for number, receipt in enumerate(receipts[start : start + sqs.MAX_BATCH])
                    ],
                )
            except (BotoCoreError, ClientError):
                self.hidden_until = self._last_end
                return

    def count(self) -> int:
        """Return about how many letters there are that are not in our hands."""
        answer = self.client.get_queue_attributes(
            QueueUrl=self.url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        return max(0, sum(int(number) for number in answer["Attributes"].values()) - len(self._hidden))

    def _receive(self, at_once: int, hide: int, end: float | None) -> Iterator[Letter]:
        empty = stale = 0
        self.is_cut_short = self.came_back = False
        while empty < EMPTY_ANSWERS and stale < STALE_ANSWERS:
            if end is not None and self._clock() >= end:
                self.is_cut_short = True
                return
            self._last_end = datetime.now(UTC) + timedelta(seconds=hide)
            answer = self.client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=at_once,
                VisibilityTimeout=hide,
                WaitTimeSeconds=WAIT_SECONDS,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            letters = [letter.read(message) for message in answer.get("Messages", [])]
            new = [each for each in letters if each.message_id not in self._hidden]
            self.came_back |= len(new) < len(letters)
            # Of one that came twice, the last receipt counts.
            self._hidden.update({each.message_id: each.receipt for each in letters})
            empty = 0 if letters else empty + 1
            stale = 0 if new or not letters else stale + 1
            yield from new

    def _only(self, key: str, found: dict[str, Letter], rest: int) -> Letter:
        """Return the one letter that an id names, where about `rest` letters could not be looked at."""
        those = [each for each in found.values() if _is(each, key)]
        if not those:
            more = f"; about {rest} more could not be looked at" if rest else ""
            raise Unfit(f"There is no dead letter {key} among those that were looked at{more}.")
        if len(those) > 1:
            names = ", ".join(each.message_id for each in those)
            raise Unfit(f"{key} names {len(those)} dead letters: {names}. Nothing was changed.")
        if self.is_cut_short and len(key) < ID_CHARACTERS:
            raise Unfit(
                f"{key} names {those[0].message_id}, but not all could be looked at in time: "
                "give the whole id, or more --seconds."
            )
        return those[0]


def id_key(text: str) -> str:
    """Return what a person typed of a message's or a log's id as hex digits.

    Raises ValueError where it is no such id or has fewer than MIN_ID_CHARACTERS.
    """
    key = _key(text.strip())
    if not re.fullmatch(f"[0-9a-f]{{{MIN_ID_CHARACTERS},{ID_CHARACTERS}}}", key):
        raise ValueError(
            f"an ID is a message's or a log's, or its first {MIN_ID_CHARACTERS} hex digits or more, "
            f"not {text!r}"
        )
    return key


def _key(text: str) -> str:
    return text.lower().replace("-", "")


def _is(dead: Letter, key: str) -> bool:
    return _key(dead.message_id).startswith(key) or dead.log_id.startswith(key)
