"""API tokens: created once, checked and counted at each request, revoked by deletion."""

import hashlib
import re
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from django.utils import timezone

from logsite.accounts.store import TokenItem, UsageItem, conditional_write

PREFIX = "logsite"
SECRET_BYTES = 32
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")
WINDOW_SECONDS = 60


class TokenExists(Exception):
    """A token with this name exists."""


class InvalidTokenName(ValueError):
    """The name must have 1 to 50 lower-case letters, digits and hyphens. It must not begin with a hyphen."""

    def __str__(self) -> str:
        return str(self.__doc__)


@dataclass(frozen=True)
class Usage:
    """A token's usage in the current minute, and the seconds until the next."""

    requests: int
    examined: int
    seconds_left: int


def create(name: str, expires_after: timedelta | None = None) -> str:
    """Create a token and return it. It is not stored and cannot be shown again.

    Costs one PutItem. Raise InvalidTokenName, TokenExists.
    """
    if not NAME.fullmatch(name):
        raise InvalidTokenName
    secret = secrets.token_urlsafe(SECRET_BYTES)
    now = timezone.now()
    item = TokenItem(
        name,
        token_hash=_hash(secret),
        created_at=now,
        expires_at=now + expires_after if expires_after else None,
    )
    with conditional_write(TokenExists(f"The token {name} exists. Choose another name, or revoke it.")):
        item.save(TokenItem.name.does_not_exist())
    return f"{PREFIX}_{name}_{secret}"


def verify(token: str) -> TokenItem | None:
    """Return the item of a token, or None if the token is not valid.

    A revoked or expired token is not valid. Costs one GetItem. The secret has 256 random bits, so it needs no
    slow hash.
    """
    prefix, _, rest = token.partition("_")
    name, _, secret = rest.partition("_")
    if prefix != PREFIX or not NAME.fullmatch(name):
        return None
    item = get(name)
    if item is None or not compare_digest(item.token_hash, _hash(secret)) or is_expired(item):
        return None
    return item


def get(name: str) -> TokenItem | None:
    """Return the item of the token with this name, or None. Costs one GetItem, if the name is valid."""
    if not NAME.fullmatch(name):
        return None
    try:
        return TokenItem.get(name, consistent_read=True)
    except TokenItem.DoesNotExist:
        return None


def is_expired(item: TokenItem) -> bool:
    """Return whether a token has expired. TTL deletes it only within days."""
    return item.expires_at is not None and item.expires_at <= timezone.now()


def list_all() -> list[TokenItem]:
    """Return the items of all tokens, by name. Costs a scan of the table."""
    items = TokenItem.scan(TokenItem.token_hash.exists())
    return sorted(items, key=lambda item: item.name)


def revoke(name: str) -> bool:
    """Delete a token; return whether it existed. The next request with it is refused.

    Costs a GetItem and a DeleteItem.
    """
    item = get(name)
    if item:
        item.delete()
    return item is not None


def add_usage(item: TokenItem, *, requests: int = 0, examined: int = 0) -> Usage:
    """Add to a token's usage in the current minute; return the sum. Costs one UpdateItem."""
    now = _now()
    minute = int(now // WINDOW_SECONDS)
    usage = UsageItem(f"{item.name}#{minute}")
    expires_at = datetime.fromtimestamp((minute + 2) * WINDOW_SECONDS, tz=timezone.get_default_timezone())
    usage.update(
        [
            UsageItem.requests.add(requests),
            UsageItem.examined.add(examined),
            UsageItem.expires_at.set(expires_at),
        ]
    )
    return Usage(int(usage.requests), int(usage.examined), int(WINDOW_SECONDS - now % WINDOW_SECONDS) + 1)


def _now() -> float:
    return time.time()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
