"""The work on an export, from its last checkpoint on."""

from collections.abc import Callable
from enum import Enum

from logs.exports import jobs, spec
from logs.exports.chunks import Checkpoint, chunks
from logs.exports.files import Files
from logs.exports.spec import BadSpec
from logs.storage.export_items import ExportItem

# A chunk takes a few seconds, or about 15 if DynamoDB is slow. Joining 1 GB takes about 30.
STOP_SECONDS, JOIN_SECONDS = 30.0, 90.0
CHUNK_CHARACTERS, CHUNK_SECONDS = 4_000_000, 5.0


class Outcome(Enum):
    """How a worker ended."""

    # The export has ended, or another worker works on it.
    NOTHING_TO_DO = "nothing to do"
    DONE = "done"
    # The time is over: another worker must continue.
    UNFINISHED = "unfinished"


class _Stopped(Exception):
    """The export was cancelled, or another worker took over."""


def run(owner: str, export_id: str, files: Files, seconds_left: Callable[[], float] | None = None) -> Outcome:
    """Work on an export until its end, or until the time is over.

    It may be killed at any moment, and called at any time: it continues after the last part that a checkpoint
    names. Parts that no checkpoint names are written again. Costs as `chunks`, and one UpdateItem and one
    part per chunk. Raises StoreUnavailable and FilesUnavailable.
    """
    item = jobs.claim(owner, export_id)
    if item is None:
        return Outcome.NOTHING_TO_DO
    left = seconds_left or (lambda: float("inf"))
    try:
        return _run(item, files, left)
    except _Stopped:
        return Outcome.NOTHING_TO_DO
    except BadSpec as error:
        jobs.fail(item, str(error))
        return Outcome.NOTHING_TO_DO
    except BaseException:
        # The next attempt need not wait for the end of the lease.
        jobs.release(item)
        raise


def _run(item: ExportItem, files: Files, left: Callable[[], float]) -> Outcome:
    export, checkpoint = spec.loads(item.spec), Checkpoint.loads(item.checkpoint)
    for chunk in chunks(export, checkpoint, CHUNK_CHARACTERS, CHUNK_SECONDS):
        data = chunk.compressed()
        if data:
            files.put(jobs.next_part_key(item), data)
        checkpoint = chunk.checkpoint
        if not jobs.advance(item, checkpoint, len(data)):
            raise _Stopped
        if left() < STOP_SECONDS and not checkpoint.complete:
            jobs.release(item)
            return Outcome.UNFINISHED
    if left() < JOIN_SECONDS:
        jobs.release(item)
        return Outcome.UNFINISHED

    def progress() -> None:
        if not jobs.renew(item):
            raise _Stopped

    size = files.join(jobs.part_keys(item), jobs.file_key(item), progress)
    return Outcome.DONE if jobs.finish(item, size) else Outcome.NOTHING_TO_DO
