"""The numbers of messages in the queues: LOGS_QUEUE_COUNTS."""

import logging
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

DEAD_LETTERS = "dead_letters"

logger = logging.getLogger(__name__)


def read_dead_letters() -> int | None:
    """Return the approximate number of dead letters, or None if it is unknown.

    An error of the project's function is logged. Costs what the function costs.
    """
    try:
        function: Any = getattr(settings, "LOGS_QUEUE_COUNTS", None)
        if isinstance(function, str):
            function = import_string(function)
        number = function().get(DEAD_LETTERS) if function else None
        return None if number is None else int(number)
    except Exception:  # the project's code must not break a page
        logger.exception("LOGS_QUEUE_COUNTS failed")
        return None
