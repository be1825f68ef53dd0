"""Counts of logs."""

from dataclasses import dataclass


@dataclass
class Counts:
    """Numbers of logs that this process handled in the background."""

    sent: int = 0  # accepted by SQS
    dropped: int = 0  # lost: no space, not sent before the client closed, or in a removed spool folder
    # SQS refused them for good, or they were broken in the spool. Lost, unless a file of the spool has them.
    refused: int = 0
    filtered: int = 0  # dropped by `before_send`
