"""The app `logs`: configures the models, and guards against AWS by accident."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string
from pynamodb.models import Model

from logs import conf
from logs.models import LogItem, LogsTableMeta
from logs.storage import digest_items, endpoints, export_items, view_items
from logs.storage.digest_items import DigestItem, DigestsTableMeta
from logs.storage.export_items import ExportItem, ExportsTableMeta
from logs.storage.view_items import ViewsItem, ViewsTableMeta


class LogsConfig(AppConfig):
    """Logs in DynamoDB, read in the admin.

    A project with another app of the label `logs` subclasses this and sets `label` (docs/django.md).
    """

    name = "logs"
    verbose_name = "Logs"

    def ready(self) -> None:
        """Take the table's name from the Django settings, before the models are first used.

        Raises ImproperlyConfigured for an invalid number in the settings.
        """
        conf.check()
        LogsTableMeta.table_name = getattr(settings, "LOGS_TABLE", LogsTableMeta.table_name)
        DigestsTableMeta.table_name = getattr(settings, "DIGESTS_TABLE", DigestsTableMeta.table_name)
        ViewsTableMeta.table_name = getattr(settings, "VIEWS_TABLE", ViewsTableMeta.table_name)
        ExportsTableMeta.table_name = getattr(settings, "EXPORTS_TABLE", ExportsTableMeta.table_name)

    def dynamodb_models(self) -> list[type[Model]]:
        """Return the models whose tables `manage.py create_tables` creates."""
        declared = {
            LogItem: True,
            ViewsItem: view_items.is_on(),
            DigestItem: digest_items.is_on(),
            ExportItem: export_items.is_on(),
        }
        return [model for model, is_on in declared.items() if is_on]


def view_permission() -> str:
    """Return the permission to view logs: `logs.view_log`, or with the project's own label."""
    config = apps.get_containing_app_config(__name__)
    if config is None:
        raise LookupError("the app logs is not in INSTALLED_APPS")
    return f"{config.label}.view_log"


@register
def functions_are_importable(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a function of the settings that cannot be imported."""
    errors: list[CheckMessage] = []
    for name, read in conf.FUNCTIONS.items():
        function = read()
        try:
            is_callable = callable(import_string(function) if isinstance(function, str) else function)
        except ImportError as error:
            errors.append(Error(f"{name} cannot be imported: {error}", id="logs.E002"))
            continue
        if not (function is None or is_callable):
            errors.append(Error(f"{name} must be a function, not {function!r}", id="logs.E002"))
    return errors


@register
def aws_is_intended(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse DEBUG together with DynamoDB on AWS, unless a setting allows it."""
    refusal = endpoints.refusal(debug=settings.DEBUG)
    return [Error(refusal, id="logs.E001")] if refusal else []
