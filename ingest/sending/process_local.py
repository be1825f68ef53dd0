"""Objects that belong to one process, as those of `threading.local` belong to one thread."""

import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class ProcessLocal(Generic[T]):
    """Creates an object at its first use in each process. A forked child gets a new one.

    Comparing the process id at each use also detects a fork that runs no at-fork hooks. uWSGI's is one, by
    default. The inherited object is not touched: another thread may have held its locks during the fork.

    The object is new as well after gevent or eventlet patched `threading`. Locks from before do not exclude
    their green threads from each other, because those run in one native thread.

    `make` must have no side effects: if two threads call `get` first, one of their objects is discarded.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._objects: dict[tuple[int, object], T] = {}

    def get(self) -> T:
        """Return this process's object, created if necessary."""
        key = os.getpid(), threading.Lock
        item = self._objects.get(key)
        if item is None:
            # `setdefault` is atomic. A lock here could be inherited in its locked state.
            item = self._objects.setdefault(key, self._make())
        return item

    def created(self) -> list[T]:
        """Return the objects that this process has created: usually one, or none."""
        process = os.getpid()
        return [item for (creator, _), item in tuple(self._objects.items()) if creator == process]
