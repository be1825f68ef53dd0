"""The app `accounts`: who may use the site, and where that is kept."""

from django.apps import AppConfig
from pynamodb.models import Model

from logsite.accounts.store import SessionItem, TokenItem, UserItem


class AccountsConfig(AppConfig):
    """Users, their sessions and API tokens, in DynamoDB."""

    name = "logsite.accounts"
    label = "accounts"

    def dynamodb_models(self) -> list[type[Model]]:
        """Return the models whose tables `manage.py create_tables` makes."""
        return [UserItem, SessionItem, TokenItem]
