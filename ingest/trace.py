"""The ids that connect the logs of one request: request id and trace id."""

import re
import sys

MAX_REQUEST_ID_BYTES = 200

# W3C Trace Context: version, trace id, parent id, flags. A later version may append fields.
# https://www.w3.org/TR/trace-context/#traceparent-header
TRACEPARENT = re.compile("([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
# https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
AMAZON_ROOT = re.compile("Root=1-([0-9a-f]{8})-([0-9a-f]{24})", re.IGNORECASE)


def parse_request_id(text: object) -> str | None:
    """Return a request id from outside, or None if it is not acceptable.

    It must be printable ASCII of at most 200 bytes. Surrounding white space is removed.
    """
    if not isinstance(text, str):
        return None
    value = text.strip()
    is_valid = value.isascii() and value.isprintable() and 0 < len(value) <= MAX_REQUEST_ID_BYTES
    return value if is_valid else None


def parse_traceparent(header: str) -> str | None:
    """Return the trace id in a `traceparent` header, 32 hex digits. Return None if it is invalid."""
    match = TRACEPARENT.fullmatch(header.strip())
    if match is None:
        return None
    version, trace_id, parent_id, rest = match.groups()
    is_valid = version != "ff" and not (version == "00" and rest) and _is_set(trace_id) and _is_set(parent_id)
    return trace_id if is_valid else None


def parse_amazon_trace_id(header: str) -> str | None:
    """Return the root of an `X-Amzn-Trace-Id` header as 32 hex digits. Return None if it is invalid."""
    for part in header.split(";"):
        if match := AMAZON_ROOT.fullmatch(part.strip()):
            trace_id = "".join(match.groups()).lower()
            return trace_id if _is_set(trace_id) else None
    return None


def current_trace_id() -> str | None:
    """Return the trace id of OpenTelemetry's current span, or None.

    The package is not imported here: unless the application has imported it, there is no span.
    """
    module = sys.modules.get("opentelemetry.trace")
    if module is None:
        return None
    span_context = module.get_current_span().get_span_context()
    return f"{span_context.trace_id:032x}" if span_context.is_valid else None


def trace_id(traceparent: str, amazon_trace_id: str) -> str | None:
    """Return the trace id of a request, or None.

    The sources, in this order: `traceparent`, X-Ray's header, OpenTelemetry.
    """
    return parse_traceparent(traceparent) or parse_amazon_trace_id(amazon_trace_id) or current_trace_id()


def _is_set(digits: str) -> bool:
    return digits.strip("0") != ""
