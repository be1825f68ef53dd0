"""The spool feeder: sends the files in the spool while the buffer is empty."""

import threading
from collections.abc import Callable

from ingest.sending.batches import split_batches
from ingest.sending.outgoing import OutgoingLog
from ingest.sending.spool import Spool


class SpoolFeeder:
    """Sends spooled logs.

    `lock` is the lock of the sender thread. Other threads hold it while they append to the spool.
    """

    def __init__(self, spool: Spool, lock: threading.Condition) -> None:
        self._spool = spool
        self._lock = lock

    def feed(self, send: Callable[[list[OutgoingLog]], bool], is_interrupted: Callable[[], bool]) -> bool:
        """Send the spool's files, the oldest first, until `is_interrupted`. Return False if `send` does.

        A file is deleted after its last log is sent. If `send` fails before, the whole file is sent again
        later, with the same ids, and the writer deduplicates. Raise OSError if a file cannot be read.
        """
        while True:
            with self._lock:
                self._spool.rotate()
            with self._spool.oldest() as file:
                if file is None:
                    break
                for batch in split_batches(OutgoingLog("", body) for body in file.bodies):
                    if not send(batch):
                        return False
                file.path.unlink(missing_ok=True)
            if is_interrupted():
                break
        with self._lock:
            self._lock.notify_all()  # for callers that wait in `flush`
        return True
