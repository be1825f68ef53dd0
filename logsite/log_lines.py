"""Log lines of the web function: one JSON object each, as CloudWatch searches them, with the request's id."""

import json
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

# Not taken back at a request's end: what goes wrong after it belongs to it.
_ids: ContextVar[Mapping[str, str] | None] = ContextVar("ids", default=None)


def note_request(event: Any, context: Any) -> None:
    """Keep the ids of a request for the lines that follow; none where it did not come through API Gateway."""
    asked = event.get("requestContext") if isinstance(event, Mapping) else None
    found = {
        "request_id": asked.get("requestId") if isinstance(asked, Mapping) else None,
        "invocation_id": getattr(context, "aws_request_id", None),
    }
    _ids.set({name: text for name, text in found.items() if isinstance(text, str)})


class JsonFormatter(logging.Formatter):
    """A line as JSON. A break in a text is escaped, so that nobody can write a line of their own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: when, how grave, who says it, what, for which request, and with what stack."""
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **(_ids.get() or {}),
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
        # At DEBUG these write whole requests, payloads included.
        **{name: {"level": "INFO"} for name in ("boto3", "botocore", "pynamodb")},
        # Its line for each request holds the query string, and with it what people search for.
        "zappa.wsgi": {"level": "WARNING"},
    },
}
