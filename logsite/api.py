"""The site's JSON API: `logs.api`, authenticated by a token or by the admin's session."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja import errors, security

from logs.api import SessionAuth, make_api, urls
from logsite.accounts import tokens
from logsite.accounts.store import TokenItem


class RateLimitExceeded(errors.Throttled):
    """A token has exceeded one of its rate limits."""

    def __str__(self) -> str:
        return (
            f"The rate limit of a token is {settings.LOGS_API_REQUESTS_PER_MINUTE:,} requests a minute and "
            f"{settings.LOGS_API_EXAMINED_PER_MINUTE:,} examined items a minute. Retry after {self.wait} s."
        )


class TokenUser:
    """The program that a request's token identifies, with its usage in the current minute."""

    def __init__(self, token: TokenItem) -> None:
        """Count the request. Costs one UpdateItem. Raise RateLimitExceeded if a limit is exceeded."""
        self.token = token
        usage = tokens.add_usage(token, requests=1)
        if (
            usage.requests > settings.LOGS_API_REQUESTS_PER_MINUTE
            or usage.examined >= settings.LOGS_API_EXAMINED_PER_MINUTE
        ):
            raise RateLimitExceeded(usage.seconds_left)

    def count_examined(self, number: int) -> None:
        """Add examined items to the usage of the current minute. Costs one UpdateItem."""
        tokens.add_usage(self.token, examined=number)


class TokenAuth(security.HttpBearer):
    """`Authorization: Bearer <token>`, with a token of `manage.py create_api_token`."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """Return the TokenUser, or None if the token is invalid. Raise RateLimitExceeded."""
        item = tokens.verify(token)
        return TokenUser(item) if item else None


# logsite/urls.py sets the application name and the namespace.
urlpatterns, *_ = urls(make_api([TokenAuth(), SessionAuth()]))
