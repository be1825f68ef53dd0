"""The operations of the JSON API: pages of logs, one log, counts and groups."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from logs import conf, counter, cursor, reader, signals
from logs.api_errors import error, invalid
from logs.api_links import page_links
from logs.api_usage import LOG_BOUND, counts_bound, groups_bound, metered, page_bound, rows_budget
from logs.counts_form import CountsForm, GroupsForm
from logs.exports.formats import Ndjson
from logs.fields import MAX_QUOTED
from logs.list_form import PAYLOAD, ListForm
from logs.pages import count_schemas, group_schemas, log_page, schemas
from logs.permissions import reads_own_accounts
from logs.plan import PageQuery
from logs.reading.budget import Cost
from logs.reading.count_result import TooManyBuckets

NO_SUCH_LOG = "There is no log with this ID."
NO_LINKS = "The filter is too long for NDJSON: the link to the next page exceeds 8,000 bytes. Use json."
ERRORS: dict[Any, Any] = {frozenset({400, 401, 403, 404, 405, 429, 500, 503}): schemas.Error}

router = Router()


def listing(request: HttpRequest) -> Any:
    """Return the page of logs that the query string asks for."""
    with metered(request, page_bound(with_payloads=request.GET.get("include") == PAYLOAD)) as cost:
        return _listing(request, cost)


def _listing(request: HttpRequest, cost: Cost) -> Any:
    includes_own = _includes_own(request)
    raw = request.META["QUERY_STRING"]
    form = ListForm(request.GET, raw=raw, includes_own=includes_own)
    if not form.is_valid():
        return invalid(form.errors_by_parameter())
    if id_search := reader.search_id(form.log_filter, includes_own=includes_own):
        cost += id_search.cost
        if item := id_search.item:
            signals.log_opened.send_robust(sender=router, request=request, log_id=item.id, via="api")
            texts = [log_page.whole_text(item)] if form.includes_payloads else log_page.row_texts([item])
            return _page(request, form, texts, schemas.details_of_one(item, cost, id_search))
    whole = log_page.WholeLogTexts()
    try:
        if form.includes_payloads:
            result = reader.read_whole(form.query(), conf.budget(), rows_budget(), whole.add)
        else:
            result = reader.read(form.query(), conf.budget())
    except cursor.BadCursor as raised:
        return invalid({"cursor": [f"{raised}."]})
    except reader.LogNotFound:
        return invalid({"around": [NO_SUCH_LOG]})
    cost += result.page.cost
    include = form.cleaned_data["include"]
    signals.logs_read.send_robust(
        sender=router, request=request, query=result.query, via="api", include=include
    )
    items = result.page.items
    texts = whole.of(items) if include else log_page.row_texts(items)
    return _page(request, form, texts, schemas.details(result, cost, id_search))


def _page(request: HttpRequest, form: ListForm, texts: list[str], details: dict[str, Any]) -> HttpResponse:
    """Return a page in the format of the form. `texts` are its logs as JSON."""
    links = page_links(request, {name: details[name] for name in ("next", "previous")})
    if form.is_ndjson and links is None:
        return invalid({"format": [NO_LINKS]})
    headers = {"Link": links} if links else None
    if form.is_ndjson:
        return HttpResponse(log_page.as_ndjson(texts), content_type=Ndjson.content_type, headers=headers)
    # Not through the schema: it would validate each log, and build its payload as Python values.
    return HttpResponse(log_page.as_json(texts, details), content_type="application/json", headers=headers)


def counts(request: HttpRequest) -> Any:
    """Return how many logs the filter of the query string matches."""
    with metered(request, counts_bound()) as cost:
        return _counts(request, cost)


def _counts(request: HttpRequest, cost: Cost) -> Any:
    form = CountsForm(request.GET, raw=request.META["QUERY_STRING"], includes_own=_includes_own(request))
    if not form.is_valid():
        return invalid(form.errors_by_parameter())
    plan = form.plan()
    try:
        result, counts_cost = counter.counts(plan, form.bucket, form.counted_fields, conf.count_budget())
    except TooManyBuckets as raised:
        return invalid({"bucket": [f"{raised}."]})
    cost += counts_cost
    signals.logs_read.send_robust(sender=router, request=request, query=PageQuery(plan, None, 1), via="api")
    return count_schemas.counts(result, cost)


def groups(request: HttpRequest) -> Any:
    """Return the values of a field in the logs that the filter matches."""
    with metered(request, groups_bound()) as cost:
        return _groups(request, cost)


def _groups(request: HttpRequest, cost: Cost) -> Any:
    form = GroupsForm(request.GET, raw=request.META["QUERY_STRING"], includes_own=_includes_own(request))
    if not form.is_valid():
        return invalid(form.errors_by_parameter())
    plan = form.plan()
    result, groups_cost = counter.groups(
        plan, form.cleaned_data["field"], group_schemas.MAX_GROUPS, conf.budget()
    )
    cost += groups_cost
    signals.logs_read.send_robust(sender=router, request=request, query=PageQuery(plan, None, 1), via="api")
    return group_schemas.groups(result, cost)


def detail(request: HttpRequest, log_id: str) -> Any:
    """Return one log with every field."""
    with metered(request, LOG_BOUND) as cost:
        return _detail(request, log_id, cost)


def _detail(request: HttpRequest, log_id: str, cost: Cost) -> Any:
    if request.GET:
        return invalid({name[:MAX_QUOTED]: ["A single log takes no parameters."] for name in request.GET})
    item, log_cost = reader.get_with_cost(log_id, includes_own=_includes_own(request))
    cost += log_cost
    if item is None:
        return error(404, NO_SUCH_LOG)
    signals.log_opened.send_robust(sender=router, request=request, log_id=item.id, via="api")
    # Not through the schema: its fields would be built as Python values.
    return HttpResponse(schemas.whole(item), content_type="application/json")


def _includes_own(request: HttpRequest) -> bool:
    """Return whether the request may read logs of Logsite's own accounts.

    The object that authenticated it decides. A session beside a token gives no rights.
    """
    return reads_own_accounts(getattr(request, "auth", None))


def _route(place: str, view: Callable[..., Any], **options: Any) -> None:
    """Route a view with and without a final slash: a redirect would cost the client a second request."""
    router.add_api_operation(place, ["GET"], view, **options)
    hidden = {"include_in_schema": False, "response": options["response"]}
    router.add_api_operation(place, ["HEAD"], view, **hidden)
    router.add_api_operation(f"{place}/", ["GET", "HEAD"], view, **hidden)


_route(
    "",
    listing,
    response={200: schemas.LogPage, **ERRORS},
    operation_id="list_logs",
    summary="A page of logs",
    description=schemas.PATHS,
    openapi_extra={"parameters": schemas.parameters(), "responses": {200: schemas.PAGE_RESPONSE}},
)
_route(
    "/counts",
    counts,
    response={200: count_schemas.Counts, **ERRORS},
    operation_id="count_logs",
    summary="How many logs match, by time and by value",
    description=f"{count_schemas.DESCRIPTION} {schemas.PATHS}",
    openapi_extra={"parameters": count_schemas.parameters()},
)
_route(
    "/groups",
    groups,
    response={200: group_schemas.LogGroups, **ERRORS},
    operation_id="group_logs",
    summary="The values of a field, with their numbers",
    description=f"{group_schemas.DESCRIPTION} {schemas.PATHS}",
    openapi_extra={"parameters": group_schemas.parameters()},
)
_route(
    "/{log_id}",
    detail,
    response={200: schemas.Log, **ERRORS},
    operation_id="get_log",
    summary="One log, whole",
)
