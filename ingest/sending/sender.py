"""The background thread that sends logs, so that `enqueue` never waits for the network."""

import logging
import math
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal

from ingest.sending import lifecycle
from ingest.sending.buffer import Buffer
from ingest.sending.counts import Counts
from ingest.sending.delivery import Delivery
from ingest.sending.feeder import SpoolFeeder
from ingest.sending.flush import FlushRequests
from ingest.sending.outgoing import OutgoingLog
from ingest.sending.rate_limit import RateLimitedLogger, SendWarning
from ingest.sending.spool import Spool, SpoolFull
from ingest.sending.spool_file import SpoolFile
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


class SenderThread:
    """Buffers logs and sends them from a thread, which starts with the first log.

    It belongs to the process that created it. In a forked child only `forget` may be called, because the
    parent sends the logs, and a thread of the parent may have held the lock.
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
        self.process = os.getpid()
        self.counts = Counts()
        self._on_full = on_full
        self._block_seconds = block_seconds
        self._spool = spool
        self._durable = durable
        # One condition guards the buffer, the spool and the flags below, and signals every change of them.
        self._changed = threading.Condition()
        self._buffer = Buffer(max_logs, max_bytes)
        self._flushes = FlushRequests(self._changed)
        self._feeder = SpoolFeeder(spool, self._changed) if spool else None
        self._warnings = RateLimitedLogger()
        self._delivery = Delivery(queue_url, make_client, self.counts, self._warnings, self._keep, self._wait)
        self._closing = False
        self._thread: threading.Thread | None = None
        # While a caller sends because no thread can start: the time at which it stops.
        self._deadline: float | None = None

    def forget(self) -> None:
        """Close the descriptors that a child process inherited."""
        if self._spool:
            self._spool.forget()

    def open_spool(self, *, expects_files: bool = False) -> None:
        """Start the thread if the spool has files, or `expects_files` of child processes."""
        if self._spool:
            lifecycle.register(self)
            with self._changed:
                warning = self._start() if expects_files or self._spool.has_files() else None
            self._report(warning)

    def submit(self, log: OutgoingLog) -> None:
        """Buffer or spool a log, or drop it if both are full. Never raise."""
        try:
            with self._changed:
                # A log that no thread can send now is buffered or spooled, and sent when a thread can start.
                start_warning = self._start()
                warning = self._accept(log)
        except Exception as error:  # noqa: BLE001  no fault of threads or memory may reach the application
            self.counts.dropped += 1
            text = f"a log could not be buffered: {error!r}; logs dropped: {self.counts.dropped}"
            self._warnings.log(SendWarning("fault", text))
            return
        self._report(start_warning, warning)

    def flush(self, timeout: float | None) -> bool:
        """Wait up to `timeout` seconds until all logs are sent. Return whether they are.

        Includes the logs that this process or ended processes spooled. None waits without a limit. If the
        thread cannot start, the logs are sent from this one.
        """
        with self._changed:
            passes = self._feeder.passes + 1 if self._feeder and not self._closing else 0
            if self._is_idle(passes):
                return True
            warning = self._start()
            if not warning:
                return self._flushes.wait(partial(self._is_idle, passes), timeout)
        if self._send_here(passes, timeout):
            return True
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
            cause = f": {self._delivery.problem}" if self._delivery.problem else ""
            logger.error("%d logs were not sent before the client closed, and are lost%s", lost, cause)
        lifecycle.unregister(self)

    def _start(self) -> SendWarning | None:
        """Start the thread unless it runs. Return a warning if it cannot start."""
        if self._closing:
            return None
        lifecycle.register(self)
        if self._deadline is not None or (self._thread and self._thread.is_alive()):
            return None
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
        try:
            self._thread.start()
        except Exception as error:  # noqa: BLE001  at shutdown, or with too many threads, in several types
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
            blocked = f"buffer is full, {self._delivery.problem or 'SQS is unreachable or slow'}"
            cause = "client is closed" if self._closing else blocked
            text = f"the {cause}; logs dropped: {self.counts.dropped}"
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

    def _is_idle(self, passes: int = 0) -> bool:
        """Return whether all logs are sent, and the spool was sent completely this many times."""
        return (
            self._buffer.is_empty()
            and not (self._spool and self._spool.has_own_files())
            and not (self._feeder and self._feeder.passes < passes)
        )

    def _send_here(self, passes: int, timeout: float | None) -> bool:
        """Send all logs from the calling thread, as `flush` does. A request to SQS may exceed the timeout."""
        is_idle = partial(self._is_idle, passes)
        with self._changed:
            if self._deadline is not None:  # another caller sends
                return self._flushes.wait(is_idle, timeout)
            self._deadline = math.inf if timeout is None else time.monotonic() + timeout
        try:
            while self._wait(0):
                with self._changed:
                    if is_idle():
                        return True
                    batch = self._buffer.next_batch()
                if not self._send_all(batch) or not (batch or self._wait(FLUSH_POLL_SECONDS)):
                    break
            return False
        finally:
            with self._changed:
                self._deadline = None
                self._buffer.requeue()
                self._changed.notify_all()

    def _stops(self) -> bool:
        """Return whether the client closes, or the time of the caller that sends is over."""
        return self._closing or (self._deadline is not None and time.monotonic() >= self._deadline)

    def _run(self) -> None:
        """Send batches and spooled logs until the client closes."""
        while (batch := self._next_batch()) is not None and self._send_all(batch):
            pass

    def _send_all(self, batch: list[OutgoingLog]) -> bool:
        """Send a batch, then the spool, with retries. Return False if it must stop before."""
        try:
            is_sent = self._send(batch)
            if self._feeder and is_sent:
                is_sent = self._feeder.feed(self._send, self._is_interrupted)
            if is_sent:  # if not, `close` reports the losses
                self._report()
        except Exception:  # the thread must survive any error, and log it
            logger.exception("logs could not be sent, retrying")
            with self._changed:
                self._buffer.requeue()
            return self._wait(next(backoff(MAX_DELAY_SECONDS, MAX_DELAY_SECONDS)))
        return is_sent

    def _next_batch(self) -> list[OutgoingLog] | None:
        """Return the next batch, full or LINGER_SECONDS old.

        It is empty if only the spool is to be sent, and None when the client closes.
        """
        with self._changed:
            # Without a spool, nothing needs to be checked at an interval.
            interval = LINGER_SECONDS if self._spool else None
            self._changed.wait_for(lambda: self._closing or self._buffer or self._flushes, interval)
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

    def _send(self, batch: list[OutgoingLog], file: SpoolFile | None = None) -> bool:
        """Send a batch of the buffer, or of a spool file. Return False if it must stop before."""
        return self._delivery.send(batch, backoff(FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS), file)

    def _keep(self, unsent: list[OutgoingLog]) -> None:
        with self._changed:  # a batch from the spool is not in flight: it stays in its file until it is sent
            self._buffer.acknowledge(unsent)
            self._changed.notify_all()

    def _is_interrupted(self) -> bool:
        """Return whether new logs are buffered, or the sending must stop."""
        return bool(self._buffer) or self._stops()

    def _wait(self, seconds: float) -> bool:
        """Wait before a retry. Return False as soon as the sending must stop."""
        with self._changed:
            if self._deadline is not None:
                seconds = min(seconds, self._deadline - time.monotonic())
            return not self._changed.wait_for(self._stops, seconds)
