"""Run functions in threads that take turns at each request to DynamoDB, in a random but repeatable order."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pynamodb.signals import pre_dynamodb_send

MAX_WAIT_SECONDS = 20


class Turns:
    """Lets one of several threads run at a time."""

    def __init__(self, rng: random.Random, number: int) -> None:
        self._random = rng
        self._condition = threading.Condition()
        self._running = set(range(number))
        self._turn = rng.randrange(number)
        # Few changes let one thread get far ahead of the others.
        self._change_probability = rng.choice([0.05, 0.15, 0.5])
        self._numbers: dict[int, int] = {}

    def run(self, number: int, call: Callable[[], Any]) -> None:
        """Run a function whose requests are turns of this number."""
        self._numbers[threading.get_ident()] = number
        self._wait(number)
        try:
            call()
        finally:
            with self._condition:
                self._running.remove(number)
                del self._numbers[threading.get_ident()]
                self._choose()

    def step(self, sender: object, **_: Any) -> None:
        """Choose the next thread. The current one waits until it is chosen."""
        number = self._numbers.get(threading.get_ident())
        if number is None:
            return
        with self._condition:
            self._choose()
        self._wait(number)

    def _choose(self) -> None:
        is_over = self._turn not in self._running
        if self._running and (is_over or self._random.random() < self._change_probability):
            self._turn = self._random.choice(sorted(self._running))
        self._condition.notify_all()

    def _wait(self, number: int) -> None:
        with self._condition:
            if not self._condition.wait_for(lambda: self._turn == number, MAX_WAIT_SECONDS):
                raise TimeoutError


def interleave(seed: int, *calls: Callable[[], Any]) -> None:
    """Run functions at the same time. Raise the error of the first that fails."""
    turns = Turns(random.Random(seed), len(calls))
    with pre_dynamodb_send.connected_to(turns.step), ThreadPoolExecutor(len(calls)) as pool:
        for future in [pool.submit(turns.run, number, call) for number, call in enumerate(calls)]:
            future.result()
