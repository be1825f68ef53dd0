"""The listing and the detail as HTML, in the admin's frame."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import partial, wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.core.exceptions import BadRequest
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    QueryDict,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import content_disposition_header

from logs import conf, cursor, reader, request_ids, row_views, signals, zones
from logs.characters import distinct, visible
from logs.fields import quoted
from logs.form_fields import DEFAULT_LIMIT, MAX_LIMIT
from logs.page_form import PageForm
from logs.pages import buttons, preferences
from logs.pages import export as exports
from logs.pages.adjacent import list_parameters, read_adjacent
from logs.pages.detail import Detail, as_json
from logs.pages.display import display_rejection
from logs.pages.filter_fields import FilterFields
from logs.pages.links import Link
from logs.pages.listing import Listing
from logs.pages.log_address import LogAddress, has_payload_only
from logs.pages.presets import PRESETS
from logs.pages.zone_switch import ZoneSwitch
from logs.permissions import reads_own_accounts
from logs.plan import Direction, Position
from logs.requests import check_request
from logs.storage import documents
from logs.storage.errors import UNAVAILABLE, StoreUnavailable

RETRY_AFTER_SECONDS = 5
# Set by search.js.
SCRIPT_COOKIE = "logs_script"

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
if TYPE_CHECKING:
    Admin = ModelAdmin[Any]  # generic in its stubs alone
else:
    Admin = ModelAdmin


def _handles_errors(
    view: Callable[Concatenate[HttpRequest, Admin, P], R],
) -> Callable[Concatenate[HttpRequest, Admin, P], R | HttpResponse]:
    """Return 503 in the admin's frame if DynamoDB does not answer, and 400 for an unreadable request."""

    @wraps(view)
    def handled(request: HttpRequest, admin: Admin, /, *args: P.args, **kwargs: P.kwargs) -> R | HttpResponse:
        try:
            check_request(request)
            return view(request, admin, *args, **kwargs)
        except BadRequest as error:
            return _bad_request(request, admin, error)
        except StoreUnavailable as error:
            logger.error(UNAVAILABLE, error)
            return _unavailable(request, admin)

    return handled


@_handles_errors
def listing(request: HttpRequest, admin: Admin) -> HttpResponse:
    """Return the page of logs that the query string asks for.

    An invalid value is shown at its field with status 400 and without rows: rows under a failed filter would
    look like its result. An invalid cursor leads to a message and to the first page of the same filter.
    """
    view = preferences.read(request)
    if redirect := buttons.redirect(request, view):
        return redirect
    includes_own = reads_own_accounts(request.user)
    lookup, choices = reader.KeyLookup(includes_own=includes_own), reader.ChoicesLookup()
    form = _form(request, request.GET, lookup, choices, view.limit)
    if not form.is_valid():
        return _rejected(request, admin, form)
    cost = lookup.cost
    if id_search := reader.search_id(form.log_filter, includes_own=includes_own):
        cost += id_search.cost
        if id_search.item:
            if text := display_rejection(id_search, form.zone):
                messages.warning(request, text)
            suffix = "" if form.zone is UTC else f"?{urlencode({'tz': zones.name(form.zone)})}"
            return HttpResponseRedirect(_url(admin, "change", id_search.item.id) + suffix)
    page = _listing(request, form, choices, view)
    page.id_search = id_search
    page.cost += cost
    page.cost += choices.cost
    page.panes = row_views.panes(request, page, partial(_url, admin, "change"))
    context = {"title": page.title, "listing": page, "filter": page.fields}
    return _listing_page(request, admin, context, form.zone)


def _rejected(request: HttpRequest, admin: Admin, form: PageForm) -> HttpResponse:
    """Return the page of an invalid filter: its errors, and what was typed."""
    context = {"title": "Logs", "form": form, "filter": FilterFields.rejected(form)}
    return _listing_page(request, admin, context, form.zone, HTTPStatus.BAD_REQUEST)


def _listing_page(
    request: HttpRequest,
    admin: Admin,
    context: dict[str, Any],
    zone: tzinfo,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    page_url = request.build_absolute_uri(request.path)
    context |= {"zones": ZoneSwitch(zone), "presets": PRESETS, "page_url": page_url}
    return _page(request, admin, "change_list", context, status)


def _form(
    request: HttpRequest,
    data: QueryDict,
    lookup: reader.KeyLookup,
    choices: reader.ChoicesLookup,
    default_limit: int = DEFAULT_LIMIT,
    raw: str | None = None,
) -> PageForm:
    return PageForm(
        buttons.without_empty_buttons(data),
        default_limit=default_limit,
        raw=request.META["QUERY_STRING"] if raw is None else raw,
        has_logs=lookup,
        spellings=choices.spellings,
        includes_own=reads_own_accounts(request.user),
    )


def _listing(
    request: HttpRequest, form: PageForm, choices: reader.ChoicesLookup, view: preferences.Preferences
) -> Listing:
    budget = conf.first_budget() if _continues_by_itself(request) else conf.budget()
    try:
        result = reader.read(form.query(), budget)
    except reader.LogNotFound:
        messages.warning(request, "The log of this link no longer exists. This is the first page.")
        result = reader.read(form.first_page(), budget)
    except cursor.BadCursor as error:
        messages.warning(request, f"This is the first page: {error}.")
        result = reader.read(form.first_page(), budget)
    signals.logs_read.send_robust(sender=Listing, request=request, query=result.query, via="page")
    listing = Listing(result, view, zone=form.zone, time_range=form.time_range)
    if listing.empty_page.may_be_mistyped:
        listing.empty_page.choices = choices()
    return listing


def _continues_by_itself(request: HttpRequest) -> bool:
    """Return whether the page continues by its script, which sets the cookie and then sends the header.

    The logs around one would not continue on both sides.
    """
    is_first = "X-Requested-With" not in request.headers and "around" not in request.GET
    return is_first and SCRIPT_COOKIE in request.COOKIES


@_handles_errors
def export(request: HttpRequest, admin: Admin) -> HttpResponseBase:
    """Return the logs of the query string as a file. For an invalid value it is the page of `listing`.

    The first page is read before anything is sent, so that an error still has its status.
    """
    query_string = request.GET.copy()
    kinds = query_string.pop("format", [])
    lookup = reader.KeyLookup(includes_own=reads_own_accounts(request.user))
    form = _form(request, query_string, lookup, reader.ChoicesLookup())
    if form.is_valid():
        for name in ("around", "limit"):
            if form.cleaned_data[name]:
                form.add_error(name, f"A file has no pages: leave {name} out.")
        if len(kinds) != 1 or kinds[0] not in exports.FORMATS:
            form.add_error(None, f"The format must be one of {' and '.join(exports.FORMATS)}: format=csv.")
    if form.errors:
        return _rejected(request, admin, form)
    try:
        query = replace(form.query(), limit=MAX_LIMIT)
    except cursor.BadCursor as error:
        form.add_error("cursor", f"{error}.")
        return _rejected(request, admin, form)
    result = reader.read(query, conf.budget())
    [kind] = kinds
    signals.logs_exported.send_robust(sender=exports.Format, request=request, query=query, format=kind)

    def address(position: Position) -> str:
        return request.build_absolute_uri(f"{request.path}?{exports.continuation(result, position, kind)}")

    return StreamingHttpResponse(
        exports.lines(result, exports.FORMATS[kind], address),
        content_type=exports.FORMATS[kind].content_type,
        headers={
            "Content-Disposition": content_disposition_header(
                True, exports.file_name(result.plan.filter, kind)
            ),
            "Cache-Control": "no-store",
        },
    )


def choices(request: HttpRequest) -> HttpResponse:
    """Return the values seen so far, which the filter's fields suggest."""
    try:
        choices = reader.choices()
    except StoreUnavailable as error:
        logger.error(UNAVAILABLE, error)
        return JsonResponse({}, status=HTTPStatus.SERVICE_UNAVAILABLE)
    # A browser would show a value with invisible characters as if it had none.
    return JsonResponse(
        {
            name: distinct(text for text in choices.values(name) if visible(text) == text)
            for name in reader.CHOICES
        }
    )


@_handles_errors
def detail(request: HttpRequest, admin: Admin, log_id: str) -> HttpResponse:
    """Return the page of one log, or a 404."""
    includes_own = reads_own_accounts(request.user)
    address = _log_address(request, admin, log_id)
    item, cost = reader.get_with_cost(log_id, includes_own=includes_own)
    if item is None:
        return _missing(request, admin, log_id)
    signals.log_opened.send_robust(sender=Detail, request=request, log_id=item.id, via="page")
    page = Detail(item, replace(address, log_id=item.id), cost, address.zone)
    page.read_timelines(includes_own=includes_own)
    link = request.build_absolute_uri(f"{address.changelist}{item.id}/change/")
    return _page(request, admin, "change_form", {"title": page.title, "detail": page, "link": link})


@_handles_errors
def adjacent(request: HttpRequest, admin: Admin, log_id: str, direction: Direction) -> HttpResponse:
    """Redirect to a neighbour in the list, or back with a message."""
    includes_own = reads_own_accounts(request.user)
    address = _log_address(request, admin, log_id)
    if (item := reader.get(log_id, includes_own=includes_own)) is None:
        return _missing(request, admin, log_id)
    lookup, choices = reader.KeyLookup(includes_own=includes_own), reader.ChoicesLookup()
    query = address.list_query or ""
    form = _form(request, list_parameters(query), lookup, choices, raw=query)
    if not form.is_valid():
        messages.warning(request, "The filter of the list is not valid, so the list has no order.")
        return HttpResponseRedirect(address.page(list_query=None))
    neighbour = read_adjacent(form.first_page().plan, item, direction, conf.budget())
    if neighbour.item is None:
        messages.info(request, neighbour.text)
    return HttpResponseRedirect(address.page(log_id=neighbour.item.id if neighbour.item else item.id))


def _log_address(request: HttpRequest, admin: Admin, log_id: str) -> LogAddress:
    return LogAddress.read(
        _url(admin, "changelist"),
        log_id,
        request.GET,
        request.headers.get("Referer", ""),
        request.get_host(),
    )


@_handles_errors
def file(request: HttpRequest, admin: Admin, log_id: str) -> HttpResponse:
    """Return one whole log as a JSON file, or its payload, or a 404."""
    is_payload = has_payload_only(request.GET)
    if (item := reader.get(log_id, includes_own=reads_own_accounts(request.user))) is None:
        return _missing(request, admin, log_id)
    signals.log_opened.send_robust(sender=Detail, request=request, log_id=item.id, via="file")
    if is_payload:
        return HttpResponse(
            documents.content(item).payload_text or "",
            content_type="text/plain; charset=utf-8",
            headers={
                "Content-Disposition": content_disposition_header(True, f"payload-{item.id}.txt"),
                "Cache-Control": "no-store",
            },
        )
    return HttpResponse(
        as_json(item),
        content_type="application/json",
        headers={
            "Content-Disposition": content_disposition_header(True, f"log-{item.id}.json"),
            "Cache-Control": "no-store",
        },
    )


def row(request: HttpRequest, admin: Admin, log_id: str) -> HttpResponse:
    """Return the content of an open row of the listing."""
    return row_views.fragment(request, log_id, _url(admin, "change", log_id))


def _missing(request: HttpRequest, admin: Admin, log_id: str) -> HttpResponse:
    if request_ids.log_id(log_id):
        text = (
            "There is no log with the ID “<bdi>{}</bdi>”. Perhaps it was deleted, or its retention has ended."
        )
        link = "Search for this ID in rejected messages, requests and traces"
    else:
        text = "“<bdi>{}</bdi>” is not the ID of a log: an ID has 32 hexadecimal digits."
        link = "Search for this text in all logs"
    address = f"{_url(admin, 'changelist')}?{urlencode({'q': log_id})}"
    context = {
        "title": "Log not found",
        "message": format_html(text, quoted(log_id)),
        "next_steps": [Link(link, address)] if PageForm({"q": log_id}).is_valid() else [],
    }
    return _page(request, admin, "error", context, HTTPStatus.NOT_FOUND)


def _bad_request(request: HttpRequest, admin: Admin, error: BadRequest) -> HttpResponse:
    context = {"title": "Bad request", "message": str(error)}
    return _page(request, admin, "error", context, HTTPStatus.BAD_REQUEST)


def _unavailable(request: HttpRequest, admin: Admin) -> HttpResponse:
    context = {"title": "The logs cannot be read at the moment", "seconds": RETRY_AFTER_SECONDS}
    response = _page(request, admin, "unavailable", context, HTTPStatus.SERVICE_UNAVAILABLE)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _url(admin: Admin, name: str, *arguments: str) -> str:
    return reverse(
        admin_urlname(admin.opts, name),  # type: ignore[arg-type]  # stubs: SafeString
        args=arguments,
        current_app=admin.admin_site.name,
    )


def _page(
    request: HttpRequest,
    admin: Admin,
    template: str,
    context: dict[str, Any],
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    # The admin's templates reverse their links within the site of the request.
    request.current_app = admin.admin_site.name
    context = {**admin.admin_site.each_context(request), "opts": admin.opts, **context}
    return TemplateResponse(request, f"admin/logs/log/{template}.html", context, status=status)
