"""Hooks at exit and at fork, shared by all sender threads."""

import atexit
import os
import weakref
from typing import Protocol

# At exit, the process waits this long for the remaining logs to be sent.
EXIT_SECONDS = 5.0


class Sender(Protocol):
    """An object that sends logs from a thread."""

    def close(self, timeout: float) -> None:
        """Send the remaining logs within `timeout` seconds, then stop."""

    def after_fork(self) -> None:
        """Reset the state in a child process."""


# Weak references: a client that nobody uses any more can be garbage collected.
_SENDERS: "weakref.WeakSet[Sender]" = weakref.WeakSet()


def register(sender: Sender) -> None:
    """Close a sender at exit, and reset it in every forked child."""
    _SENDERS.add(sender)


def unregister(sender: Sender) -> None:
    """Remove a sender that is closed from the hooks."""
    _SENDERS.discard(sender)


def _close_all() -> None:
    for sender in list(_SENDERS):
        sender.close(EXIT_SECONDS)


def _after_fork() -> None:
    for sender in list(_SENDERS):
        sender.after_fork()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
