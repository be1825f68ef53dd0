"""The dead-letter pages as their operators use them."""

import html
import re
from dataclasses import dataclass
from typing import Any

from django.test import Client

from logsite.accounts.models import User
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

    def post(self, address: str, status: int = 200, **data: Any) -> str:
        """Send a form. Return the page after a redirect."""
        return self._text(self.client.post(address, data, follow=True), status)

    def step(self, page: str) -> str:
        """Send the form of the next step of a run."""
        form = page[page.index('id="dead-letters-run"') :]
        data: dict[str, list[str]] = {}
        for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form):
            data.setdefault(name, []).append(html.unescape(value))
        return self._text(self.client.post(RUN, data), 200)

    @staticmethod
    def _text(response: Any, status: int) -> str:
        page: str = response.content.decode()
        assert response.status_code == status, page
        return page


def change(message_id: str) -> str:
    """Return the address of one dead letter."""
    return f"{LIST}{message_id}/change/"


def add(dlq: DeadLetters, body: str) -> str:
    """Send a message to the dead-letter queue, as SQS moves one. Return its id."""
    queues = dlq.queues
    return queues.client.send_message(QueueUrl=queues.dead_letter_url, MessageBody=body)["MessageId"]


def make_operator() -> Operator:
    """Return a new operator."""
    user = make_user("operator", is_staff=True, permissions=PERMISSIONS)
    return Operator(user, client_of(user))
