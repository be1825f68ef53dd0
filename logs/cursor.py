"""A position in a plan as signed text, good for that plan alone."""

from django.core import signing

from logs.plan import Direction, Key, Position, QueryPlan

VERSION = 1
SALT = "logs.cursor"


class BadCursor(ValueError):
    """The cursor is damaged, or was made for another filter, order, version or secret key."""


def encode(position: Position, plan: QueryPlan) -> str:
    """Return the position as URL-safe text of less than 300 characters.

    It is signed with SECRET_KEY and checked against SECRET_KEY_FALLBACKS too, so that a rotated key ends
    no cursor. The key of the stream is not in it: the plan knows it.
    """
    key = [position.key.created_at, position.key.id] if position.key else []
    content = [VERSION, plan.filter.fingerprint, position.direction, int(position.inclusive), *key]
    return signing.Signer(salt=SALT).sign_object(content)


def decode(text: str, plan: QueryPlan) -> Position:
    """Return the position that `encode` wrote for the same plan.

    Raises BadCursor, in words for the person who followed the link.
    """
    try:
        version, *content = signing.Signer(salt=SALT).unsign_object(text)
    except (signing.BadSignature, ValueError) as error:
        raise BadCursor("this link to a page is damaged or was not made by this site") from error
    if version != VERSION:
        raise BadCursor("this link to a page was made by another version of this site")
    fingerprint, direction, inclusive, *key = content
    if fingerprint != plan.filter.fingerprint:
        raise BadCursor("this link to a page was made for another filter or order")
    return Position(Direction(direction), Key(*key) if key else None, inclusive=bool(inclusive))
