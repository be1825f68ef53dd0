"""How far a long command is: a bar where tqdm is installed, else a line now and then."""

import importlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol, Self, TextIO

SECONDS_BETWEEN_LINES = 5.0

_tqdm: Callable[..., Any] | None
try:
    # The client's own installation has no need of it.
    _tqdm = importlib.import_module("tqdm").tqdm
except ImportError:
    _tqdm = None


class Bar(Protocol):
    """What a command tells its progress to."""

    def update(self, n: int = 1) -> object:
        """Tell that `n` more are done."""


class Lines:
    """Progress as lines of text."""

    def __init__(self, total: int, title: str, unit: str, file: TextIO) -> None:
        self.done = 0
        self._told = 0
        self._next = time.monotonic() + SECONDS_BETWEEN_LINES
        self._total, self._title, self._unit, self._file = total, title, unit, file

    def update(self, n: int = 1) -> None:
        """Tell that `n` more are done."""
        self.done += n
        if time.monotonic() >= self._next:
            self._tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.done > self._told:
            self._tell()

    def _tell(self) -> None:
        self._told = self.done
        self._next = time.monotonic() + SECONDS_BETWEEN_LINES
        of = f" of about {self._total}" if self._total else ""
        self._file.write(f"{self._title}: {self.done}{of} {self._unit}s\n")
        self._file.flush()


def bar(total: int, title: str, unit: str, file: TextIO) -> AbstractContextManager[Bar]:
    """Return a context in which progress is shown on `file`, of about `total` units (0: nobody knows)."""
    if _tqdm is None:
        return Lines(total, title, unit, file)
    # Into a file a bar is a line each time: a few are enough.
    interval = 0.1 if file.isatty() else SECONDS_BETWEEN_LINES
    made: AbstractContextManager[Bar] = _tqdm(
        total=total or None, desc=title, unit=unit, file=file, mininterval=interval, maxinterval=interval
    )
    return made
