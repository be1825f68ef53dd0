"""A fake SQS that can be switched off."""

import json
import threading
from typing import Any

from botocore.exceptions import EndpointConnectionError


class SwitchedSqs:
    """Accepts batches while it is `on`, and is unreachable otherwise."""

    def __init__(self) -> None:
        self.on = threading.Event()
        self.on.set()
        self.lock = threading.Lock()
        self.batches: list[list[str]] = []
        self.tries = 0

    def close(self) -> None:
        """Do nothing, as there are no connections."""

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        with self.lock:
            self.tries += 1
            if not self.on.is_set():
                raise EndpointConnectionError(endpoint_url=QueueUrl)
            self.batches.append([entry["MessageBody"] for entry in Entries])
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    @property
    def users(self) -> list[int]:
        """Return the user ids of the accepted logs, in order."""
        return [json.loads(body)["user_id"] for batch in self.batches for body in batch]
