"""`manage.py create_tables`: create missing tables, and turn on their TTL."""

import os
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

from logs.storage import endpoints, tables
from logs.storage.errors import AWS_ERRORS


class Command(BaseCommand):
    """Create the DynamoDB tables of every installed app that declares models."""

    help = (
        "Creates the DynamoDB tables that the installed apps declare, on demand, with their indexes and TTL. "
        "On existing tables it only turns on the TTL if it is off. "
        "It refuses a table with other keys or indexes."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the tables; raise CommandError if DynamoDB refuses, or if a table differs."""
        self.say(options, f"endpoint: {endpoints.dynamodb() or 'AWS'}")
        self.say(options, f"region: {os.environ.get('AWS_DEFAULT_REGION') or 'from the AWS configuration'}")
        for app in apps.get_app_configs():
            declare = getattr(app, "dynamodb_models", None)
            for model in declare() if declare else []:
                try:
                    table = tables.ensure(model)
                except tables.TableDiffers as error:
                    raise CommandError(str(error)) from error
                except AWS_ERRORS as error:
                    raise CommandError(f"{model.Meta.table_name}: {error}") from error
                account = table.arn.split(":")[4]
                outcome = "created" if table.created else "exists"
                if table.ttl_turned_on:
                    outcome += ", TTL turned on"
                self.say(options, f"{table.name}: {outcome} (account {account}, {table.arn})")

    def say(self, options: dict[str, Any], line: str) -> None:
        """Print a line unless `--verbosity 0` is set."""
        if options["verbosity"] > 0:
            self.stdout.write(line)
