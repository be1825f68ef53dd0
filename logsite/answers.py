"""No answer is larger than Lambda carries: API Gateway would make “Internal server error” of it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from logs import room

# Lambda takes 6,291,556 bytes, with the headers.
MAX_CARRIED = 6_000_000
# Fewer never fill it: no byte becomes more than six.
CERTAINLY_FITS = MAX_CARRIED // 6


class LimitMiddleware:
    """Ask for compression where an answer is too large; what streams has a limit of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; return 400 instead of an answer that would not arrive.

        Whatever came through the queue has less than 1 MiB compressed, so asking again for that helps.
        """
        response = self.get_response(request)
        if response.streaming or len(response.content) <= CERTAINLY_FITS or fits(response):
            return response
        message = (
            f"This has {len(response.content):,} bytes, and an answer holds fewer. "
            "Ask for it compressed: Accept-Encoding: gzip (curl --compressed)."
        )
        if response.get("Content-Type", "").startswith("application/json"):
            # Not above: it loads ninja, which only the API needs.
            from logs import api

            return api.error(400, message)
        return HttpResponse(message, status=400, content_type="text/plain; charset=utf-8")


def fits(response: HttpResponse) -> bool:
    """Tell whether an answer fits in what Lambda carries."""
    if response.has_header("Content-Encoding"):
        return room.carried_binary(len(response.content)) <= MAX_CARRIED
    return room.carried(response.content.decode(errors="replace")) <= MAX_CARRIED
