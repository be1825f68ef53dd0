"""A pytest plugin: a site that is configured with the dead-letter queue, and an operator."""

import pytest
from pytest_django import Settings

from logsite.dead_letters import queues
from tests.audit import Trail
from tests.dead_letter_pages import Operator, make_operator
from tests.dead_letters import DeadLetters


@pytest.fixture
def configured(dlq: DeadLetters, audit: Trail, settings: Settings) -> None:
    """Configure the site with the dead-letter queue. The audit trail is on."""
    settings.LOGS_DEAD_LETTER_QUEUE_URL = dlq.queues.dead_letter_url
    queues.client.cache_clear()


@pytest.fixture
def operator(configured: None) -> Operator:
    """Return an operator of the configured site."""
    return make_operator()
