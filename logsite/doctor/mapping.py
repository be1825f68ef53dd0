"""Does the queue feed the writer, and does SQS believe what the writer says has failed?"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from logsite.doctor.findings import Finding, fail, note, ok
from logsite.doctor.queues import Queue, describe

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_lambda.type_defs import EventSourceMappingConfigurationTypeDef as Mapping

MAPPING, VISIBILITY = "Mapping", "Visibility timeout"
REPORTS = "ReportBatchItemFailures"
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
VISIBILITY_PER_TIMEOUT = 6


def is_without_lambda() -> bool:
    """Tell whether SQS is an emulator beside which no Lambda was named: there the worker feeds the writer."""
    return bool(os.environ.get("AWS_ENDPOINT_URL_SQS")) and not (
        os.environ.get("AWS_ENDPOINT_URL_LAMBDA") or os.environ.get("AWS_ENDPOINT_URL")
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
        yield fail(MAPPING, f"nothing reads {queue.arn}", "Deploy the stack of deploy/mapping.yaml.")
    for mapping in mappings:
        yield from _mapping(mapping)
        yield _visibility(client, queue, mapping["FunctionArn"])


def _mapping(mapping: "Mapping") -> Iterator[Finding]:
    name = f"{MAPPING} {mapping['UUID']}"
    state, reports = mapping.get("State", ""), REPORTS in (mapping.get("FunctionResponseTypes") or [])
    # Enabled, or on the way there.
    if state not in ("Enabled", "Enabling", "Creating", "Updating"):
        yield fail(
            name, f"it is {state}: logs wait in the queue", "Enable it: it is Enabled in mapping.yaml."
        )
    if not reports:
        yield fail(
            name,
            f"it has no {REPORTS}: SQS deletes the messages that the writer says have failed",
            "Deploy the stack of deploy/mapping.yaml again.",
        )
    if reports and state == "Enabled":
        yield ok(name, f"enabled, with {REPORTS}")
    elif reports and state in ("Enabling", "Creating", "Updating"):
        yield note(name, f"{state.lower()}, with {REPORTS}: look again in a minute")


def _visibility(client: "LambdaClient", queue: Queue, function: str) -> Finding:
    timeout = client.get_function_configuration(FunctionName=function)["Timeout"]
    least = VISIBILITY_PER_TIMEOUT * timeout
    told = f"{queue.visibility_seconds} s, and the writer's timeout {timeout} s"
    if queue.visibility_seconds < least:
        return fail(
            VISIBILITY,
            f"it is {told}: messages come again while they are still being written",
            f"Set it to {least} s or more: VisibilityTimeout in deploy/resources.yaml.",
        )
    return ok(VISIBILITY, told)
