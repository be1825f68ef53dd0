"""`manage.py forget_choices`: delete suggested values of the filter."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from logs.characters import visible
from logs.storage import choices
from logs.storage.errors import AWS_ERRORS

OPTIONS = {
    "--type": "types",
    "--sub-type": "sub_types",
    "--country": "countries",
    "--platform": "platforms",
    "--browser": "browsers",
}


class Command(BaseCommand):
    """Delete values from the suggestions of the filter."""

    help = (
        "Deletes values from the suggestions of the filter, for example invented types. No log "
        "is changed. A value returns within an hour if logs still have it. "
        "Asks for confirmation unless --noinput is set."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the values, and the option to skip the confirmation."""
        for option, kind in OPTIONS.items():
            parser.add_argument(
                option,
                nargs="+",
                action="extend",
                default=[],
                dest=kind,
                metavar="VALUE",
                help="exact values, or as a page shows them, with escapes such as \\u202e",
            )
        parser.add_argument("--all", action="store_true", help="every value")
        parser.add_argument(
            "--noinput", "--no-input", action="store_false", dest="interactive", help="do not ask"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete the values; if one is not suggested, raise CommandError before any is deleted."""
        arguments = {kind: options[kind] for kind in choices.KINDS}
        if options["all"] == any(arguments.values()):
            raise CommandError(f"Give either --all, or values with {', '.join(OPTIONS)}.")
        try:
            item = choices.read(consistent=True)
            values = {
                kind: set(getattr(item, kind))
                if options["all"]
                else _matches(getattr(item, kind), arguments[kind])
                for kind in choices.KINDS
            }
            count = sum(map(len, values.values()))
            question = f"Delete {count} values from the suggestions? No log is changed. Type yes: "
            if options["interactive"] and input(question) != "yes":
                raise CommandError("Nothing was deleted.")
            choices.forget(values)
        except (choices.Conflict, *AWS_ERRORS) as error:
            raise CommandError(f"DynamoDB refused: {error}") from error
        self.stdout.write(f"Deleted {count} values from the suggestions.")


def _matches(values: dict[str, list[int]], arguments: list[str]) -> set[str]:
    """Return the values that the arguments name. Raise CommandError if an argument names none."""
    by_name = {**{visible(value): value for value in values}, **{value: value for value in values}}
    if missing := [argument for argument in arguments if argument not in by_name]:
        names = ", ".join(map(visible, missing))
        raise CommandError(f"The suggestions do not include {names}; nothing was deleted.")
    return {by_name[argument] for argument in arguments}
