"""The PynamoDB models of users, sessions and API tokens. No Django here."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from botocore.exceptions import ClientError
from pynamodb.attributes import (
    BooleanAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.exceptions import PynamoDBException
from pynamodb.models import Model

from logs.models import TableMeta, TimeAttribute
from logs.storage import dynamodb, view_items
from logs.storage.dynamodb import share_client
from logs.storage.errors import CONDITION_FAILED
from logs.storage.view_items import ViewsItem


@share_client
class UserItem(Model):
    """A user in the table, with the fields of `logsite.accounts.models.User`."""

    class Meta(TableMeta):
        table_name = os.environ.get("USERS_TABLE", "LogsiteUsers")

    username = UnicodeAttribute(hash_key=True)
    email = UnicodeAttribute()
    password = UnicodeAttribute()
    is_active = BooleanAttribute()
    is_staff = BooleanAttribute()
    is_superuser = BooleanAttribute()
    # DynamoDB has no empty sets: an empty set is stored as a missing attribute.
    permissions = UnicodeSetAttribute(default=set)
    last_login = TimeAttribute(null=True)
    date_joined = TimeAttribute()


@share_client
class SessionItem(Model):
    """A session in the table: the text that Django signed, and its expiry."""

    class Meta(TableMeta):
        table_name = os.environ.get("SESSIONS_TABLE", "LogsiteSessions")

    session_key = UnicodeAttribute(hash_key=True)
    data = UnicodeAttribute()
    expires_at = TTLAttribute()
    # Null in sessions of earlier versions.
    created_at = TimeAttribute(null=True)
    used_at = TimeAttribute(null=True)


@share_client
class AttemptsItem(Model):
    """Failed password checks of one user name or client address, in the sessions' table.

    Its key is longer than a session's, so no cookie names it.
    """

    class Meta(SessionItem.Meta):
        pass

    session_key = UnicodeAttribute(hash_key=True)
    failures = NumberAttribute(default=0)
    # Seconds since the epoch.
    last_at = NumberAttribute()
    expires_at = TTLAttribute()


@share_client
class TokenItem(Model):
    """An API token in the table. It holds the token's hash, never the token."""

    class Meta(TableMeta):
        table_name = os.environ.get("TOKENS_TABLE", "LogsiteTokens")

    name = UnicodeAttribute(hash_key=True)
    token_hash = UnicodeAttribute()
    created_at = TimeAttribute()
    expires_at = TTLAttribute(null=True)


@share_client
class UsageItem(Model):
    """The usage of the API in one minute, in the tokens' table.

    It belongs to a token or a user. Its name contains a `#`, which no token's name does.
    """

    class Meta(TokenItem.Meta):
        pass

    name = UnicodeAttribute(hash_key=True)
    requests = NumberAttribute(default=0)
    examined = NumberAttribute(default=0)
    read_units = NumberAttribute(default=0)
    expires_at = TTLAttribute()


def read_session(
    key: str, username: str, view_owners: Sequence[str] = ()
) -> tuple[SessionItem | None, UserItem | None]:
    """Return a session and a user, each None if it does not exist.

    Costs one BatchGetItem of consistent reads. It also reads the saved views of `view_owners`, and keeps them
    for the current request. Without their table it costs a second BatchGetItem, once a minute.
    """
    keys: dict[type[Model], Sequence[str]] = {SessionItem: [key], UserItem: [username]}
    if view_owners and view_items.is_readable():
        try:
            items = dynamodb.get_each({**keys, ViewsItem: view_owners})
        except ClientError as error:
            if not view_items.is_missing(error):
                raise
            # It raises too if one of the other tables is missing.
            items = dynamodb.get_each(keys)
            view_items.pause(error)
        else:
            view_items.keep(view_owners, items[ViewsItem])
    else:
        items = dynamodb.get_each(keys)
    sessions, users = items[SessionItem], items[UserItem]
    return (
        SessionItem.from_raw_data(sessions[0]) if sessions else None,
        UserItem.from_raw_data(users[0]) if users else None,
    )


@contextmanager
def conditional_write(failure: Exception) -> Iterator[None]:
    """Raise `failure` if the condition of the write in the block is not fulfilled.

    PynamoDB's other exceptions pass through.
    """
    try:
        yield
    except PynamoDBException as error:
        if error.cause_response_code != CONDITION_FAILED:
            raise
        raise failure from error
