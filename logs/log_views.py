"""The page of one log, its timelines, its neighbours in the list, its file."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils.http import content_disposition_header

from logs import conf, reader, row_views, signals
from logs.frame import Admin, handles_errors, is_from_script, missing, render, reverse_url
from logs.pages.adjacent import list_parameters, read_adjacent
from logs.pages.detail import Detail, as_json
from logs.pages.log_address import LogAddress, has_payload_only
from logs.pages.log_fields import LogFields
from logs.pages.timelines import Timelines
from logs.permissions import reads_own_accounts
from logs.plan import Direction
from logs.request_form import read_form
from logs.storage import documents


@handles_errors
def detail(request: HttpRequest, admin: Admin, log_id: str) -> HttpResponse:
    """Return the page of one log, or a 404. Costs one GetItem."""
    address = _log_address(request, admin, log_id)
    item, cost = reader.get_with_cost(log_id, includes_own=reads_own_accounts(request.user))
    if item is None:
        return missing(request, admin, log_id)
    signals.log_opened.send_robust(sender=Detail, request=request, log_id=item.id, via="page")
    page = Detail(item, replace(address, log_id=item.id), cost)
    link = request.build_absolute_uri(f"{address.changelist}{item.id}/change/")
    return render(request, admin, "change_form", {"title": page.title, "detail": page, "link": link})


@handles_errors
def timelines(request: HttpRequest, admin: Admin, log_id: str) -> HttpResponse:
    """Return the timelines of one log as a page or a fragment.

    It is a 404 if the log does not exist. Costs one GetItem and the requests of `Timelines.read`.
    """
    includes_own = reads_own_accounts(request.user)
    address = _log_address(request, admin, log_id)
    item, cost = reader.get_with_cost(log_id, includes_own=includes_own)
    if item is None:
        return missing(request, admin, log_id)
    signals.log_opened.send_robust(sender=Timelines, request=request, log_id=item.id, via="timelines")
    log_fields = LogFields(item, documents.content(item), address.changelist, address.zone)
    page = Timelines(log_fields, replace(address, log_id=item.id))
    page.read(includes_own=includes_own)
    page.cost += cost
    if is_from_script(request):
        return HttpResponse(render_to_string("admin/logs/log/timelines.html", {"timelines": page}))
    return render(request, admin, "timelines_page", {"title": "Logs around this log", "timelines": page})


@handles_errors
def adjacent(request: HttpRequest, admin: Admin, log_id: str, direction: Direction) -> HttpResponse:
    """Redirect to a neighbour in the list, or back with a message."""
    includes_own = reads_own_accounts(request.user)
    address = _log_address(request, admin, log_id)
    if (item := reader.get(log_id, includes_own=includes_own)) is None:
        return missing(request, admin, log_id)
    lookup, choices = reader.KeyLookup(includes_own=includes_own), reader.ChoicesLookup()
    query = address.list_query or ""
    form = read_form(request, list_parameters(query), lookup, choices, raw=query)
    if not form.is_valid():
        messages.warning(request, "The filter of the list is not valid, so the list has no order.")
        return HttpResponseRedirect(address.page(list_query=None))
    neighbour = read_adjacent(form.first_page().plan, item, direction, conf.budget())
    if neighbour.item is None:
        messages.info(request, neighbour.text)
    return HttpResponseRedirect(address.page(log_id=neighbour.item.id if neighbour.item else item.id))


def _log_address(request: HttpRequest, admin: Admin, log_id: str) -> LogAddress:
    return LogAddress.read(
        reverse_url(admin, "changelist"),
        log_id,
        request.GET,
        request.headers.get("Referer", ""),
        request.get_host(),
    )


@handles_errors
def file(request: HttpRequest, admin: Admin, log_id: str) -> HttpResponse:
    """Return one whole log as a JSON file, or its payload, or a 404."""
    is_payload = has_payload_only(request.GET)
    if (item := reader.get(log_id, includes_own=reads_own_accounts(request.user))) is None:
        return missing(request, admin, log_id)
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
    return row_views.fragment(request, log_id, reverse_url(admin, "change", log_id))
