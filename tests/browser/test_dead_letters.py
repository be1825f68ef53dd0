"""Dead letters in a real browser, by mouse and by keyboard: docs/dead-letters.md lists the clicks."""

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from logsite.dead_letters import run
from tests.browser.chromium import tab_to
from tests.dead_letter_pages import LIST, Operator, add, change
from tests.dead_letters import DeadLetters
from tests.factories import make_body
from tests.pages import LISTING

pytest_plugins = [
    "tests.sqs_server",
    "tests.audit_fixtures",
    "tests.dead_letter_fixtures",
]
pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("logs_table")]


@pytest.fixture
def viewer_client(operator: Operator) -> Client:
    """Return the client of the operator, in whose name the browser is signed in."""
    return operator.client


def test_mouse_corrects_a_dead_letter_and_opens_its_log(page: Page, dlq: DeadLetters) -> None:
    dead_letter = dlq.reject(make_body(type="", url="/corrected"))
    page.goto(LISTING)

    page.get_by_role("link", name="Dead letters").click()
    page.get_by_role("link", name=dead_letter["message_id"][:8]).click()
    expect(page.locator("mark")).to_have_text('"type": ""')
    page.get_by_label("Corrected body").fill(make_body(type="", sub_type="kept", url="/corrected"))
    page.get_by_role("button", name="Send corrected message").click(no_wait_after=True)
    expect(page.get_by_role("alert")).to_contain_text("Please correct the body")
    page.get_by_label("Corrected body").fill(make_body(type="fixed", url="/corrected"))
    page.get_by_role("button", name="Send corrected message").click()
    expect(page.get_by_text("There are no dead letters.")).to_be_visible()
    dlq.run_writer()
    page.get_by_role("link", name=f"The log {dead_letter['log_id']}").click()

    expect(page.get_by_role("heading", name="fixed")).to_be_visible()
    page.get_by_role("link", name="Close").click()
    expect(page.locator(f"#log-{dead_letter['log_id']}")).to_contain_text("/corrected")


def test_keyboard_corrects_a_dead_letter(page: Page, dlq: DeadLetters) -> None:
    dead_letter = dlq.reject(make_body(type="", url="/corrected"))
    page.goto(LIST)

    tab_to(page, ".dead-letters-list a")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{change(dead_letter['message_id'])}")
    tab_to(page, "textarea")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(make_body(type="fixed", url="/corrected"))
    tab_to(page, "[type=submit]")
    page.keyboard.press("Enter")
    expect(page.get_by_text("There are no dead letters.")).to_be_visible()
    dlq.run_writer()
    tab_to(page, ".messagelist a")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="fixed")).to_be_visible()


def test_run_continues_until_it_ends_or_is_stopped(
    page: Page, dlq: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        add(dlq, make_body(url=f"/{number}"))
    monkeypatch.setattr(run, "STEP_SECONDS", 0.01)
    monkeypatch.setattr("ingest.cli.dlq.rate.time.sleep", lambda seconds: None)
    page.goto(LIST)
    page.get_by_role("link", name="Replay all valid").click()
    page.get_by_label("Dead letters per second").fill("1")
    page.get_by_role("button", name="Replay", exact=True).click()
    page.get_by_role("button", name="Stop").click()

    status = page.get_by_role("status")
    expect(status).to_contain_text("Stopped.")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    assert dlq.queues.count_dead() > 0
    page.get_by_role("button", name="Continue").click()
    expect(status).to_contain_text("Finished. Replayed: 8.")

    add(dlq, make_body(url="/last"))
    page.get_by_role("link", name="Back to the dead letters").click()
    page.get_by_label("Select all").check()
    page.get_by_label("Reason to discard").fill("a load test")
    page.get_by_role("button", name="Discard selected").click()
    expect(status).to_contain_text("Finished. Discarded: 1.")
    assert dlq.queues.count_dead() == 0
