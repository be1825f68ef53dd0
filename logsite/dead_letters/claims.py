"""Claims: no two operators of the site act on the same dead letter.

SQS hides a received message from other consumers, but this alone is no proof. It may deliver a message twice,
also after its deletion, and a slow request may act after the visibility timeout. So each dead letter is
claimed before it is sent: a conditional PutItem that only one request can win. Before the deletion the claim
becomes final. It then lasts as long as a dead letter does, so a copy that SQS delivers later is deleted, and
never sent again.

A request that ends in between leaves a claim that is not final. After CLAIM_SECONDS, longer than a request of
Lambda can last, another request may take it. It may then send the message again, which stores one log: a
redriven message keeps its id.

Claims are items in the table of sessions, which the site's role may write. TTL deletes them.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pynamodb.attributes import BooleanAttribute, NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.models import Model

from logs.storage.dynamodb import share_client
from logsite.accounts.store import SessionItem, conditional_write

# Lambda ends a request after 30 s.
CLAIM_SECONDS = 60
# Retention of a dead letter.
KEPT = timedelta(days=14)


@share_client
class ClaimItem(Model):
    """A claim in the table of sessions. Its key is longer than a session's, so no cookie names it."""

    class Meta(SessionItem.Meta):
        pass

    session_key = UnicodeAttribute(hash_key=True)
    operator = UnicodeAttribute()
    # Seconds since the epoch.
    claimed_at = NumberAttribute()
    is_final = BooleanAttribute(default=False)
    expires_at = TTLAttribute()


class Taken(Exception):
    """Another request has claimed the dead letter.

    If `is_final` is true, its message was sent or archived. Otherwise the other request is still at work.
    """

    def __init__(self, operator: str, *, is_final: bool) -> None:
        super().__init__(f"{operator} is at work on it" if not is_final else f"{operator} has handled it")
        self.operator = operator
        self.is_final = is_final


@dataclass(frozen=True)
class Claim:
    """The claim of one request on one dead letter."""

    key: str
    claimed_at: float

    def finish(self) -> None:
        """Make the claim final. Costs one UpdateItem."""
        ClaimItem(self.key).update([ClaimItem.is_final.set(True)])

    def release(self) -> None:
        """Delete the claim, so that the next request can act at once. Costs one DeleteItem."""
        try:
            with conditional_write(_Replaced()):
                ClaimItem(self.key).delete(ClaimItem.claimed_at == self.claimed_at)
        except _Replaced:
            pass  # another request has taken it


class _Replaced(Exception):
    """The condition of a write is not fulfilled."""


def claim(message_id: str, operator: str) -> Claim:
    """Claim a dead letter for the current request.

    Costs one PutItem. Raise Taken, which costs one GetItem more.
    """
    key, now = f"dead-letter#{message_id}", _now()
    item = ClaimItem(
        key, operator=operator, claimed_at=now, is_final=False, expires_at=datetime.now(UTC) + KEPT
    )
    is_free = ClaimItem.session_key.does_not_exist() | (
        (ClaimItem.is_final == False)  # noqa: E712  a condition of DynamoDB
        & (ClaimItem.claimed_at < now - CLAIM_SECONDS)
    )
    try:
        with conditional_write(_Replaced()):
            item.save(is_free)
    except _Replaced:
        try:
            other = ClaimItem.get(key, consistent_read=True)
        except ClaimItem.DoesNotExist:  # released meanwhile
            raise Taken("another operator", is_final=False) from None
        raise Taken(other.operator, is_final=other.is_final) from None
    return Claim(key, now)


def _now() -> float:
    # DynamoDB keeps 38 digits, so the number is compared exactly.
    return time.time()
