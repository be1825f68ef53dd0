"""Child processes of a test: forks with and without at-fork hooks."""

import ctypes
import os
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

from tests.waiting import wait_until

SECONDS = 30
QUIET_SECONDS = 0.02
TASKS = Path("/proc/self/task")  # Linux


def c_fork() -> int:
    """Fork as uWSGI does, in C. No at-fork hook runs, and `threading` still lists the parent's threads.

    Python does not survive such a fork while a thread waits for the GIL: only `os.fork` resets the GIL's
    condition variable, and in the child that thread never leaves it. So the child continues only if the other
    threads slept from before the fork until after it. Otherwise the process is forked again.
    """
    while True:
        reading, writing = os.pipe()
        states = _states_of_blocked_threads()
        if (child := int(ctypes.PyDLL(None).fork())) == 0:
            os.read(reading, 1)
            return 0
        is_valid = _thread_states() == states
        if is_valid:
            os.write(writing, b".")
        else:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)
        if is_valid:
            return child


def _states_of_blocked_threads() -> dict[str, str]:
    """Return the states of the other threads, once all slept for QUIET_SECONDS while the GIL was free."""
    states: dict[str, str] = {}

    def are_blocked() -> bool:
        nonlocal states
        before = _thread_states()
        time.sleep(QUIET_SECONDS)  # releases the GIL
        states = _thread_states()
        return states == before and all("State:\tS" in state for state in before.values())

    wait_until(are_blocked)
    return states


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
