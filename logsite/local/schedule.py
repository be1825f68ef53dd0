"""Run the digests builder every five minutes, as the schedule does on AWS."""

import contextlib
import time

from logs.digests.handler import RunFailed, lambda_handler

INTERVAL_SECONDS = 300


def main() -> None:
    """Run the builder now and then on schedule, until the process ends.

    It may end at any time: the next run completes what is missing.
    """
    while True:
        # Its log line has the reason, and the next run retries.
        with contextlib.suppress(RunFailed):
            lambda_handler({}, None)
        time.sleep(INTERVAL_SECONDS)


if __name__ == "__main__":
    main()
