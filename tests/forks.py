"""Child processes of a test: forks with and without at-fork hooks."""

import ctypes
import os
import select
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import ExitStack

from ingest.sending import lifecycle

SECONDS = 30
# If a thread waited for the GIL during a fork made in C, the child hangs at once. Then it is forked again.
ALIVE_SECONDS = 5


def c_fork() -> int:
    """Fork as uWSGI does, in C. No at-fork hook runs, and `threading` still lists the parent's threads."""
    while True:
        reading, writing = os.pipe()
        with ExitStack() as stack:
            # Python itself does not survive a fork in C while another thread runs. Without this lock, the
            # threads of clients wait.
            for sender in list(lifecycle._SENDERS):
                lock = getattr(sender, "_changed", None)
                if lock and lock.acquire(timeout=0.1):
                    stack.callback(lock.release)
            time.sleep(0.02)
            child = int(ctypes.PyDLL(None).fork())
        if child == 0:
            os.write(writing, b".")
            return 0
        is_alive = bool(select.select([reading], [], [], ALIVE_SECONDS)[0])
        os.close(reading)
        os.close(writing)
        if is_alive:
            return child
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def os_fork() -> int:
    """Fork as multiprocessing, gunicorn and Celery do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns if other threads exist
        return os.fork()


def start_child(action: Callable[[], object], fork: Callable[[], int] = os_fork) -> int:
    """Run the action in a forked child, which ends by `os._exit`. Return its process id."""
    if child := fork():
        return child
    status = 1
    try:
        signal.alarm(SECONDS)  # ends a child that hangs
        action()
        status = 0
    except BaseException:  # noqa: BLE001  pytest must not continue in the child
        traceback.print_exc()
    finally:
        os._exit(status)


def wait_for(child: int) -> int:
    """Return the exit status of a child: negative if a signal killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run_child(action: Callable[[], object], fork: Callable[[], int] = os_fork) -> int:
    """Run the action in a forked child, and return its exit status."""
    return wait_for(start_child(action, fork))


def run_parent(action: Callable[[], object]) -> None:
    """Run the action in a child that has no other threads, and may fork. Fail if it raises."""
    status = run_child(action, os_fork)
    for _ in range(2):
        if status != -signal.SIGALRM:
            break
        # Python itself may hang after a fork in C, when another thread runs on a busy machine.
        status = run_child(action, os_fork)
    assert status == 0
