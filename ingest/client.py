"""Send logs from a main application: `LogClient().enqueue(account_id=7, …)`."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, get_args

from ingest import context
from ingest.masking import masker
from ingest.sending.batches import send_batch, split_batches
from ingest.sending.before_send import BeforeSend, BeforeSendHook
from ingest.sending.counts import Counts
from ingest.sending.lifecycle import EXIT_SECONDS
from ingest.sending.local_time import system_zone
from ingest.sending.outgoing import OutgoingLog, TooLarge, prepare
from ingest.sending.process_local import ProcessLocal
from ingest.sending.sender import OnFull, SenderThread
from ingest.sending.sigterm import flush_on_sigterm
from ingest.sending.spool import Spool
from ingest.wire import sqs

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

__all__ = ["LogClient", "NotSent", "TooLarge", "flush_on_sigterm"]


class NotSent(Exception):
    """SQS did not accept some logs, after all retries.

    - `logs`: their fields with `id` and `created_at`, so sending them again is idempotent.
    - `sent`: the number of accepted logs.
    - `rest`: if SQS became unreachable, or the queue does not exist, an iterator of the logs that
      `enqueue_many` had not read.

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
    - `mask`: the names and patterns of values to mask, a text or a list. Default: LOGS_MASK.
    - `before_send`: a function that gets a dict of a log's fields and returns it, another one, or None to
      drop the log. If it raises an exception, the log is dropped. In strict mode the exception is raised.

    Safe to use from several threads and after a fork. Raise ValueError if the queue is not set or is no URL
    of a standard queue, if no region is set, if `mask` is invalid, or if options contradict each other. A
    `spool_dir` that cannot be used is a warning only: the logs wait in memory.
    """

    # The zone of a naive `created_at`.
    attach_zone: Callable[[datetime], datetime] = staticmethod(system_zone)

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
        mask: str | Iterable[str] | None = None,
        before_send: BeforeSend | None = None,
    ) -> None:
        url = queue_url or os.environ.get("LOGS_QUEUE_URL")
        if not url:
            raise ValueError("LogClient needs a queue: pass queue_url, or set LOGS_QUEUE_URL")
        sqs.check_queue_url(url, "queue_url" if queue_url else "LOGS_QUEUE_URL")
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
        self._mask = (masker.from_environment() if mask is None else masker.Masker(mask, "mask")).body
        self._hook = BeforeSendHook(before_send, strict=self.strict) if before_send is not None else None
        self._closed = False
        # A fork must share neither connections nor locks.
        self._clients = ProcessLocal(self._make_client)
        self._senders: ProcessLocal[SenderThread] | None = None
        if not sync:
            self._senders = ProcessLocal(
                lambda: SenderThread(
                    url,
                    self._make_client,
                    max_logs=max_logs,
                    max_bytes=max_bytes,
                    on_full=on_full,
                    block_seconds=block_seconds,
                    spool=Spool(spool_dir, max_spool_bytes) if spool_dir else None,
                    durable=durable,
                )
            )
            if spool_dir:
                self._senders.get().open_spool()

    def _make_client(self) -> "SQSClient":
        """Return a new SQS client. Raise botocore's NoRegionError if no region is set."""
        try:
            return sqs.client(queue_url=self.queue_url)
        except RecursionError:
            # gevent patched `ssl` after urllib3 was imported: https://github.com/gevent/gevent/issues/1016
            raise RuntimeError(
                "no TLS context can be created: call gevent.monkey.patch_all() before other imports"
            ) from None

    @property
    def counts(self) -> Counts:
        """Return the numbers of logs that this process handled, with `sync=True` only `filtered`."""
        counts = self._senders.get().counts if self._senders else Counts()
        return replace(counts, filtered=self._hook.filtered) if self._hook else counts

    def enqueue(self, /, **fields: Any) -> str:
        """Send one log. Return its id, 32 hex digits, or an invalid `id` unchanged.

        Return an empty text if `before_send` drops the log.

        A missing `id` or `created_at` is assigned now, and the fields are copied. A naive datetime as
        `created_at` is local time. Structured objects (forms, models, exceptions, …) become JSON objects,
        and other types that JSON lacks become text. A log over 1 MiB is compressed, or truncated with a
        warning if that is not enough. Inside a request with a LogContextMiddleware,
        the log also has the fields of the request that it does not set itself.

        Raise RuntimeError if the client is closed. In strict mode, raise ValueError with the names of invalid
        fields, or TooLarge. With `sync=True`, raise NotSent if SQS does not accept the log.
        """
        self._check_open()
        log = self._prepare(fields, context.current())
        if log is None:
            return ""
        if self._senders:
            self._senders.get().submit(log)
        else:
            self._send([log])
        return log.id

    def enqueue_many(self, logs: Iterable[Mapping[str, Any]]) -> int:
        """Send many logs, each a dictionary of fields as for `enqueue`. Return their number.

        Logs that `before_send` drops do not count.

        With `sync=True`, the iterable is read while batches are sent. In strict mode it is read and validated
        completely first. If SQS refuses one log, the others are sent. If SQS becomes unreachable, the unread
        logs stay in `NotSent.rest`. Raise the same exceptions as `enqueue`.
        """
        self._check_open()
        # The iterable may be read later, in another request: `NotSent.rest`.
        log_context = context.current()
        prepared = (log for fields in logs if (log := self._prepare(fields, log_context)))
        outgoing: Iterable[OutgoingLog] = list(prepared) if self.strict else prepared
        if not self._senders:
            return self._send(outgoing)
        count = 0
        for log in outgoing:
            self._senders.get().submit(log)  # the iterable may fork
            count += 1
        return count

    def flush(self, timeout: float | None = None) -> bool:
        """Wait up to `timeout` seconds until all logs are sent. Return whether they are.

        Includes the files that ended processes left in the spool. Call it before `os._exit`, for example in
        Celery's `worker_process_shutdown`. With `sync=True` it returns True at once.
        """
        return self._senders.get().flush(timeout) if self._senders else True

    def close(self, timeout: float = EXIT_SECONDS) -> None:
        """Send the remaining logs within `timeout` seconds. Later calls of `enqueue` raise RuntimeError.

        Called automatically at exit, but not at SIGTERM: see `flush_on_sigterm`. Unsent logs are spooled, or
        lost with an error in the log.
        """
        if self._senders and not self._closed:
            for sender in self._senders.created():
                sender.close(timeout)
        self._closed = True
        for client in self._clients.created():
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _prepare(
        self, fields: Mapping[str, Any], log_context: context.LogContext | None = None
    ) -> OutgoingLog | None:
        """Return the outgoing log of these fields, or None if `before_send` drops it."""
        fields = context.merge(fields, log_context)
        if self._hook:
            hooked = self._hook.apply(fields)
            if hooked is None:
                return None
            fields = hooked
        return prepare(fields, strict=self.strict, mask=self._mask, attach_zone=self.attach_zone)

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
                result = send_batch(self._clients.get(), self.queue_url, batch)
                sent += len(batch) - len(result.unsent)
                unsent += [log.fields for log in result.unsent]
                if result.unsent:
                    reason = result.reason
                if result.is_blocked:
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
