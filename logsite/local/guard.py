"""What ends the children where we could not: a shell that notices when we are gone."""

import contextlib
import subprocess

# Process groups come in, one a line. The input ends without a last "done" only where we were killed.
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


class Guard:
    """Ends process groups, within about a second, when this process is gone without `release`."""

    def __init__(self, lock: int) -> None:
        """Start it; it holds the file descriptor `lock` open, so that a next start waits for its work."""
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", SCRIPT],
            env={"PATH": "/usr/bin:/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            pass_fds=[lock],
            start_new_session=True,  # Ctrl-C is not meant for it
        )

    def watch(self, group: int) -> None:
        """Take a process group in."""
        self._say(str(group))

    def release(self) -> None:
        """End it without a deed: nobody is left to be ended."""
        self._say("done")
        self._process.communicate()

    def _say(self, line: str) -> None:
        # Someone ended it: then we do without.
        with contextlib.suppress(BrokenPipeError):
            print(line, file=self._process.stdin, flush=True)
