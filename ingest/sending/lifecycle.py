"""Hooks at exit and at fork, shared by all sender threads."""

import atexit
import os
import sys
from contextlib import suppress
from typing import Protocol

# At exit, the process waits this long for the remaining logs to be sent.
EXIT_SECONDS = 5.0
# multiprocessing runs the finalizers with the highest priority first. The others may still log.
LAST_PRIORITY = -1000


class Sender(Protocol):
    """An object that sends logs from a thread. It belongs to the process with the id `process`."""

    process: int

    def flush(self, timeout: float) -> bool:
        """Send the remaining logs within `timeout` seconds. Return whether they are sent."""

    def close(self, timeout: float) -> None:
        """Send the remaining logs within `timeout` seconds, then stop."""

    def open_spool(self, *, expects_files: bool) -> None:
        """Send the files in the spool, and later ones if it `expects_files`."""

    def forget(self) -> None:
        """Close the descriptors that a child process inherited."""


# No weak references: a client that nobody refers to may still have logs. Every operation on the set is
# atomic, because a forked child may inherit a lock in its locked state.
_SENDERS: set[Sender] = set()
# The child of multiprocessing that calls `close_all` at its end.
_finalized_process: int | None = None


def register(sender: Sender) -> None:
    """Close a sender when its process ends. Called at each use, because it costs less than 1 µs."""
    if sender not in _SENDERS:
        _SENDERS.add(sender)
        forget_inherited()  # here, because some forks run no hooks
    _register_finalizer()


def unregister(sender: Sender) -> None:
    """Remove a sender that is closed from the hooks."""
    _SENDERS.discard(sender)


def own_senders() -> list[Sender]:
    """Return the senders of this process."""
    process = os.getpid()
    return [sender for sender in tuple(_SENDERS) if sender.process == process]


def forget_inherited() -> None:
    """Remove the senders of other processes, which a fork copied into this one."""
    process = os.getpid()
    for sender in tuple(_SENDERS):
        if sender.process != process:
            with suppress(KeyError):
                _SENDERS.remove(sender)  # raises in all threads but one
                sender.forget()


def close_all() -> None:
    """Close all senders of this process, each within EXIT_SECONDS."""
    for sender in own_senders():
        sender.close(EXIT_SECONDS)


def _after_fork_in_parent() -> None:
    for sender in own_senders():
        sender.open_spool(expects_files=True)  # of the child, after its end


def _register_finalizer() -> None:
    """Register `close_all` in a child of multiprocessing, which ends without `atexit`.

    The child discards inherited finalizers when it starts. multiprocessing is not imported for this.
    """
    global _finalized_process
    process = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if process and util and _finalized_process != os.getpid() and process.parent_process():
        _finalized_process = os.getpid()
        util.Finalize(None, close_all, exitpriority=LAST_PRIORITY)


atexit.register(close_all)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_parent=_after_fork_in_parent, after_in_child=forget_inherited)
