"""What a main application imports to send logs: `LogClient(sync=True).enqueue(account_id=7, …)`."""

import json
import logging
import os
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ingest import messages, sending, sqs
from ingest.plain import plain
from logs import times

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

logger = logging.getLogger(__name__)


class NotSent(Exception):
    """Some logs did not reach the queue, after bounded tries.

    `logs` holds them, with their `id` and `created_at`, so that sending them again stores none twice.
    `sent` is how many went. `rest` gives what `enqueue_many` had not come to when SQS stopped to answer:
    `client.enqueue_many(itertools.chain(error.logs, error.rest))` goes on from there.
    """

    def __init__(
        self,
        reason: str,
        logs: list[dict[str, Any]],
        sent: int = 0,
        rest: Iterable[dict[str, Any]] = (),
    ) -> None:
        self.logs = logs
        self.sent = sent
        self.rest = iter(rest)
        super().__init__(f"logs not sent: {len(logs)}, sent: {sent}; {reason}")


class TooLarge(ValueError):
    """A log is larger than SQS takes: 1 MiB (1,048,576 bytes) as JSON."""


class LogClient:
    """Send logs to the queue.

    `queue_url` defaults to LOGS_QUEUE_URL. `sync=True` sends within the call. `strict` (by default what
    LOGSITE_STRICT says, else off) makes wrong fields a ValueError, for development and tests; otherwise they
    are sent with a warning, and end in the dead-letter queue with the reason.
    """

    def __init__(
        self, queue_url: str | None = None, *, sync: bool = False, strict: bool | None = None
    ) -> None:
        url = queue_url or os.environ.get("LOGS_QUEUE_URL")
        if not url:
            raise ValueError("LogClient needs a queue: pass queue_url, or set LOGS_QUEUE_URL")
        if not sync:
            raise NotImplementedError("LogClient only sends within the call so far: write sync=True")
        self.queue_url = url
        self.strict = _strict_by_default() if strict is None else strict
        self._closed = False

    @cached_property
    def _sqs(self) -> "SQSClient":
        """Make the client at its first use, so that a LogClient may stand at the top of a module."""
        return sqs.client(queue_url=self.queue_url)

    def enqueue(self, /, **fields: Any) -> str:
        """Send one log; return its id, 32 hex digits (a wrong `id` comes back as it was given).

        It gets its `id` and `created_at` now, where it has none. Values that JSON does not know (times,
        Decimal, UUID, bytes, sets, …) become text. Raises NotSent where SQS does not take it; in strict
        mode, before anything is sent, ValueError with the names of wrong fields, or TooLarge.
        """
        self._check_open()
        log = self._prepare(fields)
        self._send([log])
        return log.id

    def enqueue_many(self, logs: Iterable[Mapping[str, Any]]) -> int:
        """Send many logs, each a dictionary of fields as for `enqueue`; return how many were sent.

        The iterable is read while it is sent, in batches of ten and 1 MiB at most; in strict mode it is
        read and checked whole first. Raises as `enqueue`. A log that SQS refuses for itself does not stop
        the others; where SQS takes nothing any more, the rest is left unread in `NotSent.rest`.
        """
        self._check_open()
        prepared = map(self._prepare, logs)
        return self._send(list(prepared) if self.strict else prepared)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to send, `timeout` seconds at most; return whether that is so.

        A client with `sync=True` has never anything left.
        """
        return True

    def close(self) -> None:
        """Send what is left and let the connections go; sending after that is a RuntimeError."""
        self.flush()
        self._closed = True
        if "_sqs" in self.__dict__:
            self._sqs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("this LogClient is closed")

    def _prepare(self, given: Mapping[str, Any]) -> sending.Log:
        """Make a log of what the application gave: its identity, values for JSON, a check of its fields."""
        fields: dict[str, Any] = plain(given)
        if fields.get("id") is None:
            fields["id"] = uuid.uuid4().hex
        if fields.get("created_at") is None:
            fields["created_at"] = times.to_text(datetime.now(UTC))
        log_id = messages.id_from(fields["id"]) or str(fields["id"])
        try:
            messages.validate(fields)
        except messages.InvalidMessage as error:
            if self.strict:
                raise
            logger.warning(
                "log %s will be a dead letter: %s", messages.id_from(fields["id"]) or "with a wrong id", error
            )
        # ASCII escapes, since SQS refuses the characters that XML forbids.
        log = sending.Log(log_id, fields, json.dumps(fields, allow_nan=False, separators=(",", ":")))
        if self.strict and log.excess:
            raise TooLarge(log.excess)
        return log

    def _send(self, logs: Iterable[sending.Log]) -> int:
        """Send logs in batches; return how many went, where all did, and raise NotSent otherwise."""
        sent = 0
        unsent: list[dict[str, Any]] = []
        reason = ""
        pending = sending.batches(logs)
        try:
            for batch in pending:
                failure = sending.send(self._sqs, self.queue_url, batch)
                sent += len(batch) - len(failure.logs)
                unsent += [log.fields for log in failure.logs]
                if failure.logs:
                    reason = failure.reason
                if failure.is_down:
                    raise NotSent(reason, unsent, sent, (log.fields for rest in pending for log in rest))
        except NotSent:
            raise
        except Exception as error:
            # The caller's own iterable. What it gave before has been sent, or is told here.
            if unsent:
                raise NotSent(reason, unsent, sent) from error
            raise
        if unsent:
            raise NotSent(reason, unsent, sent)
        return sent


def _strict_by_default() -> bool:
    value = os.environ.get("LOGSITE_STRICT", "").lower()
    if value in ("1", "true", "on", "yes"):
        return True
    if value in ("", "0", "false", "off", "no"):
        return False
    raise ValueError("LOGSITE_STRICT must be on or off")
