"""The records of one invocation: small ones in groups, then each large one."""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType

from ingest.writing import memory

# Fewer than the connections in the pools of PynamoDB's and SQS's clients.
THREADS = 16
_POOL = ThreadPoolExecutor(THREADS, thread_name_prefix="logsite-writer")

# Stores small records on the pool. Returns the outcome of each, or the error why SQS has to redeliver it.
StoreSmall = Callable[[Sequence[dict[str, Any]], ThreadPoolExecutor], Sequence[str | Exception]]


class GroupedBatchProcessor(BatchProcessor):
    """Powertools' batch processor: `store` for small records, its handler for large ones.

    Each failed record is one batch item failure. A large message might end the process. If one is
    redelivered, that may have happened: `delete` is called with the records of processed messages before it
    is processed, so that only its own receive count rises.
    """

    def __init__(self, store: StoreSmall, delete: Callable[[Sequence[dict[str, Any]]], None]) -> None:
        super().__init__(EventType.SQS, raise_on_entire_batch_failure=False)
        self._store = store
        self._delete = delete

    def process(self) -> list[tuple[Any, ...]]:
        """Process the records. Return their results in the order of the records."""
        small: list[int] = []
        large: list[int] = []
        for index, record in enumerate(self.records):
            (large if memory.is_large(record["body"]) else small).append(index)
        stored = self._store([self.records[index] for index in small], _POOL)
        results = {
            index: self._finish(self.records[index], result)
            for index, result in zip(small, stored, strict=True)
        }
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

    def _finish(self, record: dict[str, Any], result: str | Exception) -> tuple[Any, ...]:
        """Record the success or the failure of a record, as `_process_record` does."""
        if isinstance(result, Exception):
            data = self._to_batch_type(record, event_type=self.event_type)
            return self.failure_handler(data, (type(result), result, result.__traceback__))
        return self.success_handler(record, result)


def _is_redelivered(record: dict[str, Any]) -> bool:
    count: str = record.get("attributes", {}).get("ApproximateReceiveCount", "1")
    return count != "1"


def _is_success(result: tuple[Any, ...]) -> bool:
    return bool(result[0] == "success")
