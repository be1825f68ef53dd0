"""Cursors: a position in a plan as signed text, valid for that plan."""

from django.core import signing

from logs.index_choice import Stream
from logs.plan import Direction, Key, Position, QueryPlan

VERSION = 5
SALT = "logs.cursor"


class BadCursor(ValueError):
    """The cursor is damaged, or belongs to another filter, version or secret key."""


def encode(position: Position, plan: QueryPlan) -> str:
    """Return the position as URL-safe text of less than 300 characters.

    It is signed with SECRET_KEY and verified against SECRET_KEY_FALLBACKS too: cursors survive a rotation of
    the key. It holds a tag of the partition key, not the key itself: the plan has the keys.
    """
    key: list[str | int] = []
    if position.key:
        partition = position.key.partition
        tag = "" if partition is None else Stream(plan.index, partition).tag
        key = [position.key.created_at, position.key.id, tag, int(position.key.is_row)]
    path = int(bool(plan.uses_digests))
    content = [VERSION, plan.filter.fingerprint, path, position.direction, int(position.inclusive), *key]
    return signing.Signer(salt=SALT).sign_object(content)


def decode(text: str, plan: QueryPlan) -> Position:
    """Return the position that `encode` encoded for the same plan.

    Raises BadCursor, in words for the person who followed the link.
    """
    return resolve(text, plan)[1]


def resolve(text: str, plan: QueryPlan) -> tuple[QueryPlan, Position]:
    """Return the position of a cursor, and its plan.

    That plan uses digests if the pages before did. Raises BadCursor.
    """
    try:
        version, *content = signing.Signer(salt=SALT).unsign_object(text)
    except (signing.BadSignature, ValueError) as error:
        raise BadCursor("this link to a page is damaged or was not made by this site") from error
    if version != VERSION:
        raise BadCursor("this link to a page was made by another version of this site")
    fingerprint, path, direction, inclusive, *key = content
    if fingerprint != plan.filter.fingerprint:
        raise BadCursor("this link to a page was made for another filter or order")
    plan = plan.by_digests() if path else plan.by_index()
    return plan, Position(Direction(direction), _key(plan, *key) if key else None, inclusive=bool(inclusive))


def _key(plan: QueryPlan, created_at: str, log_id: str, tag: str, is_row: int) -> Key:
    if not tag:
        return Key(created_at)
    for stream in plan.streams:
        if stream.tag == tag:
            return Key(created_at, log_id, stream.key, bool(is_row))
    raise BadCursor("this link to a page was made with other sorting shards")
