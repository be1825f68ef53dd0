"""The checks of the event source mapping between the queue and the writer."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from ingest.wire.queue_url import is_aws_host
from logs.models import LogItem
from logsite.doctor.queues import Queue, describe
from logsite.doctor.results import CheckResult, fail, note, ok

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_lambda.type_defs import EventSourceMappingConfigurationTypeDef as Mapping
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef as Function

MAPPING, VISIBILITY_TIMEOUT = "Mapping", "Visibility timeout"
FAILURE_REPORTS = "ReportBatchItemFailures"
CHANGING_STATES = ("Enabling", "Creating", "Updating")
# AWS's recommendation: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
VISIBILITY_PER_TIMEOUT = 6


def is_without_lambda() -> bool:
    """Return whether SQS is an emulator without Lambda.

    The worker then polls the queue. An endpoint of AWS itself in a private network is no emulator.
    """
    host = urlsplit(os.environ.get("AWS_ENDPOINT_URL_SQS", "")).hostname or ""
    return bool(host) and not (
        is_aws_host(host) or os.environ.get("AWS_ENDPOINT_URL_LAMBDA") or os.environ.get("AWS_ENDPOINT_URL")
    )


def check() -> Iterator[CheckResult]:
    """Check every mapping of the queue, and the configuration of the function behind it.

    Costs a request to SQS and two or more to Lambda. Raise botocore's BotoCoreError and ClientError.
    """
    if is_without_lambda():
        yield note(MAPPING, "this SQS has no Lambda: `python -m ingest.worker` polls the queue instead")
        return
    queue = describe("LOGS_QUEUE_URL")
    if queue is None:
        yield fail(MAPPING, "LOGS_QUEUE_URL is not set", "Set it to the URL of the queue of logs.")
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
        yield fail(MAPPING, f"no event source mapping reads {queue.arn}", "`make deploy` creates it.")
    if len(mappings) > 1:
        yield fail(
            MAPPING,
            f"{len(mappings)} event source mappings read the queue: each function receives some of the logs",
            "Delete those that deploy/mapping.yaml does not define.",
        )
    for mapping in mappings:
        function = client.get_function_configuration(FunctionName=mapping["FunctionArn"])
        yield from _check_mapping(mapping)
        yield from _check_table_name(function)
        yield _check_visibility_timeout(
            queue, function["Timeout"], mapping.get("MaximumBatchingWindowInSeconds", 0)
        )


def _check_mapping(mapping: "Mapping") -> Iterator[CheckResult]:
    part = f"{MAPPING} {mapping['UUID']}"
    state = mapping.get("State", "")
    reports_failures = FAILURE_REPORTS in (mapping.get("FunctionResponseTypes") or [])
    if state not in ("Enabled", *CHANGING_STATES):
        yield fail(part, f"its state is {state}: logs wait in the queue", "`make deploy` enables it.")
    if not reports_failures:
        yield fail(
            part,
            f"it has no {FAILURE_REPORTS}: SQS deletes the messages that the writer reports as failed",
            "`make deploy` sets it.",
        )
    if reports_failures and state == "Enabled":
        yield ok(part, f"enabled, with {FAILURE_REPORTS}")
    elif reports_failures and state in CHANGING_STATES:
        yield note(part, f"{state.lower()}, with {FAILURE_REPORTS}: run the command again in a minute")


def _check_table_name(function: "Function") -> Iterator[CheckResult]:
    environment = function.get("Environment", {})
    table = environment.get("Variables", {}).get("LOGS_TABLE")
    # Without the permission to decrypt the variables, Lambda returns an error in their place.
    if "Error" not in environment and table != LogItem.Meta.table_name:
        yield fail(
            f"{MAPPING} to {function['FunctionName']}",
            f"its LOGS_TABLE is {table!r}, but this site reads {LogItem.Meta.table_name!r}",
            "Set the same table on both sides, or map the queue to the writer of this stage.",
        )


def _check_visibility_timeout(queue: Queue, timeout: int, window: int) -> CheckResult:
    """Compare the visibility timeout with the writer's timeout and the batching window, in seconds."""
    minimum = VISIBILITY_PER_TIMEOUT * timeout + window
    values = f"{queue.visibility_timeout} s, the writer's timeout {timeout} s, the batching window {window} s"
    if queue.visibility_timeout < minimum:
        return fail(
            VISIBILITY_TIMEOUT,
            f"it is {values}: SQS redelivers messages while the writer still stores them",
            f'Set it to {minimum} s or more: make deploy SET="VisibilityTimeout={minimum}".',
        )
    return ok(VISIBILITY_TIMEOUT, values)
