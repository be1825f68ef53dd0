"""The listing as a page and as files, and the suggestions of its filter."""

import logging
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase

from logs import conf, cursor, reader, row_views, signals, zones
from logs.characters import distinct, visible
from logs.exports.chunks import PAGE_ROWS
from logs.exports.formats import FORMATS
from logs.exports.spec import Spec
from logs.frame import Admin, FramedPage, handles_errors, is_from_script, render, reverse_url
from logs.page_form import PageForm
from logs.pages import buttons, preferences
from logs.pages import export as exports
from logs.pages.address import Address
from logs.pages.display import display_rejection
from logs.pages.filter_fields import FilterFields
from logs.pages.listing import Listing
from logs.pages.presets import PRESETS
from logs.pages.view_tabs import ViewTabs, address_of, read_tabs
from logs.pages.zone_switch import ZoneSwitch
from logs.permissions import reads_own_accounts
from logs.plan import Position
from logs.request_form import read_form
from logs.saved_view_views import may_share
from logs.storage.errors import UNAVAILABLE, StoreUnavailable

# Set by search.js.
SCRIPT_COOKIE = "logs_script"

logger = logging.getLogger(__name__)


@handles_errors
def listing(request: HttpRequest, admin: Admin) -> HttpResponse:
    """Return the page of logs that the query string asks for.

    An invalid value is shown at its field with status 400 and without rows: rows under a failed filter would
    look like its result. An invalid cursor leads to a message and to the first page of the same filter.
    """
    view = preferences.read(request)
    if redirect := buttons.redirect(request, view):
        return redirect
    tabs = read_tabs(request.user, request.GET.get("view", ""), may_share=may_share(request, admin))
    if tabs and tabs.start and not request.GET:
        return HttpResponseRedirect(request.path + address_of(tabs.start))
    view = preferences.of_address(request.GET, tabs.preferences(view) if tabs else view)
    includes_own = reads_own_accounts(request.user)
    lookup, choices = reader.KeyLookup(includes_own=includes_own), reader.ChoicesLookup()
    form = read_form(request, request.GET, lookup, choices, view.limit)
    if not form.is_valid():
        return rejected(request, admin, form, tabs)
    cost = lookup.cost
    if id_search := reader.search_id(form.log_filter, includes_own=includes_own):
        cost += id_search.cost
        if id_search.item:
            if text := display_rejection(id_search, form.zone):
                messages.warning(request, text)
            suffix = "" if form.zone is UTC else f"?{urlencode({'tz': zones.name(form.zone)})}"
            return HttpResponseRedirect(reverse_url(admin, "change", id_search.item.id) + suffix)
    page = _listing(request, form, choices, view, tabs)
    page.id_search = id_search
    page.other_cost += cost
    page.panes = row_views.panes(request, page, partial(reverse_url, admin, "change"))
    context = {"title": page.title, "listing": page, "filter": page.fields, "views": tabs}
    response = _listing_page(request, admin, context, form.zone)

    def send_signal(_: HttpResponse) -> None:
        signals.logs_read.send_robust(sender=Listing, request=request, query=page.query, via="page")

    # Not before, because the rows are read until then.
    response.add_post_render_callback(send_signal)
    return response


def rejected(
    request: HttpRequest, admin: Admin, form: PageForm, tabs: ViewTabs | None = None
) -> HttpResponse:
    """Return the page of an invalid filter: its errors, and the typed values."""
    context = {
        "title": "Logs",
        "form": form,
        "filter": FilterFields.rejected(form),
        "views": tabs,
        "outdated_view": tabs.current if tabs and tabs.is_outdated(request.GET) else None,
    }
    return _listing_page(request, admin, context, form.zone, HTTPStatus.BAD_REQUEST)


def _listing_page(
    request: HttpRequest,
    admin: Admin,
    context: dict[str, Any],
    zone: tzinfo,
    status: HTTPStatus = HTTPStatus.OK,
) -> FramedPage:
    page_url = request.build_absolute_uri(request.path)
    context |= {"zones": ZoneSwitch(zone), "presets": PRESETS, "page_url": page_url}
    return render(request, admin, "change_list", context, status)


def _listing(
    request: HttpRequest,
    form: PageForm,
    choices: reader.ChoicesLookup,
    view: preferences.Preferences,
    tabs: ViewTabs | None,
) -> Listing:
    budget = conf.first_budget() if _continues_by_itself(request) else conf.budget()
    try:
        result = reader.start(form.query(), budget)
    except reader.LogNotFound:
        messages.warning(request, "The log of this link no longer exists. This is the first page.")
        result = reader.start(form.first_page(), budget)
    except cursor.BadCursor as error:
        messages.warning(request, f"This is the first page: {error}.")
        result = reader.start(form.first_page(), budget)
    address = Address(result.plan, result.query.limit, form.zone, form.time_range, view.limit, form.kept)
    if tabs:
        address = replace(address, needs_all=tabs.start is not None)
        tabs.show(address, view, is_first_page=result.query.start is None)
    return Listing(result, view, address, choices)


def _continues_by_itself(request: HttpRequest) -> bool:
    """Return whether the page continues by its script, which sets the cookie and then sends the header.

    The logs around one would not continue on both sides.
    """
    is_first = not is_from_script(request) and "around" not in request.GET
    return is_first and SCRIPT_COOKIE in request.COOKIES


@handles_errors
def export(request: HttpRequest, admin: Admin) -> HttpResponseBase:
    """Return the logs of the query string as a file. For an invalid value it is the page of `listing`.

    The first page is read before anything is sent, so that an error still has its status.
    """
    query_string = request.GET.copy()
    kinds = query_string.pop("format", [])
    lookup = reader.KeyLookup(includes_own=reads_own_accounts(request.user))
    form = read_form(request, query_string, lookup, reader.ChoicesLookup())
    if form.is_valid():
        for name in ("around", "limit"):
            if form.cleaned_data[name]:
                form.add_error(name, f"A file has no pages: leave {name} out.")
        if len(kinds) != 1 or kinds[0] not in FORMATS:
            form.add_error(None, f"The format must be one of {', '.join(FORMATS)}: format=csv.")
    if form.errors:
        return rejected(request, admin, form)
    try:
        query = replace(form.query(), limit=PAGE_ROWS)
    except cursor.BadCursor as error:
        form.add_error("cursor", f"{error}.")
        return rejected(request, admin, form)
    result = reader.read(query, conf.budget())
    [kind] = kinds
    spec = Spec(result.plan, kind, zone=form.zone)
    signals.logs_exported.send_robust(sender=Spec, request=request, query=query, format=kind)

    def address(position: Position) -> str:
        query_string = exports.continuation(result, position, kind, form.zone)
        return request.build_absolute_uri(f"{request.path}?{query_string}")

    return StreamingHttpResponse(
        exports.lines(result, spec, address),
        content_type=spec.form.content_type,
        headers=exports.file_headers(exports.file_name(result.plan.filter, kind)),
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
