"""`python -m ingest schema`: print the JSON Schema of a message."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from ingest.messages import LogMessage

if TYPE_CHECKING:
    from ingest.cli.arguments import Subparsers

DESCRIPTION = (
    "Print the JSON Schema of a message, for senders in other languages. The output is the content of "
    "docs/message.schema.json."
)


def add_parser(subparsers: "Subparsers") -> None:
    """Add `schema` to the commands of `python -m ingest`."""
    parser = subparsers.add_parser(
        "schema", help="print the JSON Schema of a message", description=DESCRIPTION
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the schema. Return the exit status."""
    sys.stdout.write(text())
    return 0


def text() -> str:
    """Return the schema as JSON (draft 2020-12)."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **LogMessage.model_json_schema(),
        "title": "A log, as the body of a message on LogsQueue",
        "description": "UTF-8, at most 1 MiB. Unknown fields are stored too, and override nothing.",
    }
    return json.dumps(schema, indent=2) + "\n"
