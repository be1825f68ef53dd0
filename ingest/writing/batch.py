"""The records of one invocation: small ones in parallel, then each large one."""

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    ExceptionInfo,
    FailureResponse,
)

from ingest.writing import memory

# Fewer than the connections in the pools of PynamoDB's and SQS's clients.
THREADS = 16
_POOL = ThreadPoolExecutor(THREADS, thread_name_prefix="logsite-writer")


class ParallelBatchProcessor(BatchProcessor):
    """Powertools' batch processor on a thread pool. Each failed record is one batch item failure.

    A large message might end the process. If one is redelivered, that may have happened: `delete` is called
    with the records of processed messages before it is processed, so that only its own receive count rises.
    """

    def __init__(self, delete: Callable[[Sequence[dict[str, Any]]], None]) -> None:
        super().__init__(EventType.SQS, raise_on_entire_batch_failure=False)
        self._delete = delete
        self._failure_lock = threading.Lock()

    def process(self) -> list[tuple[Any, ...]]:
        """Process the records. Return their results in the order of the records."""
        small: list[int] = []
        large: list[int] = []
        for index, record in enumerate(self.records):
            (large if memory.is_large(record["body"]) else small).append(index)
        processed = _POOL.map(self._process_record, [self.records[index] for index in small])
        results = dict(zip(small, processed, strict=True))
        is_redelivery = any(_is_redelivered(self.records[index]) for index in large)
        deletable = [self.records[index] for index in small if _is_success(results[index])]
        # In another order at each delivery, no message is always behind the one that ends the process.
        for index in random.sample(large, len(large)):
            if is_redelivery and deletable:
                self._delete(deletable)
                deletable = []
            results[index] = self._process_record(self.records[index])
            if _is_success(results[index]):
                deletable.append(self.records[index])
        return [results[index] for index in range(len(self.records))]

    def failure_handler(self, record: Any, exception: ExceptionInfo) -> FailureResponse:
        """Record a batch item failure.

        Powertools appends the record and its exception to two lists. The lock keeps both in the same order.
        """
        with self._failure_lock:
            return super().failure_handler(record, exception)


def _is_redelivered(record: dict[str, Any]) -> bool:
    count: str = record.get("attributes", {}).get("ApproximateReceiveCount", "1")
    return count != "1"


def _is_success(result: tuple[Any, ...]) -> bool:
    return bool(result[0] == "success")
