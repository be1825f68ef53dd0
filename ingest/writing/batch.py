"""The records of one invocation, side by side."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    ExceptionInfo,
    FailureResponse,
)

# Fewer than the connections that PynamoDB's and SQS's clients keep.
THREADS = 16
_POOL = ThreadPoolExecutor(THREADS, thread_name_prefix="logsite-writer")


class SideBySide(BatchProcessor):
    """Powertools' batch processor over a pool of threads: which record failed stays exact."""

    def __init__(self) -> None:
        super().__init__(EventType.SQS, raise_on_entire_batch_failure=False)
        self._failing = threading.Lock()

    def process(self) -> list[tuple[Any, ...]]:
        """Handle every record; return what became of each, in their order."""
        return list(_POOL.map(self._process_record, self.records))

    def failure_handler(self, record: Any, exception: ExceptionInfo) -> FailureResponse:
        """Note a failed record and its exception in two lists, which threads must not mix up."""
        with self._failing:
            return super().failure_handler(record, exception)
