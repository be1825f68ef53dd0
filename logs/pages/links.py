"""The links of the pages, and the query string of a filter."""

from dataclasses import dataclass
from urllib.parse import urlencode

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


def query_string(log_filter: LogFilter, limit: int = DEFAULT_LIMIT, **extra: object) -> str:
    """Return the query string of a filter, with further parameters, without its question mark."""
    return urlencode({**parameters(log_filter, limit), **extra}, doseq=True)
