"""Child processes: started in groups of their own, listened to, waited for, and ended without a rest."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from logsite.local.guard import Guard

ROOT = Path(__file__).resolve().parent.parent.parent
TAIL_LINES = 15
POLL_SECONDS = 0.05


class Stopped(Exception):
    """Someone asked for the end: Ctrl-C, SIGTERM, or the terminal was closed."""


class ChildDied(Exception):
    """A child process ended by itself, or never answered; the text is a report with its last lines."""


class Child:
    """A process with a name, in a process group of its own, whose output goes to a file."""

    def __init__(
        self,
        name: str,
        command: list[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        patience: float = 10,
    ) -> None:
        """Start the process, in the project's folder. Raises ChildDied where that cannot be done.

        It has `patience` seconds to finish what it has in hand when it is ended.
        """
        self.name = name
        # Called with each line from now on, beside the file.
        self.echo: Callable[[str], None] | None = None
        self.patience = patience
        self.log = log
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        # A group of its own: Ctrl-C in the terminal reaches us alone, and we end the children in order.
        try:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            raise ChildDied(f"The {name} could not be started: {error}") from error
        self._listener = threading.Thread(target=self._listen, args=(self.process.stdout,), daemon=True)
        self._listener.start()

    def _listen(self, output: Iterable[str]) -> None:
        with self.log.open("w", encoding="utf-8") as log:
            for line in output:
                log.write(line)
                log.flush()
                self.tail.append(line)
                if self.echo:
                    # The terminal may be gone, and the child must still get its lines off.
                    with contextlib.suppress(OSError):
                        self.echo(line)

    @property
    def is_dead(self) -> bool:
        """Tell whether the process has ended."""
        return self.process.poll() is not None

    def report(self) -> str:
        """Return how the process ended, or that it does not answer, with its last lines."""
        outcome = f"ended with status {self.process.returncode}" if self.is_dead else "does not answer"
        if self.is_dead:
            self._listener.join(1)
        lines = "".join(f"    {line}" for line in list(self.tail)) or "    (it printed nothing)\n"
        return f"The {self.name} {outcome}. Its last lines, of {self.log}:\n{lines}"

    def stop(self) -> None:
        """End the whole process group: SIGTERM, and SIGKILL for what is left when patience ends."""
        self._signal(signal.SIGTERM)
        self._wait_for_group(self.patience)
        self._signal(signal.SIGKILL)
        self.process.wait()
        self._wait_for_group(1)
        self._listener.join(1)

    def _wait_for_group(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._group_lives() and time.monotonic() < deadline:
            self.process.poll()  # a child that has ended stays in its group until it is asked for
            time.sleep(POLL_SECONDS)

    def _signal(self, number: int) -> None:
        # Nobody is left, which macOS says with PermissionError.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def _group_lives(self) -> bool:
        try:
            os.killpg(self.process.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True


class Children:
    """All child processes of a stack, and the wish to stop."""

    def __init__(self, guard: Guard | None = None) -> None:
        """Begin without any; the `guard` ends them where this process is killed."""
        self._children: list[Child] = []
        self._guard = guard
        self._stopping = False

    def listen_to_signals(self) -> None:
        """Take Ctrl-C, SIGTERM and a closed terminal as the wish to stop, which `check` then raises.

        A flag instead of an exception: it cannot come between the start of a child and our knowing of it.
        """
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGTERM, self._stop)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # else it is nohup's
            signal.signal(signal.SIGHUP, self._stop)

    def _stop(self, number: int, frame: object) -> None:
        self._stopping = True

    def add(self, child: Child) -> None:
        """Take a child in; the last one taken in is the first to be ended."""
        self._children.append(child)
        if self._guard:
            self._guard.watch(child.process.pid)

    def check(self) -> None:
        """Raise Stopped where someone asked for the end, ChildDied where a child has ended."""
        if self._stopping:
            raise Stopped
        for child in self._children:
            if child.is_dead:
                raise ChildDied(child.report())

    def wait_until(self, ready: Callable[[], bool], child: Child, seconds: float) -> None:
        """Wait until the child is `ready()`; raise what `check` raises, and ChildDied after `seconds`."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise ChildDied(child.report())
            time.sleep(POLL_SECONDS)
        # What answered may have been another program, that took the port before our child could.
        self.check()

    def run(self, child: Child, seconds: float) -> None:
        """Wait for the end of a child that is a command; ChildDied where it fails or takes longer."""
        try:
            self.wait_until(lambda: child.is_dead, child, seconds)
        finally:
            child.stop()
        if child.process.returncode:
            raise ChildDied(child.report())

    def wait_for_the_end(self) -> None:
        """Wait until someone asks for the end or a child dies; raise Stopped or ChildDied."""
        while True:
            self.check()
            time.sleep(POLL_SECONDS * 4)

    def stop(self) -> None:
        """End all children, the last one first."""
        while self._children:
            self._children.pop().stop()
        if self._guard:
            self._guard.release()


def free_port(usual: int = 0) -> int:
    """Return the usual port of 127.0.0.1 where it is free, or another one."""
    for port in (usual, 0):
        with socket.socket() as probe:
            # As servers do: a port whose last connections are just closing counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("127.0.0.1 has no free port")


def accepts_connections(port: int) -> bool:
    """Tell whether something listens on the port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
