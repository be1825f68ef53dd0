"""What a main application imports to send logs: `LogClient().enqueue(account_id=7, …)`."""

import json
import logging
import os
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, get_args

from ingest import messages, times
from ingest.sending import batches as sending
from ingest.sending import size
from ingest.sending.sender import EXIT_SECONDS, Background, Counts, OnFull
from ingest.sending.serialize import to_jsonable
from ingest.sending.spool import Spool
from ingest.wire import sqs

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
    """In strict mode: a log is larger than SQS takes, 1 MiB (1,048,576 bytes), even compressed."""


class LogClient:
    """Send logs to the queue, from a thread in the background or, with `sync=True`, within the call.

    `queue_url` defaults to LOGS_QUEUE_URL. `strict` (by default what LOGSITE_STRICT says, else off) makes
    wrong fields a ValueError, for development and tests; otherwise they are sent with a warning, and end in
    the dead-letter queue with the reason.

    The buffer holds `max_logs` and `max_bytes` at most. When it is full, because SQS is away, `on_full`
    decides: "drop" (counted, and said in the log), "block" for `block_seconds` and then drop, or "spool" to
    files in `spool_dir`, which are sent later, also after a restart and by other processes with the same
    folder; it is the default where there is a `spool_dir`. With `durable=True` every log is in a file before
    the call returns, and survives kill -9. The spool has `max_spool_bytes` at most.

    Safe for threads and forks. Raises ValueError where the options make no sense.
    """

    def __init__(
        self,
        queue_url: str | None = None,
        *,
        sync: bool = False,
        strict: bool | None = None,
        on_full: OnFull | None = None,
        block_seconds: float = 5.0,
        spool_dir: str | os.PathLike[str] | None = None,
        durable: bool = False,
        max_logs: int = 10_000,
        max_bytes: int = 64_000_000,
        max_spool_bytes: int = 1_000_000_000,
    ) -> None:
        url = queue_url or os.environ.get("LOGS_QUEUE_URL")
        if not url:
            raise ValueError("LogClient needs a queue: pass queue_url, or set LOGS_QUEUE_URL")
        on_full = on_full or ("spool" if spool_dir else "drop")
        if on_full not in get_args(OnFull):
            raise ValueError(f"on_full must be one of {', '.join(get_args(OnFull))}, not {on_full!r}")
        if sync and (spool_dir or durable):
            raise ValueError("sync=True sends within the call: it takes neither spool_dir nor durable")
        if not spool_dir and (durable or on_full == "spool"):
            raise ValueError("durable and on_full='spool' need a spool_dir")
        for name, value in {
            "max_logs": max_logs,
            "max_bytes": max_bytes,
            "max_spool_bytes": max_spool_bytes,
            "block_seconds": block_seconds,
        }.items():
            if value <= 0:
                raise ValueError(f"{name} must be more than 0, not {value!r}")
        self.queue_url = url
        self.strict = _strict_by_default() if strict is None else strict
        self._closed = False
        self._made: tuple[int, SQSClient] | None = None
        self._background = None
        if not sync:
            self._background = Background(
                url,
                partial(sqs.client, queue_url=url),
                max_logs=max_logs,
                max_bytes=max_bytes,
                on_full=on_full,
                block_seconds=block_seconds,
                spool=Spool(spool_dir, max_spool_bytes) if spool_dir else None,
                durable=durable,
            )

    @property
    def _sqs(self) -> "SQSClient":
        """Make the client at its first use in each process: a fork shares no connections."""
        process = os.getpid()
        if self._made is None or self._made[0] != process:
            self._made = process, sqs.client(queue_url=self.queue_url)
        return self._made[1]

    @property
    def counts(self) -> Counts:
        """Return how many logs this process has sent, dropped, and had refused in the background."""
        return self._background.counts if self._background else Counts()

    def enqueue(self, /, **fields: Any) -> str:
        """Take one log; return its id, 32 hex digits (a wrong `id` comes back as it was given).

        It gets its `id` and `created_at` now, where it has none, and is what was passed now, whatever
        becomes of it. Values that JSON does not know (times, Decimal, UUID, bytes, sets, …) become text. Over
        1 MiB it is compressed or, where that is not enough, cut, with a warning. In strict mode raises
        ValueError with the names of wrong fields, or TooLarge. With `sync=True` raises NotSent where SQS does
        not take it.
        """
        self._check_open()
        log = self._prepare(fields)
        if self._background:
            self._background.put(log)
        else:
            self._send([log])
        return log.id

    def enqueue_many(self, logs: Iterable[Mapping[str, Any]]) -> int:
        """Take many logs, each a dictionary of fields as for `enqueue`; return how many.

        With `sync=True` they are sent: the iterable is read meanwhile, in batches of ten and 1 MiB at most,
        and in strict mode it is read and checked whole first. Raises as `enqueue`. A log that SQS refuses for
        itself does not stop the others; where SQS takes nothing any more, the rest is left unread in
        `NotSent.rest`.
        """
        self._check_open()
        prepared = map(self._prepare, logs)
        ready: Iterable[sending.Log] = list(prepared) if self.strict else prepared
        if not self._background:
            return self._send(ready)
        count = 0
        for log in ready:
            self._background.put(log)
            count += 1
        return count

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to send, `timeout` seconds at most; return whether that is so.

        Call it before `os._exit`, as in Celery's `worker_process_shutdown`. A client with `sync=True` has
        never anything left.
        """
        return self._background.flush(timeout) if self._background else True

    def close(self, timeout: float = EXIT_SECONDS) -> None:
        """Send what is left, `timeout` seconds at most; sending after that is a RuntimeError.

        It is also called at exit. What could not be sent is spooled, or lost with an error in the log.
        """
        if self._background and not self._closed:
            self._background.close(timeout)
        self._closed = True
        if self._made and self._made[0] == os.getpid():
            self._made[1].close()

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
        fields = dict(given)
        if fields.get("id") is None:
            fields["id"] = uuid.uuid4().hex
        if fields.get("created_at") is None:
            fields["created_at"] = times.to_text(datetime.now(UTC))
        text = size.dumps(fields)
        refusal = _refusal(text)
        if refusal and refusal.code == "not_json":
            # Lone surrogates, or nested too deep.
            text = size.encode(to_jsonable(fields))
            refusal = _refusal(text)
        named = str(to_jsonable(fields["id"]))
        log_id = messages.id_from(named)
        if refusal:
            if self.strict:
                raise refusal
            logger.warning("log %s will be a dead letter: %s", log_id or "with a wrong id", refusal)
        return sending.Log(log_id or named, self._fitted(text, log_id or named))

    def _fitted(self, text: str, log_id: str) -> str:
        if not (excess := size.oversize(text)):
            return text
        if packed := size.compress(text):
            return packed
        if self.strict:
            raise TooLarge(f"log {log_id} has {excess}")
        logger.warning("log %s has %s: it is cut", log_id[:32], excess)
        return size.truncate(json.loads(text))

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


def _refusal(text: str) -> messages.InvalidMessage | None:
    """Return what the writer would say of a body, or None."""
    try:
        messages.validate_json(text)
    except messages.InvalidMessage as refusal:
        return refusal
    return None


def _strict_by_default() -> bool:
    value = os.environ.get("LOGSITE_STRICT", "").lower()
    if value in ("1", "true", "on", "yes"):
        return True
    if value in ("", "0", "false", "off", "no"):
        return False
    raise ValueError("LOGSITE_STRICT must be on or off")
