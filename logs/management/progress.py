"""The progress of a command: a bar of tqdm, or lines of text."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TextIO

from logs import times

SECONDS_BETWEEN_UPDATES = 5.0

_tqdm: Callable[..., Any] | None
try:
    # Optional: another Django project may not have it.
    _tqdm = importlib.import_module("tqdm").tqdm
except ImportError:
    _tqdm = None

# Called with a number of logs, and the time up to which logs were processed.
Show = Callable[[int, datetime], None]


@contextmanager
def progress(title: str, file: TextIO, done: int = 0) -> Iterator[Show]:
    """Yield a function that shows progress.

    It is a bar if tqdm is installed, otherwise a line of text. `done` logs were processed before.
    """
    if _tqdm is None:
        yield lambda logs, reached: print(f"{reached.date()}: {logs:,} logs", file=file, flush=True)
        return
    # In a file, each update of a bar is a new line, so updates are rare.
    interval = 0.1 if file.isatty() else SECONDS_BETWEEN_UPDATES
    with _tqdm(
        desc=title, unit="log", file=file, initial=done, mininterval=interval, maxinterval=interval
    ) as bar:

        def show(logs: int, reached: datetime) -> None:
            bar.set_postfix_str(times.to_text(reached), refresh=False)
            bar.update(logs)

        yield show
