"""Are the tables as the models declare them?"""

from collections.abc import Iterator
from functools import partial

from django.apps import apps
from pynamodb.models import Model

from logs import tables
from logsite.doctor.findings import Finding, fail, guarded, ok


def check() -> Iterator[Finding]:
    """Look at the table of every model that an installed app declares."""
    for app in apps.get_app_configs():
        declare = getattr(app, "dynamodb_models", None)
        for model in declare() if declare else []:
            name = f"Table {model.Meta.table_name}"
            yield from guarded(name, partial(_table, model, name))


def _table(model: type[Model], name: str) -> Iterator[Finding]:
    if not model.exists():
        yield fail(name, "is missing", "Deploy, or run `manage.py create_tables`; or set its name.")
        return
    found = tables.differences(model, model.describe_table())
    for difference in found:
        yield fail(name, difference, "Keys and projections cannot be changed: build the index or table anew.")
    if ttl := tables.ttl_difference(model):
        yield fail(name, f"TTL is {ttl}", "Turn it on for expires_at: `manage.py create_tables` does.")
    if not found and not ttl:
        yield ok(name, "keys, indexes, projections and TTL are as they should be")
