"""How one browser shows the listing. A cookie keeps it."""

from dataclasses import asdict, dataclass, fields
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from logs.form_fields import DEFAULT_LIMIT, MAX_LIMIT

COOKIE = "logs_view"
MAX_AGE = 365 * 24 * 3600
MAX_COOKIE = 1_000


def _limit(text: str) -> int:
    """Return a page size. Raises ValueError."""
    if text.isascii() and text.isdecimal() and 1 <= (limit := int(text[:9])) <= MAX_LIMIT:
        return limit
    raise ValueError(text)


# preference → its value of a text; raises ValueError
READERS = {"limit": _limit}


@dataclass(frozen=True)
class Preferences:
    """The page size that a link leaves out."""

    limit: int = DEFAULT_LIMIT


def read(request: HttpRequest) -> Preferences:
    """Return the preferences of a request's cookie.

    A value that is invalid, for example of another version, is as if it were missing.
    """
    values: dict[str, Any] = {}
    for name, text in parse_qsl(request.COOKIES.get(COOKIE, "")[:MAX_COOKIE]):
        if reader := READERS.get(name):
            try:
                values[name] = reader(text)
            except ValueError:
                continue
    return Preferences(**values)


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
