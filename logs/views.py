"""The listing and the detail as HTML, in the frame of whichever admin they stand in."""

import logging
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import content_disposition_header

from logs import answer, cursor, reader
from logs.detail import Detail, as_json
from logs.export import FORMATS, file_name, lines, with_cursor
from logs.forms import MAX_LIMIT, FilterForm, parameters
from logs.listing import Listing
from logs.plan import Position

RETRY_AFTER_SECONDS = 5

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


def _unless_away(
    view: Callable[Concatenate[HttpRequest, AdminSite, P], R],
) -> Callable[Concatenate[HttpRequest, AdminSite, P], R | HttpResponse]:
    """Say in the admin's frame where DynamoDB does not answer."""

    @wraps(view)
    def shown(
        request: HttpRequest, site: AdminSite, /, *args: P.args, **kwargs: P.kwargs
    ) -> R | HttpResponse:
        try:
            return view(request, site, *args, **kwargs)
        except reader.StoreUnavailable as error:
            logger.error(reader.AWAY, error)
            return _unavailable(request, site)

    return shown


@_unless_away
def listing(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show a page of the logs that the query string asks for.

    A wrong value is shown at its field with status 400, and no rows: all rows under a failed filter would
    read as the answer. A cursor that is no good gives a message and the first page of the same filter.
    """
    form = FilterForm(request.GET)
    context: dict[str, Any] = {"title": "Logs", "form": form}
    if not form.is_valid():
        return _page(request, site, "change_list", context, HTTPStatus.BAD_REQUEST)
    if (log_id := form.cleaned_data["q"]) and (item := reader.get(log_id)):
        change = reverse("admin:logs_log_change", args=[item.id], current_app=site.name)
        return HttpResponseRedirect(change)
    context["listing"] = _listing(request, form)
    # Shown as it was understood: a bare date as the moment that it stands for.
    context["form"] = FilterForm(parameters(form.plan.filter, form.page_size()))
    return _page(request, site, "change_list", context)


def _listing(request: HttpRequest, form: FilterForm) -> Listing:
    try:
        found = answer.read(form)
    except answer.Gone:
        messages.warning(request, "The log that this link leads to is gone. This is the first page.")
        found = answer.first(form)
    except cursor.BadCursor as error:
        messages.warning(request, f"This is the first page: {error}.")
        found = answer.first(form)
    listing = Listing(found, form.page_size())
    if listing.may_be_mistyped:
        listing.choices = reader.choices()
    return listing


@_unless_away
def export(request: HttpRequest, site: AdminSite) -> HttpResponseBase:
    """Send the logs that the query string asks for as a file; with a wrong value, what `listing` shows.

    The first page is read before anything is sent, so that what is wrong still has its status.
    """
    asked = request.GET.copy()
    formats = asked.pop("format", [])
    form = FilterForm(asked)
    context: dict[str, Any] = {"title": "Logs", "form": form}
    if form.is_valid():
        for name in ("around", "limit"):
            if form.cleaned_data[name]:
                form.add_error(name, f"A file has no pages: leave {name} out.")
        if len(formats) != 1 or formats[0] not in FORMATS:
            form.add_error(None, f"The format must be one of {' and '.join(FORMATS)}: format=csv.")
    if form.errors:
        return _page(request, site, "change_list", context, HTTPStatus.BAD_REQUEST)
    form.cleaned_data["limit"] = MAX_LIMIT
    try:
        found = answer.read(form)
    except cursor.BadCursor as error:
        form.add_error("cursor", f"{error}.")
        return _page(request, site, "change_list", context, HTTPStatus.BAD_REQUEST)
    [kind] = formats

    def address(position: Position) -> str:
        place = f"{request.path}?{urlencode(with_cursor(found, position, kind), doseq=True)}"
        return request.build_absolute_uri(place)

    return StreamingHttpResponse(
        lines(found, FORMATS[kind], MAX_LIMIT, address),
        content_type=FORMATS[kind].content_type,
        headers={
            "Content-Disposition": content_disposition_header(True, file_name(found, kind)),
            "Cache-Control": "no-store",
        },
    )


def choices(request: HttpRequest) -> HttpResponse:
    """Return the types and sub types that there are, for the filter's fields to suggest."""
    try:
        found = reader.choices()
    except reader.StoreUnavailable as error:
        logger.error(reader.AWAY, error)
        return JsonResponse({}, status=HTTPStatus.SERVICE_UNAVAILABLE)
    return JsonResponse({"type": found.types, "sub_type": found.sub_types})


@_unless_away
def detail(request: HttpRequest, site: AdminSite, log_id: str) -> HttpResponse | None:
    """Show one log with every field, or return None where there is no such log."""
    if (item := reader.get(log_id)) is None:
        return None
    changelist = reverse("admin:logs_log_changelist", current_app=site.name)
    file = reverse("admin:logs_log_json", args=[item.id], current_app=site.name)
    page = Detail(item, changelist, request.GET.get("_changelist_filters", ""), file)
    return _page(request, site, "change_form", {"title": page.title, "detail": page})


@_unless_away
def file(request: HttpRequest, site: AdminSite, log_id: str) -> HttpResponse | None:
    """Send all of one log as a file, JSON, or return None where there is no such log."""
    if (item := reader.get(log_id)) is None:
        return None
    return HttpResponse(
        as_json(item),
        content_type="application/json",
        headers={
            "Content-Disposition": content_disposition_header(True, f"log-{item.id}.json"),
            "Cache-Control": "no-store",
        },
    )


def _unavailable(request: HttpRequest, site: AdminSite) -> HttpResponse:
    context = {"title": "The logs cannot be read at the moment"}
    response = _page(request, site, "unavailable", context, HTTPStatus.SERVICE_UNAVAILABLE)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _page(
    request: HttpRequest,
    site: AdminSite,
    template: str,
    context: dict[str, Any],
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    # The admin's templates reverse their links within the site that the request came through.
    request.current_app = site.name
    return TemplateResponse(
        request, f"admin/logs/log/{template}.html", {**site.each_context(request), **context}, status=status
    )
