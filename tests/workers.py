"""`python -m ingest.worker` as a separate process, and its output."""

import json
import os
import signal
import subprocess
import sys
import threading
from typing import Any, Self


class WorkerProcess:
    """The process of a worker, and its output so far."""

    def __init__(self, *arguments: str, module: str = "ingest.worker", **environment: str) -> None:
        self.output: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(10)
        self._reader.join(10)
        if self.process.stdout:
            self.process.stdout.close()

    def log_lines(self, message: str) -> list[dict[str, Any]]:
        """Return the log lines with this message."""
        lines = [json.loads(line) for line in self.output if line.startswith("{")]
        return [line for line in lines if line["message"] == message]

    def stop(self, number: signal.Signals) -> None:
        """Send a signal. Assert that the process ends with status 0, without a traceback."""
        self.process.send_signal(number)
        assert self.process.wait(60) == 0, self.output
        self._reader.join(10)
        assert "Traceback" not in "".join(self.output)
