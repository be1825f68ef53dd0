"""`python -m ingest.worker`, killed by each message of the user `poison`."""

import os
import signal
from typing import Any

from ingest import worker
from ingest.writing import items

to_item = items.to_item


def kill(message: Any, envelope: Any) -> Any:
    """Return the item of a message, or end the process as the system does if memory is exhausted."""
    if message.user_id == "poison":
        os.kill(os.getpid(), signal.SIGKILL)
    return to_item(message, envelope)


items.to_item = kill  # type: ignore[assignment]  # without the options that the handler omits

if __name__ == "__main__":
    worker.main()
