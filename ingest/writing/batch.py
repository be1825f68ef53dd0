"""The records of one invocation, processed in parallel."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    ExceptionInfo,
    FailureResponse,
)

# Fewer than the connections in the pools of PynamoDB's and SQS's clients.
THREADS = 16
_POOL = ThreadPoolExecutor(THREADS, thread_name_prefix="logsite-writer")


class ParallelBatchProcessor(BatchProcessor):
    """Powertools' batch processor on a thread pool. Each failed record is one batch item failure."""

    def __init__(self) -> None:
        super().__init__(EventType.SQS, raise_on_entire_batch_failure=False)
        self._failure_lock = threading.Lock()

    def process(self) -> list[tuple[Any, ...]]:
        """Process the records in parallel. Return their results in the order of the records."""
        return list(_POOL.map(self._process_record, self.records))

    def failure_handler(self, record: Any, exception: ExceptionInfo) -> FailureResponse:
        """Record a batch item failure.

        Powertools appends the record and its exception to two lists. The lock keeps both in the same order.
        """
        with self._failure_lock:
            return super().failure_handler(record, exception)
