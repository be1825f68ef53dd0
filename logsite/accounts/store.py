"""The PynamoDB models of users, sessions and API tokens. No Django here."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from pynamodb.attributes import (
    BooleanAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.exceptions import PynamoDBException

from logs.models import Table, TableMeta, TimeAttribute


class UserItem(Table):
    """A user as it lies in the table: the fields of `logsite.accounts.models.User`, under the same names."""

    class Meta(TableMeta):
        table_name = os.environ.get("USERS_TABLE", "LogsiteUsers")

    username = UnicodeAttribute(hash_key=True)
    email = UnicodeAttribute()
    password = UnicodeAttribute()
    is_active = BooleanAttribute()
    is_staff = BooleanAttribute()
    is_superuser = BooleanAttribute()
    # DynamoDB holds no empty set: none is an attribute that is not there.
    permissions = UnicodeSetAttribute(default=set)
    last_login = TimeAttribute(null=True)
    date_joined = TimeAttribute()


class SessionItem(Table):
    """A session as it lies in the table: Django's signed text, and when it ends."""

    class Meta(TableMeta):
        table_name = os.environ.get("SESSIONS_TABLE", "LogsiteSessions")

    session_key = UnicodeAttribute(hash_key=True)
    data = UnicodeAttribute()
    expires_at = TTLAttribute()


class TokenItem(Table):
    """An API token as it lies in the table: never the token, only its hash."""

    class Meta(TableMeta):
        table_name = os.environ.get("TOKENS_TABLE", "LogsiteTokens")

    name = UnicodeAttribute(hash_key=True)
    token_hash = UnicodeAttribute()
    created_at = TimeAttribute()
    expires_at = TTLAttribute(null=True)


class UsageItem(Table):
    """What a token used in one minute. Its name holds a `#`, which a token's never does."""

    class Meta(TokenItem.Meta):
        pass

    name = UnicodeAttribute(hash_key=True)
    requests = NumberAttribute(default=0)
    examined = NumberAttribute(default=0)
    expires_at = TTLAttribute()


@contextmanager
def refused_as(refusal: Exception) -> Iterator[None]:
    """Raise `refusal` where DynamoDB finds the condition of the write inside not fulfilled.

    Whatever else goes wrong passes through as PynamoDB's own exception.
    """
    try:
        yield
    except PynamoDBException as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
        raise refusal from error
