"""The links of the pages, and the query string of a filter."""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from urllib.parse import urlencode

from logs import zones
from logs.filters import LogFilter
from logs.form_fields import DEFAULT_LIMIT
from logs.forms import parameters


@dataclass(frozen=True)
class Link:
    """A link with its text. Without an address it is the current choice, or cannot be followed."""

    text: str
    href: str | None
    name: str = ""
    rel: str = ""


def query_string(
    log_filter: LogFilter,
    limit: int = DEFAULT_LIMIT,
    *,
    zone: tzinfo = UTC,
    default_limit: int = DEFAULT_LIMIT,
    **extra: object,
) -> str:
    """Return the query string of a filter, with further parameters, without its question mark.

    An address without a time zone means UTC, and without a page size `default_limit`.
    """
    values = {**parameters(log_filter, limit, default_limit), **extra}
    if zone is not UTC:
        values["tz"] = zones.name(zone)
    return urlencode(values, doseq=True)
