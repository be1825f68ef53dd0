"""The application's own function that changes or drops a log before it is sent."""

import os
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from ingest.sending.rate_limit import RateLimitedLogger, SendWarning

BeforeSend = Callable[[dict[str, Any]], dict[str, Any] | None]


class BeforeSendHook:
    """Calls the function `before_send` of a client, and counts the logs that it drops.

    The function removes confidential values, so a log is dropped if the function fails. If `strict`, the
    function's error is raised instead.
    """

    def __init__(self, function: BeforeSend, *, strict: bool) -> None:
        """Raise ValueError if the function is not callable."""
        if not callable(function):
            raise ValueError(f"before_send must be a function, not {function!r}")
        self._function = function
        self._strict = strict
        self._warnings = RateLimitedLogger()
        self._filtered = (os.getpid(), 0)

    @property
    def filtered(self) -> int:
        """Return the number of logs that were dropped in this process."""
        process, number = self._filtered
        return number if process == os.getpid() else 0

    def apply(self, fields: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the fields to send, or None if the log is dropped.

        The function gets a copy of the fields, and a payload that is a dict is copied too.
        """
        copy = dict(fields)
        if type(copy.get("payload")) is dict:  # other mappings may copy in their own way
            copy["payload"] = dict(copy["payload"])
        try:
            result = self._function(copy)
            if result is not None and not isinstance(result, Mapping):
                raise TypeError(f"before_send must return a dict or None, not {type(result).__name__}")
        except Exception as error:
            if self._strict:
                raise
            self._count()
            # The error's text may quote a value.
            place = traceback.extract_tb(error.__traceback__)[-1]
            text = f"before_send failed: {type(error).__name__} in {place.filename}, line {place.lineno}"
            self._warnings.log(SendWarning("before_send", f"{text}; logs dropped: {self.filtered}"))
            return None
        if result is None:
            self._count()
            return None
        return dict(result)

    def _count(self) -> None:
        self._filtered = (os.getpid(), self.filtered + 1)
