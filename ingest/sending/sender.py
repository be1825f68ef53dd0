"""A bounded buffer and the thread that sends what is in it, so that logging never waits for the network."""

import atexit
import logging
import os
import random
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ingest.sending import batches as sending
from ingest.sending.batches import Log
from ingest.sending.spool import Spool, SpoolFull
from ingest.wire import sqs

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

logger = logging.getLogger("ingest.client")

OnFull = Literal["drop", "block", "spool"]

THREAD_NAME = "logsite-client"
# How long a log waits for others to fill its batch, and how often the spool is looked at.
LINGER_SECONDS = 1.0
# How long the end of the process waits for what is left to be sent.
EXIT_SECONDS = 5.0
# How often a flush looks whether the spool's files are gone, which another process may be sending.
FLUSH_SECONDS = 0.05
FIRST_PAUSE, MAX_PAUSE = 0.5, 30.0
# How often the same trouble is told.
TELL_SECONDS = 30.0


@dataclass
class Counts:
    """What became of the logs of this process."""

    sent: int = 0
    dropped: int = 0
    refused: int = 0


@dataclass(frozen=True)
class Trouble:
    """What is to be told of a log, once no lock is held: a handler of the application may log here itself."""

    kind: str
    text: str


class Background:
    """Sends logs from a thread of its own, which is started when the first one comes.

    `make_client` makes the SQS client in that thread. A child process starts with an empty buffer and a
    thread of its own: what was in the buffer is the parent's to send.
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
        self._begin()
        _ALL.add(self)
        if spool and spool.has_files():
            self._start()

    def _begin(self) -> None:
        self.counts = Counts()
        self._changed = threading.Condition()
        self._buffer: deque[Log] = deque()
        self._bytes = 0
        self._in_hand: list[Log] = []
        self._flushing = 0  # how many wait for that
        self._closing = False
        self._thread: threading.Thread | None = None
        self._told: dict[str, float] = {}

    def after_fork(self) -> None:
        """Begin anew in a child: the thread and whoever held the lock are in the parent."""
        if self._spool:
            self._spool.forget()
        self._begin()

    def put(self, log: Log) -> None:
        """Take a log, or do what was chosen for a full buffer. Never raises for SQS's or the disk's sake."""
        with self._changed:
            trouble = self._start() or self._take(log)
        if trouble:
            self._tell(trouble)

    def _take(self, log: Log) -> Trouble | None:
        """Spool, buffer or drop a log; return what is to be told of it."""
        trouble: Trouble | None = None
        if self._durable or self._closing:
            trouble = self._to_spool(log)
            if self._spool and not trouble:
                return None
        if not self._closing and not self._has_room(log) and self._on_full != "drop":
            if self._on_full == "spool":
                trouble = self._to_spool(log)
                if not trouble:
                    return None
            else:
                self._changed.wait_for(lambda: self._has_room(log) or self._closing, self._block_seconds)
        if self._closing or not self._has_room(log):
            self.counts.dropped += 1
            lost = f"{self.counts.dropped} logs are lost so far: the buffer is full, SQS is away or slow"
            return trouble or Trouble("full", lost)
        self._buffer.append(log)
        self._bytes += len(log.body)
        if len(self._buffer) == 1 or self._has_batch():
            self._changed.notify_all()
        return trouble

    def flush(self, timeout: float | None) -> bool:
        """Wait until everything was sent, what was spooled too; return whether that is so."""
        with self._changed:
            if self._is_idle():
                return True
            if self._start():
                return False
            self._flushing += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(self._is_idle, timeout)
            finally:
                self._flushing -= 1

    def close(self, timeout: float) -> None:
        """Send what is left, `timeout` seconds at most; spool the rest, or say that it is lost."""
        self.flush(timeout)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            left = [*self._in_hand, *self._buffer]
            self._buffer.clear()
            lost = len(left) if self._spool is None else sum(bool(self._to_spool(log)) for log in left)
            self.counts.dropped += lost
            if self._spool:
                self._spool.rotate()
        if lost:
            logger.error("%d logs were not sent before the end, and are lost", lost)
        _ALL.discard(self)

    def _start(self) -> Trouble | None:
        if self._closing or (self._thread and self._thread.is_alive()):
            return None
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # the interpreter is going down, or there are too many threads
            self._thread = None
            return Trouble("thread", f"the thread that sends logs cannot be started: {error}")
        return None

    def _has_room(self, log: Log) -> bool:
        return len(self._buffer) < self._max_logs and self._bytes + len(log.body) <= self._max_bytes

    def _is_idle(self) -> bool:
        return not (self._buffer or self._in_hand or (self._spool and self._spool.has_own()))

    def _has_batch(self) -> bool:
        return len(self._buffer) >= sqs.MAX_BATCH or self._bytes >= sqs.MAX_BYTES

    def _to_spool(self, log: Log) -> Trouble | None:
        """Spool a log, where there is a spool; return what hinders it."""
        if self._spool is None:
            return None
        try:
            self._spool.append(log.body)
        except SpoolFull as error:
            return Trouble("spool", f"a log could not be spooled: {error}")
        return None

    def _run(self) -> None:
        client = None
        while (batch := self._next()) is not None:
            try:
                client = client or self._make_client()
                if not self._send(client, batch):
                    return
                if self._spool and not self._send_spooled(client, self._spool):
                    return
            except Exception:  # the thread must outlive whatever happens, and say so
                logger.exception("logs could not be sent, they are tried again")
                self._put_back()
                if not self._rest(MAX_PAUSE):
                    return

    def _next(self) -> list[Log] | None:
        """Return the next batch, full or LINGER_SECONDS old; an empty one where only the spool is to be sent.

        Return None at the end.
        """
        with self._changed:
            # Without a spool there is nothing to look for.
            self._changed.wait_for(
                lambda: self._closing or self._buffer or self._flushing,
                LINGER_SECONDS if self._spool else None,
            )
            if self._buffer:
                self._changed.wait_for(
                    lambda: self._closing or self._flushing or self._has_batch(), LINGER_SECONDS
                )
            elif self._flushing:
                self._changed.wait_for(lambda: self._closing, FLUSH_SECONDS)
            if self._closing:
                return None
            batch = next(sending.batches(self._buffer), [])
            for _ in batch:
                self._bytes -= len(self._buffer.popleft().body)
            self._in_hand = batch
            self._changed.notify_all()  # there is room
            return batch

    def _put_back(self) -> None:
        with self._changed:
            self._buffer.extendleft(reversed(self._in_hand))
            self._bytes += sum(len(log.body) for log in self._in_hand)
            self._in_hand = []

    def _send(self, client: "SQSClient", batch: list[Log]) -> bool:
        """Send a batch, as long as that takes; return whether it went before the end was called.

        What SQS refuses for itself is told, and let go: it would be refused for ever.
        """
        pause = FIRST_PAUSE
        while batch:
            unsent = sending.send(client, self._queue_url, batch)
            self.counts.sent += len(batch) - len(unsent.logs)
            if unsent.refused:
                self.counts.refused += len(unsent.refused)
                self._tell(
                    Trouble("refused", f"SQS refuses {len(unsent.refused)} logs for good: {unsent.reason}")
                )
            batch = unsent.waiting
            with self._changed:
                if self._in_hand:  # else the batch comes from the spool, and stays there until it went
                    self._in_hand = batch
                self._changed.notify_all()
            if batch:
                self._tell(Trouble("away", f"SQS takes no logs at the moment, they wait: {unsent.reason}"))
                if not self._rest(pause):
                    return False
                pause = min(MAX_PAUSE, pause * 2)
        return True

    def _send_spooled(self, client: "SQSClient", spool: Spool) -> bool:
        """Send the spool's files while the buffer is empty; return False where the end was called."""
        while True:
            with self._changed:
                spool.rotate()
            with spool.oldest() as found:
                if found is None:
                    break
                bodies, path = found
                for batch in sending.batches(Log("", body) for body in bodies):
                    if not self._send(client, batch):
                        return False
                path.unlink(missing_ok=True)
            if self._buffer or self._closing:
                break
        with self._changed:
            self._changed.notify_all()
        return True

    def _rest(self, pause: float) -> bool:
        """Wait, not all processes equally long; return False, at once, when the end is called."""
        seconds = pause * random.uniform(0.5, 1)  # noqa: S311  no secret
        with self._changed:
            return not self._changed.wait_for(lambda: self._closing, seconds)

    def _tell(self, trouble: Trouble) -> None:
        now = time.monotonic()
        if now - self._told.get(trouble.kind, -TELL_SECONDS) >= TELL_SECONDS:
            self._told[trouble.kind] = now
            logger.warning("%s", trouble.text)


_ALL: "weakref.WeakSet[Background]" = weakref.WeakSet()


def _close_all() -> None:
    for background in list(_ALL):
        background.close(EXIT_SECONDS)


def _after_fork() -> None:
    for background in list(_ALL):
        background.after_fork()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
