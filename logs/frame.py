"""Pages in the admin's frame, and those of errors."""

import logging
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlencode

from django.contrib.admin import ModelAdmin
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from logs import request_ids
from logs.fields import quoted
from logs.page_form import PageForm
from logs.pages.links import Link
from logs.requests import check_request
from logs.storage.errors import UNAVAILABLE, StoreUnavailable

RETRY_AFTER_SECONDS = 5

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
if TYPE_CHECKING:
    Admin = ModelAdmin[Any]  # generic in its stubs alone
else:
    Admin = ModelAdmin


def handles_errors(
    view: Callable[Concatenate[HttpRequest, Admin, P], R],
) -> Callable[Concatenate[HttpRequest, Admin, P], R | HttpResponse]:
    """Show the errors of a view in the admin's frame.

    They are 503 if DynamoDB does not answer, and 400 for an unreadable request.
    """

    @wraps(view)
    def handled(request: HttpRequest, admin: Admin, /, *args: P.args, **kwargs: P.kwargs) -> R | HttpResponse:
        try:
            check_request(request)
            return view(request, admin, *args, **kwargs)
        except BadRequest as error:
            return _bad_request(request, admin, error)
        except StoreUnavailable as error:
            return _unavailable(request, admin, error)

    return handled


class FramedPage(TemplateResponse):
    """A page in the admin's frame. If its template cannot read the logs, it is the page that says so."""

    def __init__(self, request: HttpRequest, admin: Admin, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self._admin = admin

    def render(self) -> HttpResponse:  # type: ignore[override]  # Django sends what this returns
        """Return the page, or a 503 if its template cannot read the logs."""
        try:
            return super().render()
        except StoreUnavailable as error:
            return _unavailable(self._request, self._admin, error).render()


def is_from_script(request: HttpRequest) -> bool:
    """Return whether a script of the pages sends a request. Most views then return a fragment."""
    return "X-Requested-With" in request.headers


def reverse_url(admin: Admin, name: str, *arguments: str) -> str:
    """Return the path of a page of the admin."""
    return reverse(
        admin_urlname(admin.opts, name),  # type: ignore[arg-type]  # stubs: SafeString
        args=arguments,
        current_app=admin.admin_site.name,
    )


def render(
    request: HttpRequest,
    admin: Admin,
    template: str,
    context: dict[str, Any],
    status: HTTPStatus = HTTPStatus.OK,
) -> FramedPage:
    """Return a page from a template and its context."""
    # The admin's templates reverse their links within the site of the request.
    request.current_app = admin.admin_site.name
    context = {**admin.admin_site.each_context(request), "opts": admin.opts, **context}
    return FramedPage(request, admin, f"admin/logs/log/{template}.html", context, status=status)


def missing(request: HttpRequest, admin: Admin, log_id: str) -> HttpResponse:
    """Return the 404 of a log. It offers a search for its ID."""
    if request_ids.log_id(log_id):
        text = (
            "There is no log with the ID “<bdi>{}</bdi>”. Perhaps it was deleted, or its retention has ended."
        )
        link = "Search for this ID in rejected messages, requests and traces"
    else:
        text = "“<bdi>{}</bdi>” is not the ID of a log: an ID has 32 hexadecimal digits."
        link = "Search for this text in all logs"
    address = f"{reverse_url(admin, 'changelist')}?{urlencode({'q': log_id})}"
    context = {
        "title": "Log not found",
        "message": format_html(text, quoted(log_id)),
        "next_steps": [Link(link, address)] if PageForm({"q": log_id}).is_valid() else [],
    }
    return render(request, admin, "error", context, HTTPStatus.NOT_FOUND)


def _bad_request(request: HttpRequest, admin: Admin, error: BadRequest) -> HttpResponse:
    context = {"title": "Bad request", "message": str(error)}
    return render(request, admin, "error", context, HTTPStatus.BAD_REQUEST)


def _unavailable(request: HttpRequest, admin: Admin, error: StoreUnavailable) -> FramedPage:
    logger.error(UNAVAILABLE, error)
    context = {"title": "The logs cannot be read at the moment", "seconds": RETRY_AFTER_SECONDS}
    response = render(request, admin, "unavailable", context, HTTPStatus.SERVICE_UNAVAILABLE)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
