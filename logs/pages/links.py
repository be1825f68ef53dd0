"""The links of the pages, and the query string of a filter."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from html import escape
from urllib.parse import urlencode

from django.utils.safestring import SafeString

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


def choice_links(links: Iterable[Link]) -> SafeString:
    """Return links as HTML, with the current choice in bold. A template takes several times as long."""
    return SafeString("".join(map(_choice_link, links)))


def _choice_link(link: Link) -> str:
    text = escape(link.text)
    if link.href is None:
        return f'<strong aria-current="true">{text}</strong>'
    return f'<a href="{escape(link.href)}">{text}</a>'


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
