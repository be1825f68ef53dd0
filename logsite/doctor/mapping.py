"""Does the queue feed the writer, and does SQS believe what the writer says has failed?"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from logs.models import LogItem
from logsite.doctor.findings import Finding, fail, note, ok
from logsite.doctor.queues import Queue, describe

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_lambda.type_defs import EventSourceMappingConfigurationTypeDef as Mapping
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef as Function

MAPPING, VISIBILITY = "Mapping", "Visibility timeout"
REPORTS = "ReportBatchItemFailures"
# Beside the batching window: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
VISIBILITY_PER_TIMEOUT = 6


def is_without_lambda() -> bool:
    """Tell whether SQS is an emulator beside which no Lambda was named: there the worker feeds the writer.

    An endpoint of AWS's own, in a private network, is none.
    """
    host = urlsplit(os.environ.get("AWS_ENDPOINT_URL_SQS", "")).hostname or ""
    return bool(host) and not (
        host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
        or os.environ.get("AWS_ENDPOINT_URL_LAMBDA")
        or os.environ.get("AWS_ENDPOINT_URL")
    )


def check() -> Iterator[Finding]:
    """Look at every mapping of the queue, and at the timeout of the function behind it."""
    if is_without_lambda():
        yield note(MAPPING, "there is no Lambda beside this SQS: `python -m ingest.worker` feeds the writer")
        return
    queue = describe("LOGS_QUEUE_URL")
    if queue is None:
        yield fail(MAPPING, "LOGS_QUEUE_URL is not set", "Set it to the address of the queue of logs.")
        return
    client: LambdaClient = boto3.session.Session().client(
        "lambda",
        region_name=queue.arn.split(":")[3],
        config=Config(
            connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
        ),
    )
    pages = client.get_paginator("list_event_source_mappings").paginate(EventSourceArn=queue.arn)
    mappings = [mapping for page in pages for mapping in page["EventSourceMappings"]]
    if not mappings:
        yield fail(MAPPING, f"nothing reads {queue.arn}", "`make deploy` makes the mapping.")
    if len(mappings) > 1:
        yield fail(
            MAPPING,
            f"{len(mappings)} mappings share the queue: each function gets some of the logs",
            "Delete those that are not of deploy/mapping.yaml.",
        )
    for mapping in mappings:
        function = client.get_function_configuration(FunctionName=mapping["FunctionArn"])
        yield from _mapping(mapping)
        yield from _function(function)
        yield _visibility(queue, function["Timeout"], mapping.get("MaximumBatchingWindowInSeconds", 0))


def _mapping(mapping: "Mapping") -> Iterator[Finding]:
    name = f"{MAPPING} {mapping['UUID']}"
    state, reports = mapping.get("State", ""), REPORTS in (mapping.get("FunctionResponseTypes") or [])
    # Enabled, or on the way there.
    if state not in ("Enabled", "Enabling", "Creating", "Updating"):
        yield fail(name, f"it is {state}: logs wait in the queue", "`make deploy` enables it again.")
    if not reports:
        yield fail(
            name,
            f"it has no {REPORTS}: SQS deletes the messages that the writer says have failed",
            "`make deploy` gives it back.",
        )
    if reports and state == "Enabled":
        yield ok(name, f"enabled, with {REPORTS}")
    elif reports and state in ("Enabling", "Creating", "Updating"):
        yield note(name, f"{state.lower()}, with {REPORTS}: look again in a minute")


def _function(function: "Function") -> Iterator[Finding]:
    environment = function.get("Environment", {})
    table = environment.get("Variables", {}).get("LOGS_TABLE")
    # To whoever may not decrypt the variables, Lambda gives an error in their place.
    if "Error" not in environment and table != LogItem.Meta.table_name:
        yield fail(
            f"{MAPPING} to {function['FunctionName']}",
            f"its LOGS_TABLE is {table!r}, and {LogItem.Meta.table_name!r} is read here",
            "Name one table in both, or map the queue to the writer of this stage.",
        )


def _visibility(queue: Queue, timeout: int, window: int) -> Finding:
    least = VISIBILITY_PER_TIMEOUT * timeout + window
    told = f"{queue.visibility_seconds} s, the writer's timeout {timeout} s, the batching window {window} s"
    if queue.visibility_seconds < least:
        return fail(
            VISIBILITY,
            f"it is {told}: messages come again while they are still being written",
            f'Set it to {least} s or more: make deploy SET="VisibilityTimeout={least}".',
        )
    return ok(VISIBILITY, told)
