"""Child processes in their own process groups: start, output, supervision, and end."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from logsite.local.errors import StackError
from logsite.local.watchdog import Watchdog

ROOT = Path(__file__).resolve().parent.parent.parent
MAX_LAST_LINES = 15
POLL_SECONDS = 0.05
STOP_TIMEOUT_SECONDS = 10


class StopRequested(Exception):
    """The user requested a stop: Ctrl-C, SIGTERM, or a closed terminal."""


class ChildFailed(StackError):
    """A child process did not start, exited by itself, or is unreachable."""


class Child:
    """A named process that leads its own process group and logs to a file."""

    def __init__(
        self,
        name: str,
        command: list[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        stop_timeout: float = STOP_TIMEOUT_SECONDS,
    ) -> None:
        """Start the process in the project's folder. Raise ChildFailed if the system cannot start it.

        `stop_timeout` is how many seconds the process has to finish its work after SIGTERM.
        """
        self.name = name
        # Called with each further line of output. The file gets it too.
        self.on_line: Callable[[str], None] | None = None
        self.stop_timeout = stop_timeout
        self.log = log
        self.last_lines: deque[str] = deque(maxlen=MAX_LAST_LINES)
        # A new process group, so that Ctrl-C does not reach it and `Children` ends all in order.
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
            raise ChildFailed(f"The {name} could not be started: {error}") from error
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, output: Iterable[str]) -> None:
        with self.log.open("w", encoding="utf-8") as log:
            for line in output:
                log.write(line)
                log.flush()
                self.last_lines.append(line)
                if self.on_line:
                    # The terminal may be closed. Reading must continue, or the child blocks on a full pipe.
                    with contextlib.suppress(OSError):
                        self.on_line(line)

    @property
    def has_exited(self) -> bool:
        """Return whether the process has exited."""
        return self.process.poll() is not None

    def report(self) -> str:
        """Return the exit status, or that the process is unreachable, with its last lines."""
        outcome = f"exited with status {self.process.returncode}" if self.has_exited else "is unreachable"
        if self.has_exited:
            self._reader.join(1)
        lines = "".join(f"    {line}" for line in list(self.last_lines)) or "    (no output)\n"
        return f"The {self.name} {outcome}. The last lines of {self.log}:\n{lines}"

    def stop(self) -> None:
        """End the whole process group: SIGTERM, then SIGKILL after `stop_timeout`."""
        self._signal(signal.SIGTERM)
        self._wait_for_group(self.stop_timeout)
        self._signal(signal.SIGKILL)
        self.process.wait()
        self._wait_for_group(1)
        self._reader.join(1)

    def _wait_for_group(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._group_exists() and time.monotonic() < deadline:
            self.process.poll()  # reaps the child, which stays in its group as a zombie until then
            time.sleep(POLL_SECONDS)

    def _signal(self, number: int) -> None:
        # If the group is empty, Linux raises ProcessLookupError and macOS PermissionError.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def _group_exists(self) -> bool:
        try:
            os.killpg(self.process.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True


class Children:
    """All child processes of a stack, and whether the user requested a stop."""

    def __init__(self, watchdog: Watchdog | None = None) -> None:
        """Start with no child. The `watchdog` ends the children if this process is killed."""
        self._children: list[Child] = []
        self._watchdog = watchdog
        self._stop_requested = False

    def install_signal_handlers(self) -> None:
        """Make `check` raise StopRequested after Ctrl-C, SIGTERM or a closed terminal.

        The handlers only set a flag. An exception could interrupt between the start of a child and `add`.
        """
        signal.signal(signal.SIGINT, self._request_stop)
        signal.signal(signal.SIGTERM, self._request_stop)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup ignores it
            signal.signal(signal.SIGHUP, self._request_stop)

    def _request_stop(self, number: int, frame: object) -> None:
        self._stop_requested = True

    def add(self, child: Child) -> None:
        """Add a child. `stop` ends the children in reverse order."""
        self._children.append(child)
        if self._watchdog:
            self._watchdog.watch(child.process.pid)

    def check(self) -> None:
        """Raise StopRequested after a request to stop, ChildFailed if a child has exited."""
        if self._stop_requested:
            raise StopRequested
        for child in self._children:
            if child.has_exited:
                raise ChildFailed(child.report())

    def wait_until(self, condition: Callable[[], bool], child: Child, seconds: float) -> None:
        """Poll until `condition()` is true. Raise StopRequested, or ChildFailed after `seconds`."""
        deadline = time.monotonic() + seconds
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise ChildFailed(child.report())
            time.sleep(POLL_SECONDS)
        # Another program may have bound the port before the child could.
        self.check()

    def run(self, child: Child, seconds: float) -> None:
        """Wait until a command exits. Raise ChildFailed if it fails or runs into the timeout."""
        try:
            self.wait_until(lambda: child.has_exited, child, seconds)
        finally:
            child.stop()
        if child.process.returncode:
            raise ChildFailed(child.report())

    def wait(self) -> None:
        """Wait forever. Raise StopRequested or ChildFailed."""
        while True:
            self.check()
            time.sleep(POLL_SECONDS * 4)

    def stop(self) -> None:
        """End all children in reverse order."""
        while self._children:
            self._children.pop().stop()
        if self._watchdog:
            self._watchdog.release()
