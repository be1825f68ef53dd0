"""The processes of an import or a verification."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

from ingest.imports import group_writer
from ingest.imports.group_writer import Settings

# A fork of this process would share its connections. The server imports the writer once for all.
START_METHOD = "forkserver"
# Groups for each process: one that it works on, and one that waits.
GROUPS_PER_PROCESS = 2


@contextmanager
def pool(
    settings: Settings, processes: int, start: Callable[[Settings], None] = group_writer.start
) -> Iterator[Executor]:
    """Run processes that are prepared by `start`, until the block ends.

    After an error they are terminated in the middle of their groups. They end if this process is killed.
    """
    context = multiprocessing.get_context(START_METHOD)
    context.set_forkserver_preload(["__main__", group_writer.__name__])
    executor = ProcessPoolExecutor(processes, context, _start, (settings, start))
    try:
        yield executor
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        executor.shutdown(cancel_futures=True)


def _start(settings: Settings, start: Callable[[Settings], None]) -> None:
    # The parent handles Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    start(settings)


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
