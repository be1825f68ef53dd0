"""Accounts that begin with `_`: Logsite's own, which only its own senders may write."""

import os

from logs.models import is_own_account
from logs.storage import endpoints

# The account of logs that other senders sent for an account of Logsite's own.
UNVERIFIED = "_unverified"
# The field of such a log that holds the account as sent.
SENT_ACCOUNT = "_account_id"


def is_allowed(account_id: str, sender: str | None) -> bool:
    """Return whether a sender may write an account.

    `sender` is SQS's SenderId: the id of a user, or the id of a role and the name of its session, separated
    by a colon. LOGS_OWN_SENDERS has the ids that may write accounts which begin with `_`. If it is not set,
    every sender may if DynamoDB is a local engine, and none may on AWS.
    """
    if not is_own_account(account_id):
        return True
    if own := os.environ.get("LOGS_OWN_SENDERS", "").strip():
        return (sender or "").partition(":")[0] in {each.strip() for each in own.split(",")} - {""}
    return endpoints.is_local()
