"""Logs of a Django application: `log_request(request, type="login")` and LogContextMiddleware."""

import functools
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

from ingest import context
from ingest.client import LogClient
from ingest.context import NO_ONE, LogContext, UserNotLoaded
from ingest.request_fields import address_settings, request_context, request_fields, user_fields
from ingest.sending import local_time

logger = logging.getLogger(__name__)


class DjangoLogClient(LogClient):
    """A client that reads a naive `created_at` in Django's current time zone."""

    attach_zone = staticmethod(timezone.make_aware)


@functools.cache
def client() -> LogClient:
    """Return this process's DjangoLogClient, created at first use.

    The queue is LOGS_QUEUE_URL in Django's settings or in the environment. The client is strict if DEBUG is
    on, and masks the values that LOGS_MASK in Django's settings or in the environment names. The setting
    LOGS_CLIENT_OPTIONS, a dictionary, adds or overrides options. Raise ValueError if no queue is configured,
    or if LOGS_MASK is invalid.
    """
    mask = getattr(settings, "LOGS_MASK", None)
    options = {"strict": settings.DEBUG, "mask": mask, **getattr(settings, "LOGS_CLIENT_OPTIONS", {})}
    return DjangoLogClient(
        getattr(settings, "LOGS_QUEUE_URL", None) or os.environ.get("LOGS_QUEUE_URL"), **options
    )


def log_request(request: HttpRequest, *, type: str, sub_type: str = "", **fields: Any) -> str:  # noqa: A002  the field's name
    """Enqueue a log of a request. Return its id.

    These fields have defaults from the request, which `fields` overrides:

    - `url`: path and query string.
    - `user_id`, `user_name` and `submitter_id`: the signed-in user, otherwise 0, none and None.
    - `account_id` and `account_name`: the same attributes of `request.user`, otherwise 0 and none.
    - `submitter_country` and `submitter_city`: CloudFront's headers, or the headers that the settings
      LOGS_COUNTRY_HEADER and LOGS_CITY_HEADER name.
    - `submitter_platform`, `submitter_browser` and `submitter_agent`: the header User-Agent.
    - `submitter_ip`: the client's address, see `ingest.request_fields.submitter_ip`.
    - `request_id`: X-Request-ID, API Gateway's id or a new one, the same for all logs of the request.
    - `trace_id`: of `traceparent`, `X-Amzn-Trace-Id` or OpenTelemetry's current span, if there is one.

    A name is left out if `fields` has the id of another user or account. An async view must load its user
    first, with `await request.auser()`, or pass `user_id`. A naive `created_at` is in Django's current time
    zone. Raise the same exceptions as `LogClient.enqueue`,
    such as ValueError for invalid fields if DEBUG is on.
    """
    try:
        user = user_fields(request)
    except UserNotLoaded as error:
        if "user_id" not in fields:
            logger.warning("a log of an async view has no user: %s", error)
        user = {**NO_ONE, "submitter_id": None}
    if "created_at" in fields:
        fields["created_at"] = local_time.to_utc(fields["created_at"], timezone.make_aware)
    defaults = context.matching_names({**request_fields(request), **user}, fields)
    # The context of the request adds nothing. Another request's context would be wrong.
    with context.bind(None):
        return client().enqueue(**{**defaults, "type": type, "sub_type": sub_type, **fields})


class LogContextMiddleware:
    """Adds the fields of a request to each log inside it.

    They are the fields of `log_request`. Logs of `LogClient.enqueue` and LogHandler get them too. Fields that
    a log sets itself win. Put it first in MIDDLEWARE, so that the logs of other middleware have
    these fields too. It works in sync and async projects. The user is read when a log is sent, not before.

    Raise ImproperlyConfigured at the start if a setting of the address is invalid.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        address_settings()
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Return the response, or in an async project an awaitable of it."""
        if self._is_async:
            return self._call_async(request)
        log_context = request_context(request)
        with context.bind(log_context):
            return _keep(log_context, request, self.get_response(request))

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        log_context = request_context(request)
        with context.bind(log_context):
            return _keep(log_context, request, await self.get_response(request))


def _keep(log_context: LogContext, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return the response. Keep the context for logs after the middleware.

    - Django logs an error such as "Not Found" with the request, from which LogHandler takes the context.
      Other requests do not store it: a cycle of objects would keep them in memory for longer.
    - The content of a streaming response is read later. A file is left alone: its content logs nothing, and
      servers send it faster as it is.
    """
    if response.status_code >= 400:
        request.log_context = log_context  # type: ignore[attr-defined]  # an attribute of our own
    if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
        content: Any = response.streaming_content
        stream = _async_stream if response.is_async else _stream
        response.streaming_content = stream(content, log_context)
    return response


def _stream(content: Iterator[bytes], log_context: LogContext) -> Iterator[bytes]:
    while True:
        with context.bind(log_context):
            try:
                chunk = next(content)
            except StopIteration:
                return
        yield chunk


async def _async_stream(content: AsyncIterator[bytes], log_context: LogContext) -> AsyncIterator[bytes]:
    while True:
        with context.bind(log_context):
            try:
                chunk = await anext(content)
            except StopAsyncIteration:
                return
        yield chunk
