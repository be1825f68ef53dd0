"""The pages of exports: start one, watch it, cancel it, and download its file."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase

from logs import conf, counter, reader, signals, zones
from logs.characters import visible
from logs.export_form import ExportForm, reject_page_parameters
from logs.exports import jobs, launch
from logs.exports.files import Bucket, FilesUnavailable, files
from logs.exports.jobs import TooManyExports
from logs.exports.spec import Spec
from logs.frame import Admin, handles_errors, render, reverse_url
from logs.page_form import PageForm
from logs.pages import export as exports
from logs.pages.address import Address
from logs.pages.export_page import ExportStatus, row_count, zone_of
from logs.pages.listing import MAX_VALUES
from logs.pages.sentence import Times, heading
from logs.permissions import reads_own_accounts
from logs.plan import PageQuery, QueryPlan
from logs.reading.count_result import Count, TooManyBuckets
from logs.request_form import read_form, read_shown
from logs.storage import export_items
from logs.storage.errors import StoreUnavailable
from logs.storage.export_items import ExportItem
from logs.views import export as listing_file
from logs.views import rejected

NO_BACKGROUND = (
    "This export does not fit into one response, and this site has no place for larger files. Choose a "
    "shorter time range or another filter, or run manage.py export_logs."
)
TOO_MANY = (
    f"You have {jobs.MAX_RUNNING} exports that are not finished. Wait until one of them ends, or cancel one."
)


@handles_errors
def export(request: HttpRequest, admin: Admin) -> HttpResponseBase:
    """Return the page that starts an export. A POST starts it.

    With `format` it is the listing as a file. The response of a POST is the file if it fits, otherwise a
    redirect to the page of an export in the background. Costs a count, and one Query for the list of exports.
    For an invalid filter it is the page of the listing.
    """
    if request.method != "POST" and "format" in request.GET:
        return listing_file(request, admin)
    lookup = reader.KeyLookup(includes_own=reads_own_accounts(request.user))
    form = read_form(request, request.GET, lookup, reader.ChoicesLookup())
    if form.is_valid():
        reject_page_parameters(form)
    if form.errors:
        return rejected(request, admin, form)
    query = form.first_page()
    count = _count(query.plan)
    options = ExportForm(request.POST if request.method == "POST" else None)
    if options.is_valid():
        spec = options.spec(query.plan, read_shown(request, request.GET).columns, form.zone)
        if response := _start(request, admin, options, spec, query, count):
            return response
    return _export_page(request, admin, form, options, query.plan, count)


def _export_page(
    request: HttpRequest,
    admin: Admin,
    form: PageForm,
    options: ExportForm,
    plan: QueryPlan,
    count: Count | None,
) -> HttpResponse:
    address = Address(plan, form.default_limit, form.zone, form.time_range, form.default_limit, form.kept)
    context = {
        "title": "Export logs",
        "phrases": heading(plan, Times(form.zone, form.time_range, max_values=MAX_VALUES)),
        "rows": row_count(count),
        "form": options,
        "zone": zones.label(form.zone),
        "back": address.url(),
        "exports": _recent(request, form) if _has_background() else [],
    }
    status = HTTPStatus.BAD_REQUEST if options.errors else HTTPStatus.OK
    return render(request, admin, "export", context, status)


def _recent(request: HttpRequest, form: PageForm) -> list[ExportStatus]:
    return [ExportStatus(item, form.zone) for item in jobs.recent(_owner(request))]


def _count(plan: QueryPlan) -> Count | None:
    """Return how many logs match, or None if the range has too many days to count."""
    try:
        result, _ = counter.counts(plan, fields=(), budget=conf.count_budget())
    except TooManyBuckets:
        return None
    return result.total


def _start(
    request: HttpRequest, admin: Admin, options: ExportForm, spec: Spec, query: PageQuery, count: Count | None
) -> HttpResponse | None:
    """Return the file, or a redirect to a new export in the background. None if there can be neither."""
    name = exports.file_name(spec.plan.filter, spec.format)
    if (text := _whole_file(spec, count)) is not None:
        _send_signal(request, query, spec)
        return HttpResponse(text, content_type=spec.form.content_type, headers=exports.file_headers(name))
    if not _has_background():
        options.add_error(None, NO_BACKGROUND)
        return None
    expected = count.number if count and count.is_exact else None
    try:
        item = jobs.create(_owner(request), spec, f"{name}.gz", expected)
    except TooManyExports:
        options.add_error(None, TOO_MANY)
        return None
    _send_signal(request, query, spec)
    _launch(request, item)
    return HttpResponseRedirect(reverse_url(admin, "export_job", item.id))


def _whole_file(spec: Spec, count: Count | None) -> str | None:
    """Return the text of the file if it fits into the response, otherwise None."""
    if count and count.number > conf.export_rows():
        return None
    try:
        return exports.whole_file(spec)
    except StoreUnavailable:
        if not _has_background():
            raise
        # Perhaps the time of this request is over. If DynamoDB does not answer, it will not store an export.
        return None


def _send_signal(request: HttpRequest, query: PageQuery, spec: Spec) -> None:
    signals.logs_exported.send_robust(sender=Spec, request=request, query=query, format=spec.format)


@handles_errors
def job(request: HttpRequest, admin: Admin, export_id: str) -> HttpResponse:
    """Return the page of an export, or a 404. If its worker died, another one continues.

    Costs one GetItem.
    """
    item = _item(request, export_id)
    if item is None:
        return _missing(request, admin, export_id)
    if jobs.is_stalled(item):
        _launch(request, item)
    context = {"title": f"Export {item.file_name}", "export": ExportStatus(item, zone_of(item))}
    return render(request, admin, "export_job", context)


@handles_errors
def cancel(request: HttpRequest, admin: Admin, export_id: str) -> HttpResponse:
    """Cancel an export, and redirect to its page. A finished one stays as it is."""
    item = _item(request, export_id)
    if item is None:
        return _missing(request, admin, export_id)
    if jobs.cancel(item):
        messages.success(request, "The export was cancelled.")
    else:
        messages.warning(request, "The export had ended before.")
    return HttpResponseRedirect(reverse_url(admin, "export_job", item.id))


@handles_errors
def file(request: HttpRequest, admin: Admin, export_id: str) -> HttpResponseBase:
    """Return the file of an export, or a redirect to it.

    The redirect leads to a link that expires after five minutes.
    """
    item = _item(request, export_id)
    place = files()
    if item is None or place is None or not ExportStatus(item).is_done:
        return _missing(request, admin, export_id)
    key = jobs.file_key(item)
    response: HttpResponseBase
    try:
        if isinstance(place, Bucket):
            response = HttpResponseRedirect(place.link(key, item.file_name))
        else:
            response = FileResponse(
                place.open(key), as_attachment=True, filename=item.file_name, content_type="application/gzip"
            )
    except FilesUnavailable:
        return _missing(request, admin, export_id)
    signals.export_downloaded.send_robust(
        sender=ExportItem, request=request, export_id=item.id, file_name=item.file_name
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _launch(request: HttpRequest, item: ExportItem) -> None:
    """Start a worker. If that fails, the page of the export tries again when it is reloaded."""
    try:
        launch.start(item.owner, item.id)
    except launch.NotStarted:
        messages.warning(request, "The export could not be started. Reload this page to try again.")


def _item(request: HttpRequest, export_id: str) -> ExportItem | None:
    return jobs.get(_owner(request), export_id) if _has_background() else None


def _owner(request: HttpRequest) -> str:
    """Return the key of the user whose exports these are."""
    return str(request.user.pk)


def _has_background() -> bool:
    return export_items.is_on() and files() is not None


def _missing(request: HttpRequest, admin: Admin, export_id: str) -> HttpResponse:
    context: dict[str, Any] = {
        "title": "Export not found",
        "message": f"You have no export with the ID “{visible(export_id[:40])}”, or its file was deleted. "
        f"Files are kept for {jobs.FILES_KEPT.days} days.",
        "next_steps": [],
    }
    return render(request, admin, "error", context, HTTPStatus.NOT_FOUND)
