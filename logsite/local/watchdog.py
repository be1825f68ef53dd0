"""A watchdog that ends the child processes if this process is killed."""

import contextlib
import subprocess

# The shell reads one process group per line. If its input ends before the line "done", this process was
# killed, and the shell ends the groups.
SCRIPT = """
trap '' HUP INT TERM
while read -r line; do
    [ "$line" = done ] && exit
    groups="$groups -$line"
done
[ -n "$groups" ] || exit
kill -s TERM -- $groups
sleep 1
kill -s KILL -- $groups
"""


class Watchdog:
    """A shell that ends process groups if this process exits without calling `release`.

    It reacts within about a second.
    """

    def __init__(self, lock: int) -> None:
        """Start the shell.

        It keeps the file descriptor `lock` open, so that the next start waits until the groups have ended.
        """
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", SCRIPT],
            env={"PATH": "/usr/bin:/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            pass_fds=[lock],
            start_new_session=True,  # Ctrl-C must not reach it
        )

    def watch(self, group: int) -> None:
        """Add a process group."""
        self._write(str(group))

    def release(self) -> None:
        """Stop the shell without ending any group."""
        self._write("done")
        self._process.communicate()

    def _write(self, line: str) -> None:
        # If the shell was killed, runlocal continues without it.
        with contextlib.suppress(BrokenPipeError):
            print(line, file=self._process.stdin, flush=True)
