"""The JSON API of the site: `logs.api`, let in by a token or by the admin's session."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja import errors, security

from logs.api import SessionAuth, make_api, urls
from logsite.accounts import tokens
from logsite.accounts.store import TokenItem


class TooMuch(errors.Throttled):
    """A token has reached one of its limits."""

    def __str__(self) -> str:
        return (
            f"A token may make {settings.LOGS_API_REQUESTS_PER_MINUTE:,} requests a minute, which look at "
            f"{settings.LOGS_API_EXAMINED_PER_MINUTE:,} items: wait {self.wait} s."
        )


class Caller:
    """Whoever sent a token, and what of the present minute's limits is used up."""

    def __init__(self, token: TokenItem) -> None:
        """Count the request. Raises TooMuch where one of the two limits is passed."""
        self.token = token
        usage = tokens.count(token, requests=1)
        if (
            usage.requests > settings.LOGS_API_REQUESTS_PER_MINUTE
            or usage.examined >= settings.LOGS_API_EXAMINED_PER_MINUTE
        ):
            raise TooMuch(usage.seconds_left)

    def count_examined(self, number: int) -> None:
        """Count the items that the request looked at, against the next ones."""
        tokens.count(self.token, examined=number)


class TokenAuth(security.HttpBearer):
    """`Authorization: Bearer <token>`, as `manage.py create_api_token` printed it."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """Return the caller, or None. Raises TooMuch."""
        item = tokens.find(token)
        return Caller(item) if item else None


# logsite/urls.py names the application and the namespace.
urlpatterns, *_ = urls(make_api([TokenAuth(), SessionAuth()]))
