"""How one browser shows the listing. A cookie keeps it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict

from logs.fields import quoted
from logs.form_fields import DEFAULT_LIMIT, MAX_LIMIT
from logs.pages.columns import COLUMNS, DEFAULT_COLUMNS, SEPARATOR, read_columns, write_columns

COOKIE = "logs_view"
MAX_AGE = 365 * 24 * 3600
MAX_COOKIE = 1_000
COMFORTABLE, COMPACT = DENSITIES = ("comfortable", "compact")
SHOW, HIDE = NUMBERS = ("show", "hide")


def _limit(text: str) -> int:
    """Return a page size. Raises ValueError."""
    if text.isascii() and text.isdecimal() and 1 <= (limit := int(text[:9])) <= MAX_LIMIT:
        return limit
    raise ValueError(text)


def _columns(text: str) -> str:
    return write_columns(read_columns(text))


def _density(text: str) -> str:
    if text not in DENSITIES:
        raise ValueError(text)
    return text


def _numbers(text: str) -> str:
    if text not in NUMBERS:
        raise ValueError(text)
    return text


# preference → its value of a text; raises ValueError
READERS: dict[str, Callable[[str], Any]] = {
    "limit": _limit,
    "columns": _columns,
    "density": _density,
    "numbers": _numbers,
}
# preference → the rule of its values, as the end of a sentence
RULES = {
    "columns": f"some of {', '.join(COLUMNS)}, each once, with “{SEPARATOR}” between",
    "density": " or ".join(DENSITIES),
}


@dataclass(frozen=True)
class Preferences:
    """How the rows are shown.

    `limit` is the page size that a link leaves out, `columns` a text of `read_columns`, `density` one of
    DENSITIES, and `numbers` one of NUMBERS.
    """

    limit: int = DEFAULT_LIMIT
    columns: str = write_columns(DEFAULT_COLUMNS)
    density: str = COMFORTABLE
    numbers: str = SHOW


def read(request: HttpRequest) -> Preferences:
    """Return the preferences of a request's cookie.

    A value that is invalid, for example of another version, is as if it were missing.
    """
    return parse(request.COOKIES.get(COOKIE, "")[:MAX_COOKIE], Preferences())


def parse(query: str, base: Preferences) -> Preferences:
    """Return the preferences among the parameters of a query string. The others are those of `base`."""
    values: dict[str, Any] = {}
    for name, text in parse_qsl(query):
        if reader := READERS.get(name):
            try:
                values[name] = reader(text)
            except ValueError:
                continue
    return replace(base, **values)


def of_address(data: QueryDict, base: Preferences) -> Preferences:
    """Return the columns and the density of an address. Those that it leaves out are of `base`.

    Raises BadRequest for an invalid value.
    """
    values = {}
    for name in RULES:
        if text := str(data.get(name, "")):
            try:
                values[name] = READERS[name](text)
            except ValueError as error:
                raise BadRequest(invalid(name, name, text)) from error
    return replace(base, **values)


def invalid(name: str, parameter: str, text: str) -> str:
    """Return the message about an invalid value of a preference in a parameter."""
    return f"{parameter} must be {RULES[name]}, not “{quoted(text)}”."


def write(response: HttpResponse, preferences: Preferences, path: str) -> None:
    """Keep preferences in a cookie for the addresses below a path."""
    defaults = asdict(Preferences())
    values = {
        each.name: value
        for each in fields(preferences)
        if (value := getattr(preferences, each.name)) != defaults[each.name]
    }
    response.set_cookie(
        COOKIE,
        urlencode(values),
        max_age=MAX_AGE,
        path=path,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
