"""`python -m ingest schema`: the message as JSON Schema, for producers in other languages."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from ingest.messages import LogMessage

if TYPE_CHECKING:
    # What `add_subparsers` returns is generic for type checkers alone.
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: "Subparsers") -> None:
    """Add `schema` to the commands of `python -m ingest`."""
    text = "print the JSON Schema of a message, which docs/message.schema.json holds"
    subparsers.add_parser("schema", help=text, description=text).set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print it."""
    sys.stdout.write(text())
    return 0


def text() -> str:
    """Return the schema as JSON (draft 2020-12)."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **LogMessage.model_json_schema(),
        "title": "A log, as the body of a message on LogsQueue",
        "description": "UTF-8, 1 MiB at most. Other fields are kept as well, and override nothing.",
    }
    return json.dumps(schema, indent=2) + "\n"
