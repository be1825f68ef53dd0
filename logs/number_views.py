"""The numbers of a filter: histogram and facets, and the groups of a field."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils.http import content_disposition_header

from logs import conf, counter, signals
from logs.counts_form import NAMES_OF_FIELDS
from logs.fields import quoted
from logs.frame import Admin, handles_errors, is_from_script, render, reverse_url
from logs.pages import export
from logs.pages.address import Address
from logs.pages.freshness import DEAD_LETTERS, read_counts
from logs.pages.groups import MAX_CSV_ROWS, GroupsPage
from logs.pages.numbers import Numbers, is_countable, newest_first, read_numbers
from logs.pages.overview import Overview
from logs.pages.overview_numbers import read_overview
from logs.plan import PageQuery
from logs.reading.grouping import FIELDS
from logs.request_form import read_address


@handles_errors
def numbers(request: HttpRequest, admin: Admin) -> HttpResponse:
    """Return the numbers of a filter as a page, or as a fragment.

    An invalid filter leads to the listing, which shows its errors.
    """
    form, address = read_address(request, request.GET)
    prefix = reverse_url(admin, "changelist")
    if address is None:
        return HttpResponseRedirect(f"{prefix}?{request.GET.urlencode()}")
    page = None
    if is_countable(form.log_filter):
        page = Numbers(read_numbers(address.plan, address.zone), address, prefix)
        _send_signal(request, address)
    is_fragment = is_from_script(request)
    context = {"numbers": page, "back": f"{prefix}{address.url()}", "is_fragment": is_fragment}
    if is_fragment:
        return HttpResponse(render_to_string("admin/logs/log/numbers.html", context))
    return render(request, admin, "numbers_page", {"title": "Numbers", **context})


@handles_errors
def groups(request: HttpRequest, admin: Admin) -> HttpResponse:
    """Return the groups of a field as a page or as CSV.

    An invalid filter leads to the listing, which shows its errors. Raises BadRequest for another field or
    format.
    """
    data = request.GET.copy()
    fields, formats = data.pop("field", []), data.pop("format", [])
    if len(fields) != 1 or fields[0] not in FIELDS:
        raise BadRequest(f"field must be {NAMES_OF_FIELDS}, not “{quoted(', '.join(map(str, fields)))}”.")
    if formats not in ([], ["csv"]):
        raise BadRequest(f"format must be csv or left out, not “{quoted(', '.join(map(str, formats)))}”.")
    form, address = read_address(request, data)
    prefix = reverse_url(admin, "changelist")
    if address is None:
        return HttpResponseRedirect(f"{prefix}?{data.urlencode()}")
    field = str(fields[0])
    result, cost = counter.groups(newest_first(address.plan), field, MAX_CSV_ROWS, conf.budget())
    page = GroupsPage(result, address, prefix, cost)
    if not formats:
        _send_signal(request, address)
        return render(request, admin, "groups", {"title": page.title, "groups": page})
    query = PageQuery(address.plan, None, MAX_CSV_ROWS)
    signals.logs_exported.send_robust(sender=GroupsPage, request=request, query=query, format="csv")
    name = export.file_name(form.log_filter, "csv").replace("logs", f"groups-{field}", 1)
    return HttpResponse(
        page.write_csv(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": content_disposition_header(True, name), "Cache-Control": "no-store"},
    )


@handles_errors
def overview(request: HttpRequest, admin: Admin) -> HttpResponse:
    """Return the overview of all logs.

    An invalid time zone leads to the listing, which shows the error. Raises BadRequest for any other
    parameter.
    """
    if names := request.GET.keys() - {"tz"}:
        raise BadRequest(f"The overview has all logs, and takes tz only: leave out {quoted(min(names))}.")
    _, address = read_address(request, request.GET)
    prefix = reverse_url(admin, "changelist")
    if address is None:
        return HttpResponseRedirect(f"{prefix}?{request.GET.urlencode()}")
    numbers = read_overview(newest_first(address.plan), address.zone, conf.count_budget())
    page = Overview(numbers, address, prefix, read_counts().get(DEAD_LETTERS))
    return render(request, admin, "overview", {"title": "Overview", "overview": page})


def _send_signal(request: HttpRequest, address: Address) -> None:
    """Record in the audit trail that the numbers of a filter were read."""
    query = PageQuery(address.plan, None, 1)
    signals.logs_read.send_robust(sender=Numbers, request=request, query=query, via="numbers")
