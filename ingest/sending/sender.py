"""The background thread that sends logs, so that `enqueue` never waits for the network."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from ingest.sending import lifecycle
from ingest.sending.batches import send_batch
from ingest.sending.buffer import Buffer
from ingest.sending.feeder import SpoolFeeder
from ingest.sending.flush import FlushRequests
from ingest.sending.outgoing import OutgoingLog
from ingest.sending.rate_limit import RateLimitedLogger, SendWarning
from ingest.sending.spool import Spool, SpoolFull
from ingest.sending.spool_file import REJECTED_SUFFIX, SpoolFile
from ingest.wire.backoff import backoff

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

logger = logging.getLogger("ingest.client")

OnFull = Literal["drop", "block", "spool"]

THREAD_NAME = "logsite-client"
# A log waits this long for others to fill its batch. The spool is checked at the same interval.
LINGER_SECONDS = 1.0
# A flush checks this often whether the spool is empty, because another process may be sending its files.
FLUSH_POLL_SECONDS = 0.05
FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS = 0.5, 30.0


@dataclass
class Counts:
    """Numbers of logs that this process handled in the background."""

    sent: int = 0  # accepted by SQS
    dropped: int = 0  # lost: no space, not sent before the client closed, or in a removed spool folder
    # SQS refused them for good, or they were broken in the spool. Lost, unless a file of the spool has them.
    refused: int = 0
    filtered: int = 0  # dropped by `before_send`


class SenderThread:
    """Buffers logs and sends them from a thread, which starts with the first log.

    `make_client` creates the SQS client in that thread. A forked child starts with an empty buffer and a
    new thread, because the parent sends the logs that were buffered before the fork.
    """

    def __init__(
        self,
        queue_url: str,
        make_client: Callable[[], "SQSClient"],
        *,
        max_logs: int,
        max_bytes: int,
        on_full: OnFull,
        block_seconds: float,
        spool: Spool | None,
        durable: bool,
    ) -> None:
        self._queue_url = queue_url
        self._make_client = make_client
        self._max_logs, self._max_bytes = max_logs, max_bytes
        self._on_full = on_full
        self._block_seconds = block_seconds
        self._spool = spool
        self._durable = durable
        self._reset()
        lifecycle.register(self)
        if spool:
            with self._changed:
                warning = self._start() if spool.has_files() else None
            self._report(warning)

    def _reset(self) -> None:
        self.counts = Counts()
        # One condition guards the buffer, the spool and the flags below, and signals every change of them.
        self._changed = threading.Condition()
        self._buffer = Buffer(self._max_logs, self._max_bytes)
        self._flushes = FlushRequests(self._changed)
        self._feeder = SpoolFeeder(self._spool, self._changed) if self._spool else None
        self._warnings = RateLimitedLogger()
        self._closing = False
        self._thread: threading.Thread | None = None

    def after_fork(self) -> None:
        """Reset the state in a child process, where no other thread exists."""
        if self._spool:
            self._spool.forget()
        self._reset()

    def submit(self, log: OutgoingLog) -> None:
        """Buffer or spool a log, or drop it if both are full. Never raise an error of SQS or the disk."""
        with self._changed:
            # A log that no thread can send now is buffered or spooled, and sent when a thread can start.
            start_warning = self._start()
            warning = self._accept(log)
        self._report(start_warning, warning)

    def flush(self, timeout: float | None) -> bool:
        """Wait up to `timeout` seconds until all logs are sent. Return whether they are.

        Includes the logs that this process spooled. None waits without a limit.
        """
        with self._changed:
            if self._is_idle():
                return True
            warning = self._start()
            if not warning:
                return self._flushes.wait(self._is_idle, timeout)
        self._report(warning)
        return False

    def close(self, timeout: float) -> None:
        """Send the remaining logs within `timeout` seconds. Spool unsent ones, or log how many are lost."""
        self.flush(timeout)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            unsent = self._buffer.drain()
            lost = len(unsent)
            if self._spool:
                lost = sum(self._append_to_spool(log) is not None for log in unsent)
                self._spool.close()
            self.counts.dropped += lost
        lost += self._report()
        if lost:
            logger.error("%d logs were not sent before the client closed, and are lost", lost)
        lifecycle.unregister(self)

    def _start(self) -> SendWarning | None:
        """Start the thread unless it runs. Return a warning if it cannot start."""
        if self._closing or (self._thread and self._thread.is_alive()):
            return None
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # the interpreter shuts down, or there are too many threads
            self._thread = None
            return SendWarning("thread", f"the thread that sends logs cannot start: {error}")
        return None

    def _accept(self, log: OutgoingLog) -> SendWarning | None:
        """Spool, buffer or drop a log. Return a warning to log after the lock is released."""
        warning: SendWarning | None = None
        if self._durable or self._closing or not self._thread:
            warning = self._append_to_spool(log)
            if self._spool and not warning:
                return None
        if not self._closing and not self._buffer.has_space(log) and self._on_full != "drop":
            if self._on_full == "spool":
                warning = self._append_to_spool(log)
                if not warning:
                    return None
            elif self._thread:
                self._changed.wait_for(
                    lambda: self._buffer.has_space(log) or self._closing, self._block_seconds
                )
        if self._closing or not self._buffer.has_space(log):
            self.counts.dropped += 1
            text = f"the buffer is full, SQS is unreachable or slow; logs dropped: {self.counts.dropped}"
            return warning or SendWarning("full", text)
        self._buffer.append(log)
        if len(self._buffer) == 1 or self._buffer.has_batch():
            self._changed.notify_all()
        return warning

    def _append_to_spool(self, log: OutgoingLog) -> SendWarning | None:
        """Spool a log if there is a spool. Return a warning if the spool is full."""
        if self._spool is None:
            return None
        try:
            self._spool.append(log.body)
        except SpoolFull as error:
            return SendWarning("spool", f"a log could not be spooled: {error}")
        return None

    def _report(self, *warnings: SendWarning | None) -> int:
        """Log warnings and the events of the spool, without the lock. Return how many logs the spool lost."""
        lost = 0
        if self._spool:
            with self._changed:
                report = self._spool.take_report()
                if report:
                    lost = report.lost
                    self.counts.dropped += lost
                    self.counts.refused += report.broken
            if report:
                warnings = (*warnings, *report.warnings)
        for warning in warnings:
            if warning:
                self._warnings.log(warning)
        return lost

    def _is_idle(self) -> bool:
        return self._buffer.is_empty() and not (self._spool and self._spool.has_own_files())

    def _run(self) -> None:
        """Send batches and spooled logs until the client closes."""
        client: SQSClient | None = None
        while (batch := self._next_batch()) is not None:
            try:
                client = client or self._make_client()
                send = partial(self._send, client)
                if not send(batch) or (self._feeder and not self._feeder.feed(send, self._is_interrupted)):
                    return
                self._report()
            except Exception:  # the thread must survive any error, and log it
                logger.exception("logs could not be sent, retrying")
                with self._changed:
                    self._buffer.requeue()
                if not self._wait(next(backoff(MAX_DELAY_SECONDS, MAX_DELAY_SECONDS))):
                    return

    def _next_batch(self) -> list[OutgoingLog] | None:
        """Return the next batch, full or LINGER_SECONDS old.

        It is empty if only the spool is to be sent, and None when the client closes.
        """
        with self._changed:
            # Without a spool, nothing needs to be checked at an interval.
            self._changed.wait_for(
                lambda: self._closing or self._buffer or self._flushes,
                LINGER_SECONDS if self._spool else None,
            )
            if self._buffer:
                self._changed.wait_for(
                    lambda: self._closing or self._flushes or self._buffer.has_batch(), LINGER_SECONDS
                )
            elif self._flushes:
                self._changed.wait_for(lambda: self._closing, FLUSH_POLL_SECONDS)
            if self._closing:
                return None
            batch = self._buffer.next_batch()
            self._changed.notify_all()  # for callers that wait for space
            return batch

    def _send(self, client: "SQSClient", batch: list[OutgoingLog], file: SpoolFile | None = None) -> bool:
        """Send a batch from the buffer or the spool, with retries. Return False if the client closes first.

        Logs that SQS refuses are counted, because a retry cannot help. Those of a spool `file` are set aside,
        the others are lost. Raise OSError if they cannot be set aside.
        """
        delays = backoff(FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS)
        while batch:
            result = send_batch(client, self._queue_url, batch)
            self.counts.sent += len(batch) - len(result.unsent)
            if result.refused:
                fate = "which are lost"
                if file:
                    file.reject(log.body for log in result.refused)
                    fate = f"which were moved to {file.path}{REJECTED_SUFFIX}"
                self.counts.refused += len(result.refused)
                text = f"SQS refused {len(result.refused)} logs, {fate}: {result.reason}"
                self._warnings.log(SendWarning("refused", text))
            batch = result.retryable
            with self._changed:
                # A batch from the spool is not in flight: it stays in its file until it is sent.
                self._buffer.acknowledge(batch)
                self._changed.notify_all()
            if batch:
                text = f"SQS does not accept logs at the moment, retrying: {result.reason}"
                self._warnings.log(SendWarning("retry", text))
                if not self._wait(next(delays)):
                    return False
        return True

    def _is_interrupted(self) -> bool:
        """Return whether new logs are buffered, or the client closes."""
        return bool(self._buffer) or self._closing

    def _wait(self, seconds: float) -> bool:
        """Wait before a retry. Return False at once when the client closes."""
        with self._changed:
            return not self._changed.wait_for(lambda: self._closing, seconds)
