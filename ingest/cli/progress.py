"""Progress of a long command: a bar of tqdm, or lines of text."""

import importlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol, Self, TextIO

SECONDS_BETWEEN_LINES = 5.0

_tqdm: Callable[..., Any] | None
try:
    # Optional: an installation of the client alone does not include it.
    _tqdm = importlib.import_module("tqdm").tqdm
except ImportError:
    _tqdm = None


class Bar(Protocol):
    """The progress of a command."""

    def update(self, n: int = 1) -> object:
        """Advance by `n` units."""


class Lines:
    """Progress as lines of text."""

    def __init__(self, total: int, title: str, unit: str, file: TextIO) -> None:
        self.done = 0
        self._written = 0
        self._next = time.monotonic() + SECONDS_BETWEEN_LINES
        self._total, self._title, self._unit, self._file = total, title, unit, file

    def update(self, n: int = 1) -> None:
        """Advance by `n` units."""
        self.done += n
        if time.monotonic() >= self._next:
            self._write()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.done > self._written:
            self._write()

    def _write(self) -> None:
        self._written = self.done
        self._next = time.monotonic() + SECONDS_BETWEEN_LINES
        of = f" of about {self._total}" if self._total else ""
        self._file.write(f"{self._title}: {self.done}{of} {self._unit}s\n")
        self._file.flush()


def bar(total: int, title: str, unit: str, file: TextIO) -> AbstractContextManager[Bar]:
    """Return a context manager that shows progress on `file`.

    `total` is the approximate number of units, or 0 if it is unknown. A bar if tqdm is installed, otherwise a
    line every SECONDS_BETWEEN_LINES.
    """
    if _tqdm is None:
        return Lines(total, title, unit, file)
    # In a file, each update of a bar is a new line, so updates are rare.
    interval = 0.1 if file.isatty() else SECONDS_BETWEEN_LINES
    tqdm_bar: AbstractContextManager[Bar] = _tqdm(
        total=total or None, desc=title, unit=unit, file=file, mininterval=interval, maxinterval=interval
    )
    return tqdm_bar
