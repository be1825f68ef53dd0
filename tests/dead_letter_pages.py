"""A pytest plugin: the dead-letter pages of two operators, with a queue and its trail."""

import html
import re
from dataclasses import dataclass

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from logsite.accounts.models import User
from logsite.dead_letters import queues as page_queues
from tests.audit import Trail
from tests.conftest import client_of, make_user
from tests.dead_letters import DeadLetters

PERMISSIONS = {"logs.view_log", "logs.replay_dead_letters"}
LIST = "/admin/logs/deadletter/"
RUN = f"{LIST}run/"


@dataclass(frozen=True)
class Operator:
    """A user who may replay dead letters, and the user's client."""

    user: User
    client: Client

    def get(self, address: str = LIST, status: int = 200) -> str:
        """Return a page."""
        return self._text(self.client.get(address), status)

    def post(self, address: str, status: int = 200, **data: object) -> str:
        """Send a form. Return the page after a redirect."""
        return self._text(self.client.post(address, data, follow=True), status)

    def step(self, page: str) -> str:
        """Send the form of the next step of a run."""
        form = page[page.index('id="dead-letters-run"') :]
        data: dict[str, list[str]] = {}
        for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form):
            data.setdefault(name, []).append(html.unescape(value))
        return self.post(RUN, **data)

    @staticmethod
    def _text(response: HttpResponse, status: int) -> str:
        assert response.status_code == status, response.content.decode()
        return response.content.decode()


def change(message_id: str) -> str:
    """Return the address of one dead letter."""
    return f"{LIST}{message_id}/change/"


def make_operator() -> Operator:
    """Return a new operator."""
    user = make_user("operator", is_staff=True, permissions=PERMISSIONS)
    return Operator(user, client_of(user))


@pytest.fixture
def page_settings(dlq: DeadLetters, audit: Trail, settings: Settings) -> DeadLetters:
    """Configure the site with the queues. Return the queues with the command."""
    settings.LOGS_DEAD_LETTER_QUEUE_URL = dlq.queues.dead_letter_url
    page_queues.client.cache_clear()
    return dlq


@pytest.fixture
def operator(page_settings: DeadLetters) -> Operator:
    """Return an operator of the configured site."""
    return make_operator()
