"""The types and sub types that there are: noted when they are first seen, so that nobody has to know them."""

import difflib
import logging
import threading
import time
from collections.abc import Iterable

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException, UpdateError
from pynamodb.expressions.condition import size

from logs.models import ChoicesItem

# So that the item, which is written and read as one, has 60 KB at most whatever is sent.
MAX_VALUES, MAX_VALUE_BYTES = 300, 100
# How long the writer leaves the item alone after a failure: a log never waits for it twice.
PAUSE_SECONDS = 60

logger = logging.getLogger(__name__)


class Registry:
    """What a process knows to be noted already; the rest it writes, each value once."""

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {"types": set(), "sub_types": set()}
        self._resume = 0.0
        # Threads that meet the same new value at once write it once.
        self._writing = threading.Lock()

    def note(self, type_: str, sub_type: str) -> None:
        """Note the values of a log that was written. Never raises for DynamoDB's sake: it is a help, no data.

        Costs nothing for what is known, and one conditional UpdateItem for what is not.
        """
        for kind, value in (("types", type_), ("sub_types", sub_type)):
            known = self._known[kind]
            if value in known or len(known) >= MAX_VALUES or not 0 < len(value.encode()) <= MAX_VALUE_BYTES:
                continue
            with self._writing:
                if value not in known:
                    self._try_to_write(kind, value)

    def _try_to_write(self, kind: str, value: str) -> None:
        if time.monotonic() < self._resume:
            return
        try:
            self._write(kind, value)
        except (PynamoDBException, BotoCoreError) as error:
            logger.warning("the choices were not noted: %s", error)
            self._resume = time.monotonic() + PAUSE_SECONDS

    def _write(self, kind: str, value: str) -> None:
        attribute = getattr(ChoicesItem, kind)
        is_new = attribute.does_not_exist() | (~attribute.contains(value) & (size(attribute) < MAX_VALUES))
        try:
            # Not the model's own update(), to which DynamoDB would send the whole item back.
            ChoicesItem._get_connection().update_item(
                "choices", actions=[attribute.add({value})], condition=is_new
            )
        except UpdateError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise
            # Another process noted it, and more: learn them all at once.
            self._learn()
        self._known[kind].add(value)

    def _learn(self) -> None:
        item = ChoicesItem.get("choices", consistent_read=True)
        for kind, known in self._known.items():
            known |= getattr(item, kind)


def nearest(value: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return the known values that are most like one that is not, the likeliest first, case aside."""
    by_lower: dict[str, list[str]] = {}
    for each in known:
        by_lower.setdefault(each.lower(), []).append(each)
    found = difflib.get_close_matches(value.lower(), by_lower, n=most)
    return [each for lower in found for each in sorted(by_lower[lower])][:most]
