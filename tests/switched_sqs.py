"""A queue that can be switched off."""

import json
import threading
from typing import Any

from botocore.exceptions import EndpointConnectionError


class SwitchedSqs:
    """Takes batches while it is `on`, and cannot be reached otherwise."""

    def __init__(self) -> None:
        self.on = threading.Event()
        self.on.set()
        self.lock = threading.Lock()
        self.batches: list[list[str]] = []
        self.tries = 0

    def close(self) -> None:
        """Let go, as boto3's client does."""

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        with self.lock:
            self.tries += 1
            if not self.on.is_set():
                raise EndpointConnectionError(endpoint_url=QueueUrl)
            self.batches.append([entry["MessageBody"] for entry in Entries])
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    @property
    def users(self) -> list[int]:
        """Return the numbers of the logs that were taken, in their order."""
        return [json.loads(body)["user_id"] for batch in self.batches for body in batch]
