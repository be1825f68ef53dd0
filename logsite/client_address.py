"""The address of the client that sent a request."""

from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the client's address. It is empty if there is none, as behind a Unix socket.

    - On Lambda it is API Gateway's `sourceIp`. Zappa's REMOTE_ADDR is an entry of X-Forwarded-For that the
      client can choose.
    - Behind `TRUSTED_PROXY` proxies it is the entry of X-Forwarded-For that the first of them added. Entries
      before it can be forged.
    - Otherwise it is REMOTE_ADDR.
    """
    event = request.META.get("lambda.event")
    if isinstance(event, Mapping):
        context = event.get("requestContext")
        identity = context.get("identity") if isinstance(context, Mapping) else None
        source = identity.get("sourceIp") if isinstance(identity, Mapping) else None
        return source if isinstance(source, str) else ""
    if settings.TRUSTED_PROXY:
        entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(entries) >= settings.TRUSTED_PROXY and (entry := entries[-settings.TRUSTED_PROXY].strip()):
            return str(entry)
    return str(request.META.get("REMOTE_ADDR", ""))
