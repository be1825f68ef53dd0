"""`manage.py create_tables`: make what is missing, and change nothing that is there but a TTL that is off."""

import os
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from pynamodb.exceptions import PynamoDBException

from logs import endpoints, tables


class Command(BaseCommand):
    """Make the DynamoDB tables of every app that declares some."""

    help = (
        "Makes the DynamoDB tables that the installed apps declare: on-demand billing, indexes, TTL. "
        "Of tables that are there already TTL alone is turned on where it is off; one with other keys or "
        "indexes is refused."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.say(options, f"endpoint: {endpoints.dynamodb() or 'AWS'}")
        self.say(options, f"region: {os.environ.get('AWS_DEFAULT_REGION') or 'from the AWS configuration'}")
        for app in apps.get_app_configs():
            declare = getattr(app, "dynamodb_models", None)
            for model in declare() if declare else []:
                try:
                    table = tables.ensure(model)
                except tables.TableDiffers as error:
                    raise CommandError(str(error)) from error
                except (PynamoDBException, BotoCoreError, ClientError) as error:
                    raise CommandError(f"{model.Meta.table_name}: {error}") from error
                account = table.arn.split(":")[4]
                outcome = "made" if table.created else "was there"
                if table.ttl_turned_on:
                    outcome += ", TTL turned on"
                self.say(options, f"{table.name}: {outcome} (account {account}, {table.arn})")

    def say(self, options: dict[str, Any], line: str) -> None:
        """Print a line unless `--verbosity 0` asks for silence."""
        if options["verbosity"] > 0:
            self.stdout.write(line)
