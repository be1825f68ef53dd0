"""The limit on the size of a response.

API Gateway replaces a larger response by “Internal server error”.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from logs.pages import response_size

# Lambda's own limit is 6,291,556 bytes, headers included.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_ENCODED_BYTES = 6_000_000
# A smaller body always fits: encoding turns one byte into at most six.
ALWAYS_FITS_BYTES = MAX_ENCODED_BYTES // 6


class ResponseSizeMiddleware:
    """Replace a response that is too large for Lambda by an error.

    The error tells the client to request compression. Streaming responses pass, because the export limits
    its own size.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response, or a 400 if it is too large.

        SQS limits a compressed message to 1 MiB, so a compressed response of one log always fits.
        """
        response = self.get_response(request)
        if response.streaming or len(response.content) <= ALWAYS_FITS_BYTES or fits(response):
            return response
        message = (
            f"The response has {len(response.content):,} bytes, more than Lambda can return. "
            "Request it compressed, with the header Accept-Encoding: gzip (curl --compressed)."
        )
        if response.get("Content-Type", "").startswith(("application/json", "application/x-ndjson")):
            # Imported here because it loads ninja, which only the API needs.
            from logs import api_errors

            return api_errors.error(400, message)
        return HttpResponse(message, status=400, content_type="text/plain; charset=utf-8")


def fits(response: HttpResponse) -> bool:
    """Return whether Lambda can return the response."""
    if response.has_header("Content-Encoding"):
        return response_size.base64_size(len(response.content)) <= MAX_ENCODED_BYTES
    return response_size.encoded_size(response.content.decode(errors="replace")) <= MAX_ENCODED_BYTES
