"""The app `logs`: hands the project's settings to the models, and guards against AWS by accident."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from pynamodb.models import Model

from logs import conf, endpoints
from logs.models import LogItem, LogsTableMeta


class LogsConfig(AppConfig):
    """Logs in DynamoDB, read in the admin."""

    name = "logs"
    verbose_name = "Logs"

    def ready(self) -> None:
        """Let a host project name the table in its Django settings, before its models are first used.

        Raises ImproperlyConfigured where a number in the settings is none: the first page would find it else.
        """
        conf.check()
        LogsTableMeta.table_name = getattr(settings, "LOGS_TABLE", LogsTableMeta.table_name)

    def dynamodb_models(self) -> list[type[Model]]:
        """Return the models whose tables `manage.py create_tables` makes."""
        return [LogItem]


@register
def aws_is_meant(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse to start with DEBUG on and DynamoDB on AWS, unless it is asked for."""
    refusal = endpoints.refusal(debug=settings.DEBUG)
    return [Error(refusal, id="logs.E001")] if refusal else []
