"""API tokens: made once, checked and counted at each request, forgotten when they are revoked."""

import hashlib
import re
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from django.utils import timezone

from logsite.accounts.store import TokenItem, UsageItem, refused_as

PREFIX = "logsite"
SECRET_BYTES = 32
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")
WINDOW_SECONDS = 60


class NameTaken(Exception):
    """There is a token of that name."""


class WrongName(ValueError):
    """A token's name stands in the token itself: lower-case letters, digits and hyphens, 50 at most."""

    def __str__(self) -> str:
        return str(self.__doc__)


@dataclass(frozen=True)
class Usage:
    """What a token has used in the present minute, and how many seconds are left of it."""

    requests: int
    examined: int
    seconds_left: int


def create(name: str, expires_after: timedelta | None = None) -> str:
    """Make a token and return it: it is not kept and cannot be shown again.

    Raises WrongName and NameTaken.
    """
    if not NAME.fullmatch(name):
        raise WrongName
    secret = secrets.token_urlsafe(SECRET_BYTES)
    now = timezone.now()
    item = TokenItem(
        name,
        token_hash=_hash(secret),
        created_at=now,
        expires_at=now + expires_after if expires_after else None,
    )
    with refused_as(NameTaken(f"There is a token {name} already.")):
        item.save(TokenItem.name.does_not_exist())
    return f"{PREFIX}_{name}_{secret}"


def find(token: str) -> TokenItem | None:
    """Return the token that somebody sent, or None where it is none of ours, revoked or expired.

    Costs one GetItem. 256 random bits need no slow hash.
    """
    prefix, _, rest = token.partition("_")
    name, _, secret = rest.partition("_")
    if prefix != PREFIX or not NAME.fullmatch(name):
        return None
    try:
        item = TokenItem.get(name, consistent_read=True)
    except TokenItem.DoesNotExist:
        return None
    is_theirs = compare_digest(item.token_hash, _hash(secret))
    return item if is_theirs and not is_expired(item) else None


def is_expired(item: TokenItem) -> bool:
    """Tell whether a token's time is over: TTL deletes it within days."""
    return item.expires_at is not None and item.expires_at <= timezone.now()


def every() -> list[TokenItem]:
    """Return all tokens, by name."""
    found = TokenItem.scan(TokenItem.token_hash.exists())
    return sorted(found, key=lambda item: item.name)


def revoke(name: str) -> bool:
    """Delete a token: the next request with it is refused. Return whether there was one."""
    try:
        item = TokenItem.get(name, consistent_read=True) if NAME.fullmatch(name) else None
    except TokenItem.DoesNotExist:
        return False
    if item:
        item.delete()
    return item is not None


def count(item: TokenItem, *, requests: int = 0, examined: int = 0) -> Usage:
    """Add to what a token has used in the present minute; return it. Costs one UpdateItem."""
    now = _now()
    minute = int(now // WINDOW_SECONDS)
    usage = UsageItem(f"{item.name}#{minute}")
    ends = datetime.fromtimestamp((minute + 2) * WINDOW_SECONDS, tz=timezone.get_default_timezone())
    usage.update(
        [
            UsageItem.requests.add(requests),
            UsageItem.examined.add(examined),
            UsageItem.expires_at.set(ends),
        ]
    )
    return Usage(int(usage.requests), int(usage.examined), int(WINDOW_SECONDS - now % WINDOW_SECONDS) + 1)


def _now() -> float:
    return time.time()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
