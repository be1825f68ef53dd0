"""Random text, which no compression shortens much."""

import base64
import random


def noise(size: int, seed: int = 1) -> str:
    """Return `size` random characters of ASCII."""
    return base64.b64encode(random.Random(seed).randbytes(size)).decode()[:size]
