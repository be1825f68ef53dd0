"""The present: rows that are new, and how fresh the logs are."""

from datetime import UTC, datetime

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse

from logs import conf, cursor, reader, signals
from logs.frame import Admin, handles_errors, is_from_script, render, reverse_url
from logs.pages.freshness import FreshnessLine, read_freshness
from logs.pages.listing import Listing
from logs.pages.live import poll_address, range_end
from logs.plan import PageQuery
from logs.reader import Page, PageResult
from logs.reading.tail import tail_plan
from logs.request_form import read_address, read_shown


@handles_errors
def live(request: HttpRequest, admin: Admin) -> HttpResponse:
    """Return the rows from a cursor on as a fragment, the newest first.

    The first cursor is that of a listing, so nothing is read that its page did not begin. Costs as
    `reader.tail`. Raises BadRequest for another filter or cursor.
    """
    data = request.GET.copy()
    is_start = bool(data.pop("start", None))
    shown = read_shown(request, data)
    form, address = read_address(request, data, shown)
    if address is None:
        raise BadRequest("The filter is not valid. Open it in the list, which shows its errors.")
    plan = tail_plan(address.plan, range_end(address, datetime.now(UTC)))
    try:
        plan, position = cursor.resolve(form.cleaned_data["cursor"] or "", plan)
    except cursor.BadCursor as error:
        raise BadRequest(f"cursor: {error}.") from error
    if not is_from_script(request):
        data.pop("cursor", None)
        return HttpResponseRedirect(f"{reverse_url(admin, 'changelist')}?{data.urlencode()}")
    tail = reader.tail(plan, position, conf.budget())
    query = PageQuery(address.plan, None, address.limit)
    if is_start:
        signals.logs_read.send_robust(sender=Listing, request=request, query=query, via="live")
    result = PageResult(query, Page(tail.items[::-1], None, None, cost=tail.cost))
    context = {
        "listing": Listing(result, shown, address),
        "more": poll_address(address, plan, tail.more) if tail.more else None,
        "next": poll_address(address, plan, tail.next) if tail.next else None,
    }
    return HttpResponse(render_to_string("admin/logs/log/live.html", context))


@handles_errors
def freshness(request: HttpRequest, admin: Admin) -> HttpResponse:
    """Return how fresh the logs are, as a page or as a fragment. It is read once in ten seconds.

    An invalid query string leads to the listing, which shows its errors.
    """
    form, address = read_address(request, request.GET)
    if address is None:
        return HttpResponseRedirect(f"{reverse_url(admin, 'changelist')}?{request.GET.urlencode()}")
    line = FreshnessLine(read_freshness(), datetime.now(UTC), form.zone)
    context = {
        "line": line,
        "listing_url": reverse_url(admin, "changelist"),
        "freshness_url": reverse_url(admin, "freshness"),
        "dead_letters_url": _dead_letters_url(request, admin),
    }
    if is_from_script(request):
        return HttpResponse(render_to_string("admin/logs/log/freshness.html", context))
    return render(request, admin, "freshness_page", {"title": "Freshness", **context})


def _dead_letters_url(request: HttpRequest, admin: Admin) -> str | None:
    """Return the path of the dead letters if the project has such a page, and the user may see it."""
    if not request.user.has_perm(f"{admin.opts.app_label}.replay_dead_letters"):
        return None
    try:
        return reverse("admin:logs_deadletter_changelist", current_app=admin.admin_site.name)
    except NoReverseMatch:
        return None
