"""The spool feeder: sends the files in the spool while the buffer is empty."""

import threading
from collections.abc import Callable

from ingest.sending.batches import split_batches
from ingest.sending.outgoing import OutgoingLog
from ingest.sending.spool import Spool
from ingest.sending.spool_file import SpoolFile


class SpoolFeeder:
    """Sends spooled logs.

    `lock` is the lock of the sender thread. Other threads hold it while they append to the spool. `passes` is
    the number of times that no file was left to send.
    """

    def __init__(self, spool: Spool, lock: threading.Condition) -> None:
        self._spool = spool
        self._lock = lock
        self.passes = 0

    def feed(
        self, send: Callable[[list[OutgoingLog], SpoolFile], bool], is_interrupted: Callable[[], bool]
    ) -> bool:
        """Send the spool's files, the oldest first, until `is_interrupted`. Return False if `send` does.

        A file is deleted after its last log is sent. If `send` fails before, the whole file is sent again
        later, with the same ids, and the writer deduplicates. A file that cannot be read is skipped.
        """
        while True:
            with self._lock:
                self._spool.rotate()
                file = self._spool.lock_oldest()
                if file is None:
                    self.passes += 1
                    break
            try:
                for batch in split_batches(OutgoingLog("", body) for body in file.bodies()):
                    if not send(batch, file):
                        return False
                with self._lock:
                    self._spool.delete(file)
            except OSError as error:
                with self._lock:
                    self._spool.skip(file.name, error)
            finally:
                with self._lock:
                    self._spool.release(file)
            if is_interrupted():
                break
        with self._lock:
            self._lock.notify_all()  # for callers that wait in `flush`
        return True
