"""The metric of the audit trail, in CloudWatch's embedded metric format."""

import os


def count_unsent(number: int) -> None:
    """Print the metric `audit_unsent` of the namespace Logsite. Its dimension is the function's name."""
    # Rarely needed, and slow to import.
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    with single_metric(
        "audit_unsent",
        MetricUnit.Count,
        number,
        namespace="Logsite",
        default_dimensions={"service": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "logsite")},
    ):
        pass  # it prints at the end of the block
