"""The choices: types and subtypes seen so far, in one item. The filter suggests them."""

import difflib
import logging
import threading
import time
from collections.abc import Iterable

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import size

from logs.models import ChoicesItem
from logs.storage import dynamodb
from logs.storage.errors import AWS_ERRORS

# The item is read and written whole: these limits keep it below 60 KB.
MAX_VALUES, MAX_VALUE_BYTES = 300, 100
# After a failure the writer leaves the item alone for this long: it must not delay the logs.
PAUSE_SECONDS = 60

logger = logging.getLogger(__name__)


class ChoicesWriter:
    """Records new types and subtypes; the values that this process knows cost nothing."""

    def __init__(self) -> None:
        self._recorded: dict[str, set[str]] = {"types": set(), "sub_types": set()}
        self._resume = 0.0
        # Threads that meet the same new value at the same time write it once.
        self._writing = threading.Lock()

    def record(self, type_: str, sub_type: str) -> None:
        """Record the values of a log that was written. Never raises an error of DynamoDB.

        Costs nothing for a recorded value, and one conditional UpdateItem for a new one.
        """
        for kind, value in (("types", type_), ("sub_types", sub_type)):
            recorded = self._recorded[kind]
            if value in recorded or len(recorded) >= MAX_VALUES:
                continue
            if not 0 < len(value.encode()) <= MAX_VALUE_BYTES:
                continue
            with self._writing:
                if value not in recorded:
                    self._try_to_write(kind, value)

    def _try_to_write(self, kind: str, value: str) -> None:
        if time.monotonic() < self._resume:
            return
        try:
            self._write(kind, value)
        except AWS_ERRORS as error:
            logger.warning("the choices were not recorded: %s", error)
            self._resume = time.monotonic() + PAUSE_SECONDS

    def _write(self, kind: str, value: str) -> None:
        attribute = getattr(ChoicesItem, kind)
        is_new = attribute.does_not_exist() | (~attribute.contains(value) & (size(attribute) < MAX_VALUES))
        try:
            dynamodb.update(ChoicesItem, "choices", [attribute.add({value})], is_new)
        except UpdateError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise
            # Another process recorded this value, and probably others: read them all.
            self._read()
        self._recorded[kind].add(value)

    def _read(self) -> None:
        item = ChoicesItem.get("choices", consistent_read=True)
        for kind, recorded in self._recorded.items():
            recorded |= getattr(item, kind)


def nearest(value: str, choices: Iterable[str], limit: int = 3) -> list[str]:
    """Return the choices most like a value, the most similar first. Letter case is ignored."""
    by_lower: dict[str, list[str]] = {}
    for choice in choices:
        by_lower.setdefault(choice.lower(), []).append(choice)
    matches = difflib.get_close_matches(value.lower(), by_lower, n=limit)
    return [choice for lower in matches for choice in sorted(by_lower[lower])][:limit]
