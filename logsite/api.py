"""The site's JSON API: `logs.api` with tokens, sessions and rate limits."""

import logging
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja import errors, security

from logs import api
from logs.storage.errors import AWS_ERRORS
from logsite.accounts import rate_limit, tokens

logger = logging.getLogger(__name__)

DESCRIPTION = f"""{api.DESCRIPTION}

A program needs a token. An administrator of the site creates it: `manage.py create_api_token NAME`, or
`make manage STAGE=… ARGS="create_api_token NAME"` for a deployed stage. The program sends it in each request:
`Authorization: Bearer TOKEN`."""


class RateLimitExceeded(errors.Throttled):
    """A token or a user has exceeded one of the rate limits."""

    def __str__(self) -> str:
        return (
            f"The limits are {settings.LOGS_API_REQUESTS_PER_MINUTE:,} requests a minute, "
            f"{settings.LOGS_API_EXAMINED_PER_MINUTE:,} examined items a minute and "
            f"{settings.LOGS_API_READ_UNITS_PER_MINUTE:,} read units a minute. Retry after {self.wait} s."
        )


class Caller:
    """A program or a user, whose requests count against the rate limits.

    `token` is the name of the program's token, None for a user. A token is never a superuser's: it outlives
    the rights of the person who created it.
    """

    def __init__(self, name: str, *, token: str | None = None, is_superuser: bool = False) -> None:
        self.name = name
        self.token = token
        self.is_superuser = is_superuser
        self._reservation: rate_limit.Reservation | None = None

    def reserve(self, examined: int, read_units: float) -> None:
        """Count the request and reserve its usage. Raise RateLimitExceeded. Costs one UpdateItem."""
        try:
            self._reservation = rate_limit.reserve(self.name, examined, read_units)
        except rate_limit.RateLimitExceeded as error:
            raise RateLimitExceeded(error.seconds) from error

    def settle(self, examined: int, read_units: float) -> None:
        """Replace the reserved usage by the actual one. Costs one UpdateItem.

        If DynamoDB fails, the reservation stays: the response is ready and need not fail.
        """
        if self._reservation is None:
            return
        try:
            self._reservation.settle(examined, read_units)
        except AWS_ERRORS as error:
            logger.warning("The usage of the API was not settled: %s", error)


class TokenAuth(security.HttpBearer):
    """`Authorization: Bearer <token>`, with a token of `manage.py create_api_token`."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """Return the Caller, or None if the token is invalid. Costs one GetItem."""
        item = tokens.verify(token)
        return Caller(item.name, token=item.name) if item else None


class SessionAuth(api.SessionAuth):
    """Users who are signed in to the admin and may view the logs there. All their sessions count as one."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        """Return the Caller, or None if nobody is signed in. Raise AuthorizationError."""
        user = super().authenticate(request, key)
        if not user:
            return None
        return Caller(rate_limit.user_name(user.get_username()), is_superuser=user.is_superuser)


# logsite/urls.py sets the application name and the namespace.
urlpatterns, *_ = api.urls(api.make_api([TokenAuth(), SessionAuth()], description=DESCRIPTION))
