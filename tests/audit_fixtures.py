"""A pytest plugin: the audit trail, switched on."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from logsite.audit import trail
from tests.audit import Trail
from tests.queues import Queues


@pytest.fixture
def audit(queues: Queues, logs_table: None, settings: Settings) -> Iterator[Trail]:
    """Switch the trail on, with an empty queue and an empty table."""
    settings.LOGSITE_AUDIT = True
    settings.LOGS_QUEUE_URL = queues.url
    trail.client.cache_clear()
    yield Trail(queues)
    trail.client().close()
    trail.client.cache_clear()
