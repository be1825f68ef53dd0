"""Send logs from a main application: `LogClient().enqueue(account_id=7, …)`."""

import os
from collections.abc import Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, get_args

from ingest import context
from ingest.sending.batches import send_batch, split_batches
from ingest.sending.lifecycle import EXIT_SECONDS
from ingest.sending.outgoing import OutgoingLog, TooLarge, prepare
from ingest.sending.sender import Counts, OnFull, SenderThread
from ingest.sending.spool import Spool
from ingest.wire import sqs

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

__all__ = ["LogClient", "NotSent", "TooLarge"]


class NotSent(Exception):
    """SQS did not accept some logs, after all retries.

    - `logs`: their fields with `id` and `created_at`, so sending them again is idempotent.
    - `sent`: the number of accepted logs.
    - `rest`: if SQS became unreachable, an iterator of the logs that `enqueue_many` had not read.

    `client.enqueue_many(itertools.chain(error.logs, error.rest))` continues.
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


class LogClient:
    """Sends logs to the queue, from a background thread by default.

    - `queue_url`: the queue of logs; default: LOGS_QUEUE_URL.
    - `sync`: send within the call, without a thread, and raise NotSent if SQS does not accept a log.
    - `strict`: raise ValueError for invalid fields, for development and tests. Otherwise such a log is sent
      with a warning, and becomes a dead letter. Default: LOGSITE_STRICT, or off.
    - `max_logs`, `max_bytes`: the limits of the buffer, 10,000 logs and 64 MB by default.
    - `on_full`: the action if the buffer is full because SQS is unreachable or slow. "drop" counts the log
      and warns. "block" waits up to `block_seconds`, then drops. "spool" writes the log to `spool_dir`.
      Default: "spool" with a `spool_dir`, otherwise "drop".
    - `spool_dir`: a folder of files that are sent later, also after a restart, and by other processes that
      share the folder. `max_spool_bytes` limits it, to 1 GB by default.
    - `durable`: write each log to the spool before the call returns, so that it survives `kill -9`.

    Safe to use from several threads and after a fork. Raise ValueError if the queue is missing or options
    contradict each other. A `spool_dir` that cannot be used is a warning only: the logs wait in memory.
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
            raise ValueError("sync=True sends within the call: it supports neither spool_dir nor durable")
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
        self.strict = _default_strict() if strict is None else strict
        self._closed = False
        self._client: tuple[int, SQSClient] | None = None  # with the id of its process
        self._thread = None
        if not sync:
            self._thread = SenderThread(
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
        """Return this process's SQS client, created at first use.

        A fork must not share connections. Raise botocore's NoRegionError if no region is set.
        """
        process = os.getpid()
        if self._client is None or self._client[0] != process:
            self._client = process, sqs.client(queue_url=self.queue_url)
        return self._client[1]

    @property
    def counts(self) -> Counts:
        """Return the numbers of logs that the background thread of this process handled."""
        return self._thread.counts if self._thread else Counts()

    def enqueue(self, /, **fields: Any) -> str:
        """Send one log. Return its id, 32 hex digits, or an invalid `id` unchanged.

        A missing `id` or `created_at` is assigned now, and the fields are copied. Types that JSON lacks
        (times, Decimal, UUID, bytes, …) become text. A log over 1 MiB is compressed, or truncated with a
        warning if that is not enough. Inside a request with a LogContextMiddleware, the log also has the
        fields of the request that it does not set itself.

        Raise RuntimeError if the client is closed. In strict mode, raise ValueError with the names of invalid
        fields, or TooLarge. With `sync=True`, raise NotSent if SQS does not accept the log.
        """
        self._check_open()
        log = prepare(context.merge(fields, context.current()), strict=self.strict)
        if self._thread:
            self._thread.submit(log)
        else:
            self._send([log])
        return log.id

    def enqueue_many(self, logs: Iterable[Mapping[str, Any]]) -> int:
        """Send many logs, each a dictionary of fields as for `enqueue`. Return their number.

        With `sync=True`, the iterable is read while batches are sent. In strict mode it is read and validated
        completely first. If SQS refuses one log, the others are sent. If SQS becomes unreachable, the unread
        logs stay in `NotSent.rest`. Raise the same exceptions as `enqueue`.
        """
        self._check_open()
        # The iterable may be read later, in another request: `NotSent.rest`.
        merged = map(partial(context.merge, log_context=context.current()), logs)
        prepared = map(partial(prepare, strict=self.strict), merged)
        outgoing: Iterable[OutgoingLog] = list(prepared) if self.strict else prepared
        if not self._thread:
            return self._send(outgoing)
        count = 0
        for log in outgoing:
            self._thread.submit(log)
            count += 1
        return count

    def flush(self, timeout: float | None = None) -> bool:
        """Wait up to `timeout` seconds until all logs are sent. Return whether they are.

        Call it before `os._exit`, for example in Celery's `worker_process_shutdown`. With `sync=True` it
        returns True at once.
        """
        return self._thread.flush(timeout) if self._thread else True

    def close(self, timeout: float = EXIT_SECONDS) -> None:
        """Send the remaining logs within `timeout` seconds. Later calls of `enqueue` raise RuntimeError.

        Called automatically at exit. Unsent logs are spooled, or lost with an error in the log.
        """
        if self._thread and not self._closed:
            self._thread.close(timeout)
        self._closed = True
        if self._client and self._client[0] == os.getpid():
            self._client[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("this LogClient is closed")

    def _send(self, logs: Iterable[OutgoingLog]) -> int:
        """Send logs in batches, within the call. Return their number.

        Raise NotSent unless SQS accepts all, and the error of the iterable if it raises one.
        """
        sent = 0
        unsent: list[dict[str, Any]] = []
        reason = ""
        batches = split_batches(logs)
        try:
            for batch in batches:
                result = send_batch(self._sqs, self.queue_url, batch)
                sent += len(batch) - len(result.unsent)
                unsent += [log.fields for log in result.unsent]
                if result.unsent:
                    reason = result.reason
                if result.unreachable:
                    raise NotSent(reason, unsent, sent, (log.fields for rest in batches for log in rest))
        except NotSent:
            raise
        except Exception as error:
            # The caller's iterable failed. The logs that were not sent before it must still be reported.
            if unsent:
                raise NotSent(reason, unsent, sent) from error
            raise
        if unsent:
            raise NotSent(reason, unsent, sent)
        return sent


def _default_strict() -> bool:
    """Return LOGSITE_STRICT, or False if it is not set. Raise ValueError for any other value."""
    value = os.environ.get("LOGSITE_STRICT", "").lower()
    if value in ("1", "true", "on", "yes"):
        return True
    if value in ("", "0", "false", "off", "no"):
        return False
    raise ValueError(f"LOGSITE_STRICT must be on or off, not {value!r}")
