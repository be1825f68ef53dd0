"""SIGTERM: send the logs before the process ends."""

import _thread
import os
import signal
import threading
from types import FrameType

from ingest.sending import lifecycle

# The handler before this one: a function, SIG_DFL or SIG_IGN.
_previous: "signal._HANDLER" = signal.SIG_DFL
# The process in which a thread sends the logs. A forked child has another id.
_sending_process: int | None = None


def flush_on_sigterm() -> None:
    """Send all logs when SIGTERM arrives, before it ends the process.

    Call it once, in the main thread. After at most 5 seconds the previous handler is called. Without one,
    SIGTERM kills the process as before, and the exit status shows it. A second SIGTERM does not wait. Forked
    children inherit the handler.

    Raise ValueError in another thread, and RuntimeError if a handler exists that Python did not install.
    """
    global _previous
    if threading.current_thread() is not threading.main_thread():
        raise ValueError("flush_on_sigterm must be called in the main thread: Python handles signals there")
    previous = signal.getsignal(signal.SIGTERM)
    if previous is None:
        raise RuntimeError("flush_on_sigterm cannot replace a handler of SIGTERM that is not Python's")
    if previous is not _handle:
        _previous = previous
        signal.signal(signal.SIGTERM, _handle)


def _handle(number: int, frame: FrameType | None) -> None:
    global _sending_process
    if _sending_process != os.getpid():
        _sending_process = os.getpid()
        try:
            # This thread may hold a lock of a client, of logging or of an import. It continues, and another
            # one sends. `threading` is not used, because its locks may be held too.
            _thread.start_new_thread(_send_and_repeat, (number,))
        except RuntimeError:  # the interpreter shuts down, or there are too many threads
            _send_and_repeat(number)
    else:
        signal.signal(signal.SIGTERM, _previous)
        if callable(_previous):
            _previous(number, frame)
        else:
            signal.raise_signal(number)


def _send_and_repeat(number: int) -> None:
    """Send the logs, then send the signal again, so that the main thread ends the process."""
    try:
        if _previous is signal.SIG_DFL:
            lifecycle.close_all()
        else:  # the process may continue and log
            for sender in lifecycle.own_senders():
                sender.flush(lifecycle.EXIT_SECONDS)
    finally:
        os.kill(os.getpid(), number)
