"""Log lines of the site: JSON with request ids on Lambda, escaped text elsewhere.

No text of a request, such as its path, can forge a line or control a terminal.
"""

import json
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from ingest.cli.terminal import escape_controls

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


def request_id() -> str | None:
    """Return the id of API Gateway's request, or None without API Gateway."""
    return (_request_ids.get() or {}).get("request_id")


class JsonFormatter(logging.Formatter):
    """A formatter of JSON lines in ASCII. JSON escapes all other characters and line breaks."""

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
        return json.dumps(line)


class TextFormatter(logging.Formatter):
    r"""A formatter of text lines for a terminal. It escapes characters such as `\x1b`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line, followed by an exception's stack trace."""
        moment = datetime.fromtimestamp(record.created, UTC)
        message = escape_controls(record.getMessage())
        line = f"{moment:%Y-%m-%d %H:%M:%S} {record.levelname} {record.name}: {message}"
        if record.exc_info:
            line += "\n" + escape_controls(self.formatException(record.exc_info), keep="\n")
        return line


LAMBDA_LOGGING: dict[str, Any] = {
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

TEXT_LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"text": {"()": TextFormatter}},
    "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "text"}},
    "root": {"handlers": ["lines"], "level": "WARNING"},
    "loggers": {
        # A line per request.
        "logsite.middleware": {"level": "INFO"},
        # Django's own handlers print texts as they are.
        "django": {"handlers": [], "level": "INFO"},
        # Its line per request has the query string, and the middleware logs one already.
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
    },
}
