"""The app `accounts`: users, sessions and API tokens in DynamoDB."""

from django.apps import AppConfig
from pynamodb.models import Model

from logsite.accounts.store import SessionItem, TokenItem, UserItem


class AccountsConfig(AppConfig):
    """Users, sessions and API tokens."""

    name = "logsite.accounts"
    label = "accounts"

    def dynamodb_models(self) -> list[type[Model]]:
        """Return the models whose tables `manage.py create_tables` creates."""
        return [UserItem, SessionItem, TokenItem]
