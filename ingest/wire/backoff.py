"""Exponential backoff with jitter, for every retry."""

import random
from collections.abc import Iterator


def backoff(first: float, maximum: float) -> Iterator[float]:
    """Yield the seconds to wait before each retry, without end.

    The delay starts at `first` and doubles up to `maximum`. Jitter multiplies each delay by 0.5 to 1, so that
    many processes do not retry at the same moment:
    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """
    delay = first
    while True:
        yield delay * random.uniform(0.5, 1)  # noqa: S311  jitter is no secret
        delay = min(maximum, delay * 2)
