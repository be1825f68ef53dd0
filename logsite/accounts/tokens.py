"""API tokens: created once, checked at each request, revoked by deletion."""

import hashlib
import re
import secrets
from datetime import timedelta
from hmac import compare_digest

from django.utils import timezone

from logsite.accounts import signals
from logsite.accounts.store import TokenItem, conditional_write

PREFIX = "logsite"
SECRET_BYTES = 32
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")
DEFAULT_LIFETIME = timedelta(days=365)


class TokenExists(Exception):
    """A token with this name exists."""


class InvalidTokenName(ValueError):
    """The name must have 1 to 50 lower-case letters, digits and hyphens. It must not begin with a hyphen."""

    def __str__(self) -> str:
        return str(self.__doc__)


def create(name: str, expires_after: timedelta | None = DEFAULT_LIFETIME) -> str:
    """Create a token and return it. It is not stored and cannot be shown again.

    With None it never expires.

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
    signals.token_created.send_robust(sender=TokenItem, name=name)
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
        signals.token_revoked.send_robust(sender=TokenItem, name=name)
    return item is not None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
