"""The actor of a request: a user or an API token."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject, empty


@dataclass(frozen=True)
class Actor:
    """A user or an API token by its name. Both are None for an anonymous request."""

    user: str | None = None
    token: str | None = None

    def __str__(self) -> str:
        return f"token={self.token}" if self.token else f"user={self.user or '-'}"


def actor_of(request: HttpRequest) -> Actor:
    """Return the actor of a request, as far as it was authenticated. Costs no request to DynamoDB."""
    if token := getattr(getattr(request, "auth", None), "token", None):
        return Actor(token=token)
    user = getattr(request, "user", None)
    # Django reads session and user at the first access to an attribute of the user.
    if user is None or (isinstance(user, SimpleLazyObject) and user.__dict__["_wrapped"] is empty):
        return Actor()
    return Actor(user=user.get_username()) if user.is_authenticated else Actor()
