"""Log lines of the site's Lambda function: a JSON object each, with request ids."""

import json
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

# Not reset at the end of a request: an error while the response is closed belongs to it.
_request_ids: ContextVar[Mapping[str, str] | None] = ContextVar("request_ids", default=None)


def set_request_ids(event: Any, context: Any) -> None:
    """Set the request's ids for the log lines that follow.

    They come from API Gateway's event and Lambda's context. Without API Gateway the lines have no ids.
    """
    request = event.get("requestContext") if isinstance(event, Mapping) else None
    ids = {
        "request_id": request.get("requestId") if isinstance(request, Mapping) else None,
        "invocation_id": getattr(context, "aws_request_id", None),
    }
    _request_ids.set({name: value for name, value in ids.items() if isinstance(value, str)})


class JsonFormatter(logging.Formatter):
    """A formatter of JSON lines. JSON escapes line breaks, so that no text can forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON, with its request's ids and an exception's stack trace."""
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **(_request_ids.get() or {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonFormatter}},
    "handlers": {
        "lines": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}
    },
    "root": {"handlers": ["lines"], "level": "INFO"},
    "loggers": {
        # At DEBUG these log whole requests, with payloads.
        **{name: {"level": "INFO"} for name in ("boto3", "botocore", "pynamodb")},
        # Its line per request holds the query string, which contains search texts.
        "zappa.wsgi": {"level": "WARNING"},
    },
}
