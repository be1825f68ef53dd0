"""Child processes of a test: forks with and without at-fork hooks."""

import ctypes
import os
import select
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

from tests.waiting import wait_until

SECONDS = 30
# If a thread woke during a fork made in C, the child may hang at once. Then it is forked again.
ALIVE_SECONDS = 5
QUIET_SECONDS = 0.02
TASKS = Path("/proc/self/task")  # Linux


def c_fork() -> int:
    """Fork as uWSGI does, in C. No at-fork hook runs, and `threading` still lists the parent's threads."""
    while True:
        reading, writing = os.pipe()
        wait_until(_threads_are_blocked)
        if (child := int(ctypes.PyDLL(None).fork())) == 0:
            os.write(writing, b".")
            return 0
        is_alive = bool(select.select([reading], [], [], ALIVE_SECONDS)[0])
        os.close(reading)
        os.close(writing)
        if is_alive:
            return child
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _threads_are_blocked() -> bool:
    """Return whether the other threads slept for QUIET_SECONDS, while they could have the GIL.

    Python does not survive a fork in C while a thread waits for the GIL: only `os.fork` resets the GIL's
    condition variable, and in the child that thread never leaves it.
    """
    before = _thread_states()
    time.sleep(QUIET_SECONDS)  # releases the GIL
    return _thread_states() == before and all("State:\tS" in state for state in before.values())


def _thread_states() -> dict[str, str]:
    """Return the state and the numbers of context switches of each thread except this one."""
    own = str(threading.get_native_id())
    return {task.name: (task / "status").read_text() for task in TASKS.glob("*") if task.name != own}


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
    assert run_child(action, os_fork) == 0
