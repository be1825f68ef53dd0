"""The header `Link` of a page of the API (RFC 8288)."""

from collections.abc import Mapping

from django.http import HttpRequest

# API Gateway passes at most 10,240 bytes of headers:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
MAX_BYTES = 8_000
# The parameters that say where a page begins.
START_PARAMETERS = ("at", "around", "cursor")


def page_links(request: HttpRequest, cursors: Mapping[str, str | None]) -> str | None:
    """Return the header `Link` to other pages, or None.

    The pages are those of `cursors`, by relation, and the first page. Links that are too long together are
    left out, the last ones first. Without the first link there is no header.
    """
    values = request.GET.copy()
    for name in START_PARAMETERS:
        values.pop(name, None)
    addresses = {}
    for relation, cursor in cursors.items():
        if cursor:
            values["cursor"] = cursor
            addresses[relation] = values.urlencode()
    values.pop("cursor", None)
    addresses["first"] = values.urlencode()
    header = None
    for relation, query in addresses.items():
        address = request.build_absolute_uri(f"?{query}" if query else request.path)
        link = f'<{address}>; rel="{relation}"'
        longer = f"{header}, {link}" if header else link
        if len(longer) > MAX_BYTES:
            break
        header = longer
    return header
