"""The site's Lambda function: requests of API Gateway, and no other event.

Zappa's own handler executes the Python code of `raw_command`, calls the function of `command` and runs the
command of `manage`, for everybody who may invoke the function.
"""

import logging
from typing import Any

from zappa import handler as zappa_handler

# The fields of an event that reach Zappa. Others are dropped: Zappa would set environment variables from
# `stageVariables`, and read another format because of `version`.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
MAPPINGS = (
    "headers",
    "multiValueHeaders",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "pathParameters",
)
FIELDS = ("resource", "path", "httpMethod", *MAPPINGS, "requestContext", "body", "isBase64Encoded")
MAX_NAMES, MAX_NAME_LENGTH = 10, 40

logger = logging.getLogger(__name__)


class EventRefused(Exception):
    """The event is no request of API Gateway."""


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Return the site's response to a request of API Gateway (REST API, proxy integration).

    Raise EventRefused for any other event, after a log line with the names of the event's fields.
    """
    if not is_api_gateway_request(event):
        # A caller chooses the names: few, short and in ASCII.
        names = sorted(map(str, event))[:MAX_NAMES] if isinstance(event, dict) else [type(event).__name__]
        fields = ", ".join(ascii(name[:MAX_NAME_LENGTH]) for name in names)
        logger.error("event refused: it is no request of API Gateway. Its fields: %s", fields)
        raise EventRefused("The event must be a request of API Gateway. Nothing else is accepted.")
    request = {name: event[name] for name in FIELDS if name in event}
    response: dict[str, Any] = zappa_handler.lambda_handler(request, context)
    return response


def is_api_gateway_request(event: Any) -> bool:
    """Return whether the event has the form of an API Gateway request (REST API).

    Everybody who may invoke the function can build such an event. It has the rights of an anonymous visitor.
    """
    # HTTP APIs and function URLs send 2.0. REST APIs send no version, an emulator 1.0.
    if not isinstance(event, dict) or event.get("version", "1.0") != "1.0":
        return False
    request_context = event.get("requestContext")
    return (
        isinstance(request_context, dict)
        and "elb" not in request_context
        and all(_is_text(request_context.get(name)) for name in ("apiId", "stage"))
        and all(_is_text(event.get(name)) for name in ("httpMethod", "path"))
        and all(isinstance(event.get(name), dict | None) for name in MAPPINGS)
        and isinstance(event.get("body"), str | None)
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""
