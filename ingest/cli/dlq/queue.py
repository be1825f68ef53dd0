"""The dead-letter queue: peek, receive, delete, and reset visibility timeouts."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ingest.cli.dlq.dead_letter import DeadLetter
from ingest.cli.errors import CommandFailed
from ingest.sending.batches import FIRST_DELAY_SECONDS, MAX_ATTEMPTS, MAX_DELAY_SECONDS
from ingest.wire import sqs
from ingest.wire.backoff import backoff
from ingest.wire.errors import AWS_ERRORS

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

MIN_ID_CHARACTERS = 6
ID_CHARACTERS = 32

PEEK_SECONDS = 20
# The visibility timeout is the time of a peek plus this margin. So a peek receives no message twice, and
# there is time to act on each.
MARGIN_SECONDS = 10
MAX_PEEK_SECONDS = 12 * 3600 - MARGIN_SECONDS  # the longest visibility timeout is 12 h
# Two responses of ten messages, which takes 0.5 s each over a slow connection.
MIN_READS_PER_SECOND = 20

# Only a long poll asks all of SQS's servers. Even then, one empty response does not prove an empty queue.
WAIT_SECONDS = 1
MAX_EMPTY_RESPONSES = 2
# Consecutive responses that contain only messages received before.
MAX_STALE_RESPONSES = 20


class NotDeleted(CommandFailed):
    """SQS did not delete dead letters, although they were sent or archived."""

    def __init__(self, message_ids: Sequence[str], reason: str) -> None:
        super().__init__(
            f"SQS did not delete {len(message_ids)} dead letters after they were sent: {reason}. Repeat the "
            f"command for them: {', '.join(message_ids)}."
        )


class DeadLetterQueue:
    """The dead-letter queue. As a context manager, it makes all messages visible again at its end.

    - `is_punctual`: a peek ends in time, even if it has not validated all messages of a response.
    - `timed_out`: the last peek ended because its time was up, so messages may be missing.
    - `has_repeats`: a message was received again, perhaps in place of another one.
    - `hidden_until`: the time when hidden messages become visible, if SQS did not reset their timeout.

    Each method that sends a request raises one of AWS_ERRORS if SQS fails, except `release`.
    """

    def __init__(
        self,
        client: "SQSClient",
        url: str,
        clock: Callable[[], float] = time.monotonic,
        *,
        is_punctual: bool = False,
    ) -> None:
        self.client = client
        self.url = url
        self.is_punctual = is_punctual
        self.timed_out = False
        self.has_repeats = False
        self.hidden_until: datetime | None = None
        self._clock = clock
        self._receipt_handles: dict[str, str] = {}  # of the hidden messages, by message id
        self._timeout_end = datetime.min.replace(tzinfo=UTC)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def check(self) -> None:
        """Raise CommandFailed if the queue has a redrive policy.

        Every peek would then raise the receive count of each message, and might move it to another queue.
        """
        response = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["RedrivePolicy"])
        if "RedrivePolicy" in response.get("Attributes", {}):
            raise CommandFailed(
                "This queue has a dead-letter queue itself, and reading its messages might move them there. "
                "Is it really the dead-letter queue? Check --dead-letter-queue-url."
            )

    def peek(self, seconds: int = PEEK_SECONDS) -> Iterator[DeadLetter]:
        """Yield each dead letter once, for at most `seconds`, then set `timed_out`.

        The visibility timeout hides them from other consumers until `release`, for at most `seconds` plus
        MARGIN_SECONDS. Costs one request per ten dead letters, and MAX_EMPTY_RESPONSES at the end.
        """
        end = self._clock() + seconds
        return chain.from_iterable(self._poll(sqs.MAX_BATCH, seconds + MARGIN_SECONDS, end))

    def receive(
        self,
        per_second: float = sqs.MAX_BATCH,
        seconds: int = PEEK_SECONDS,
        within: float | None = None,
    ) -> Iterator[list[DeadLetter]]:
        """Yield the dead letters of each response, each once, until the queue is empty.

        A response has at most `per_second` messages, so that none waits longer than a second. The visibility
        timeout of a message that is not deleted is `seconds` plus MARGIN_SECONDS, or until `release`. After
        `within` seconds no more are received, and `timed_out` is set.
        """
        limit = min(sqs.MAX_BATCH, max(1, int(per_second)))
        end = None if within is None else self._clock() + within
        return self._poll(limit, seconds + MARGIN_SECONDS, end)

    def seconds_for_all(self) -> int:
        """Return the seconds that reading all dead letters takes at most.

        They are PEEK_SECONDS, or more for a long queue, as over a slow connection. Costs one request.
        """
        return min(MAX_PEEK_SECONDS, max(PEEK_SECONDS, self.count() // MIN_READS_PER_SECOND))

    def find(self, ids: Sequence[str], seconds: int = PEEK_SECONDS) -> list[DeadLetter]:
        """Return the dead letters with these ids, in that order.

        They stay hidden, and all others become visible. The ids are those of `normalize_id`. Raise
        CommandFailed if an id matches no dead letter or several, or if dead letters that were not read might
        match as well.
        """
        candidates: dict[str, DeadLetter] = {}
        missing = set(ids)  # without the ids that are a whole message id, which no other dead letter has
        for dead_letter in self.peek(seconds):
            if _matches(dead_letter, tuple(ids)):
                candidates[dead_letter.message_id] = dead_letter
                missing.discard(_hex(dead_letter.message_id))
            if not missing:
                break
        unread = self.count()
        self.release(keep=candidates)
        selected = {self._match(key, candidates, unread).message_id: None for key in ids}
        self.release(keep=selected)
        return [candidates[message_id] for message_id in selected]

    def delete(self, dead_letters: Sequence[DeadLetter]) -> None:
        """Delete dead letters permanently. They must be hidden by this object.

        Costs one request per ten, and up to MAX_ATTEMPTS if entries fail: those are retried with backoff.
        Raise NotDeleted if they fail again.
        """
        for start in range(0, len(dead_letters), sqs.MAX_BATCH):
            pending = [each.message_id for each in dead_letters[start : start + sqs.MAX_BATCH]]
            reason = ""
            delays = backoff(FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS)
            for attempt in range(MAX_ATTEMPTS):
                if attempt:
                    time.sleep(next(delays))
                response = self.client.delete_message_batch(
                    QueueUrl=self.url,
                    Entries=[
                        {"Id": str(number), "ReceiptHandle": self._receipt_handles[message_id]}
                        for number, message_id in enumerate(pending)
                    ],
                )
                for entry in response.get("Successful", []):
                    del self._receipt_handles[pending[int(entry["Id"])]]
                for failure in response.get("Failed", []):
                    reason = f"{failure['Code']}: {failure.get('Message', '')}"
                pending = [message_id for message_id in pending if message_id in self._receipt_handles]
                if not pending:
                    break
            else:
                raise NotDeleted(pending, reason)

    def release(self, keep: Iterable[str] = ()) -> None:
        """Reset the visibility timeout of all hidden messages.

        Those whose message ids are in `keep` stay hidden. Costs one request per ten messages. If SQS does not
        respond, set `hidden_until` to the end of the last visibility timeout.
        """
        remaining = {message_id: self._receipt_handles[message_id] for message_id in keep}
        handles = [
            handle for message_id, handle in self._receipt_handles.items() if message_id not in remaining
        ]
        self._receipt_handles = remaining
        for start in range(0, len(handles), sqs.MAX_BATCH):
            try:
                # An entry that fails is visible already, or deleted. Neither is a problem.
                self.client.change_message_visibility_batch(
                    QueueUrl=self.url,
                    Entries=[
                        {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                        for number, handle in enumerate(handles[start : start + sqs.MAX_BATCH])
                    ],
                )
            except AWS_ERRORS:
                self.hidden_until = self._timeout_end
                return

    def count(self) -> int:
        """Return the approximate number of dead letters that this object has not hidden."""
        return max(0, sqs.count_messages(self.client, self.url) - len(self._receipt_handles))

    def _poll(self, limit: int, visibility_timeout: int, end: float | None) -> Iterator[list[DeadLetter]]:
        """Yield the new dead letters of each response, until the queue seems empty, or until `end`."""
        empty = stale = 0
        self.timed_out = self.has_repeats = False
        while empty < MAX_EMPTY_RESPONSES and stale < MAX_STALE_RESPONSES:
            if end is not None and self._clock() >= end:
                self.timed_out = True
                return
            self._timeout_end = datetime.now(UTC) + timedelta(seconds=visibility_timeout)
            response = self.client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=limit,
                VisibilityTimeout=visibility_timeout,
                WaitTimeSeconds=WAIT_SECONDS,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            batch = response.get("Messages", [])
            unseen = [each for each in batch if each["MessageId"] not in self._receipt_handles]
            self.has_repeats |= len(unseen) < len(batch)
            # Only the last receipt handle of a message is valid.
            self._receipt_handles.update({each["MessageId"]: each["ReceiptHandle"] for each in batch})
            empty = 0 if batch else empty + 1
            stale = 0 if unseen or not batch else stale + 1
            if new := self._validate(unseen, end):
                yield new

    def _validate(self, messages: "Sequence[MessageTypeDef]", end: float | None) -> list[DeadLetter]:
        """Return the dead letters of a response. Validating each may take two seconds.

        If `is_punctual`, stop at `end`, after the first one, and make the rest visible again.
        """
        dead_letters: list[DeadLetter] = []
        for message in messages:
            if dead_letters and self.is_punctual and end is not None and self._clock() >= end:
                rest = {each["MessageId"] for each in messages[len(dead_letters) :]}
                self.release(keep=self._receipt_handles.keys() - rest)
                break
            dead_letters.append(DeadLetter.from_message(message))
        return dead_letters

    def _match(self, key: str, candidates: dict[str, DeadLetter], unread: int) -> DeadLetter:
        """Return the only dead letter that matches an id. About `unread` dead letters were not read."""
        matches = [each for each in candidates.values() if _matches(each, (key,))]
        if not matches:
            hint = (
                f"About {unread} more could not be read: try again, or set a larger --seconds."
                if unread
                else "`list` shows all ids."
            )
            raise CommandFailed(f"No dead letter matches {key}. {hint}")
        if len(matches) > 1:
            names = ", ".join(each.message_id for each in matches)
            raise CommandFailed(
                f"{key} matches {len(matches)} dead letters. Nothing was changed. Pass a message id: {names}."
            )
        if self.timed_out and len(key) < ID_CHARACTERS:
            raise CommandFailed(
                f"{key} matches {matches[0].message_id}, but not all dead letters were read in time. "
                "Pass the whole id, or set a larger --seconds."
            )
        return matches[0]


def normalize_id(text: str) -> str:
    """Return a message id or log id, whole or shortened, as lower-case hex digits.

    Raise ValueError unless it has at least MIN_ID_CHARACTERS hex digits.
    """
    key = _hex(text.strip())
    if not re.fullmatch(f"[0-9a-f]{{{MIN_ID_CHARACTERS},{ID_CHARACTERS}}}", key):
        raise ValueError(
            f"must be a message id or log id, or at least its first {MIN_ID_CHARACTERS} hex digits, "
            f"not {text!r}"
        )
    return key


def _hex(text: str) -> str:
    return text.lower().replace("-", "")


def _matches(dead_letter: DeadLetter, keys: tuple[str, ...]) -> bool:
    """Return whether the message id or the log id begins with one of these keys."""
    return _hex(dead_letter.message_id).startswith(keys) or dead_letter.log_id.startswith(keys)
