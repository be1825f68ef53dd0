"""The address of a page of the listing in the JSON API."""

from typing import Any
from urllib.parse import urlencode

from django.urls import get_resolver, get_script_prefix

from logs import cursor
from logs.fields import ON, format_time
from logs.filters import FILTERS, Order
from logs.plan import Around, PageQuery

NAMESPACE = "logs-api"


def api_address(query: PageQuery) -> str | None:
    """Return the address of the same page in the API.

    It is None without an API at a fixed place, and for an empty value, which the API does not take.
    """
    log_filter = query.plan.filter
    values: dict[str, Any] = {FILTERS[name].parameter: value for name, value in log_filter.values.items()}
    values |= {each.parameter: each.values for each in log_filter.paths}
    if "" in values.values() or any("" in value for value in values.values() if isinstance(value, tuple)):
        return None
    # Not by `reverse`: it would import the API, a quarter of a cold start.
    prefix, _ = get_resolver().namespace_dict.get(NAMESPACE, ("(", None))
    if "(" in prefix or "<" in prefix:
        return None
    if log_filter.match_case:
        values["case"] = ON
    if log_filter.start:
        values["from"] = format_time(log_filter.start)
    if log_filter.end:
        values["to"] = format_time(log_filter.end)
    if log_filter.order is not Order.NEWEST:
        values["order"] = log_filter.order.value
    if isinstance(query.start, Around):
        values["around"] = query.start.log_id
    elif query.start:
        values["cursor"] = cursor.encode(query.start, query.plan)
    values["limit"] = query.limit
    return f"{get_script_prefix()}{prefix}logs?{urlencode(values, doseq=True)}"
