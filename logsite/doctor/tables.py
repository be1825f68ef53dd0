"""The check that the tables are as the models declare them."""

from collections.abc import Iterator
from functools import partial

from django.apps import apps
from pynamodb.models import Model

from logs.storage import tables
from logsite.doctor.results import CheckResult, fail, ok, run_check


def check() -> Iterator[CheckResult]:
    """Check the table of every model that an installed app declares.

    Costs DescribeTable and DescribeTimeToLive for each table.
    """
    for app in apps.get_app_configs():
        dynamodb_models = getattr(app, "dynamodb_models", list)
        for model in dynamodb_models():
            part = f"Table {model.Meta.table_name}"
            yield from run_check(part, partial(_check_table, model, part))


def _check_table(model: type[Model], part: str) -> Iterator[CheckResult]:
    if not model.exists():
        yield fail(
            part,
            "the table does not exist",
            "Deploy, run `manage.py create_tables`, or set the name of an existing table.",
        )
        return
    differences = tables.differences(model, model.describe_table())
    for difference in differences:
        yield fail(
            part, difference, "Keys and projections cannot be changed: create the index or the table again."
        )
    if ttl := tables.ttl_difference(model):
        yield fail(part, f"TTL is {ttl}", "`manage.py create_tables` turns it on for expires_at.")
    if not differences and not ttl:
        yield ok(part, "keys, indexes, projections and TTL match the models")
