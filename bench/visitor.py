"""A signed-in user whose requests pass through Django's handler in this process."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# The link to the page of a log, in both admins.
LOG = re.compile(rb'href="(?:[^"]*/)?([0-9a-f]{32})/change/')
# Files begin with a line of names, and have the id of a log in each other line.
FILE_ID = re.compile(rb"\b[0-9a-f]{32}\b")


@dataclass(frozen=True)
class Reply:
    """The content of a response, and the seconds until it was complete."""

    content: bytes
    seconds: float

    def ids(self) -> list[str]:
        """Return the ids of the logs of a response, in order."""
        if LOG.search(self.content):
            return [each.decode() for each in dict.fromkeys(LOG.findall(self.content))]
        return [each.decode() for each in FILE_ID.findall(self.content)]


class Visitor:
    """A user with cookies. Middleware, session and templates are those of the site."""

    def __init__(self, handler: Callable[[Any], Any], cookie: str) -> None:
        # Django must be set up first.
        from django.test import RequestFactory

        self._handler = handler
        self._requests = RequestFactory(headers={"host": "localhost", "cookie": cookie})

    def send(self, address: str, data: dict[str, Any] | None = None) -> Reply:
        """Return the response to GET, or with `data` to POST.

        Raises RuntimeError if its status is not 200.
        """
        if data is None:
            request: Any = self._requests.get(address, secure=True)
        else:
            request = self._requests.post(address, data, secure=True)
            request._dont_enforce_csrf_checks = True
        start = time.perf_counter()
        response = self._handler(request)
        content: bytes = response.getvalue()  # reads a stream to its end
        seconds = time.perf_counter() - start
        if response.status_code != 200:
            raise RuntimeError(f"{address} has the status {response.status_code}")
        return Reply(content, seconds)
