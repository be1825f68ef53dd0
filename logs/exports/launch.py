"""Start a worker: invoke its function, or start a thread of this process."""

import json
import logging
import os
import threading
from typing import Any

from botocore.config import Config
from botocore.session import Session

from logs.exports import worker
from logs.exports.files import Files, FilesUnavailable, files
from logs.storage.errors import AWS_ERRORS, StoreUnavailable

logger = logging.getLogger(__name__)


class NotStarted(Exception):
    """Lambda did not accept the invocation."""


def start(owner: str, export_id: str) -> None:
    """Let a worker work on an export. Another start does no harm.

    Costs one invocation if LOGS_EXPORTS_FUNCTION names a function. Raises NotStarted.
    """
    if function := os.environ.get("LOGS_EXPORTS_FUNCTION"):
        _invoke(function, {"owner": owner, "export": export_id})
    elif each := files():
        # The process may end: the page of the export starts another worker.
        thread = threading.Thread(target=_run, args=(owner, export_id, each), name="logs-export", daemon=True)
        thread.start()


def _invoke(function: str, event: dict[str, Any]) -> None:
    config = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 2})
    try:
        client: Any = Session().create_client("lambda", config=config)
        client.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())
    except AWS_ERRORS as error:
        raise NotStarted(str(error)) from error


def _run(owner: str, export_id: str, each: Files) -> None:
    try:
        worker.run(owner, export_id, each)
    except (StoreUnavailable, FilesUnavailable) as error:
        logger.error("The export %s was interrupted: %s", export_id, error)
