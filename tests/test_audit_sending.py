"""The audit trail fails and delays no page, holds no secret, and can be switched off."""

import io
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from ingest.wire import sqs
from logsite import settings as site_settings
from logsite.accounts import tokens
from logsite.accounts.models import User
from logsite.audit import trail
from tests.api import LOGS, fetch, program
from tests.audit import Trail
from tests.conftest import PASSWORD, client_of, make_user
from tests.items import make_item, store
from tests.memory_sqs import QUEUE_URL
from tests.pages import LISTING
from tests.switched_sqs import SwitchedSqs
from tests.test_accounts_sign_in import sign_in

pytest_plugins = ["tests.sqs_server", "tests.audit_fixtures"]

SECRET = "correct horse battery staple"
LOG = make_item(1).id
SEARCH = f"{LISTING}?account_id=7"


class HangingSqs(SwitchedSqs):
    """Accepts connections and never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.released.wait(30)
        return super().send_message_batch(QueueUrl, Entries)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[HangingSqs]:
    """Replace SQS by a queue that hangs until the end of the test."""
    queue = HangingSqs()
    monkeypatch.setattr(sqs, "client", lambda **_: queue)
    yield queue
    queue.released.set()


@pytest.fixture
def site(logs_table: None, settings: Settings) -> Iterator[None]:
    """Switch the trail on. The queue is a fake."""
    settings.LOGSITE_AUDIT = True
    settings.LOGS_QUEUE_URL = QUEUE_URL
    trail.client.cache_clear()
    yield
    if trail.client.cache_info().currsize:
        trail.client().close(0)
    trail.client.cache_clear()


@pytest.fixture
def on_lambda(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the site's function, and nothing else of Lambda."""
    settings.ON_LAMBDA = True
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "logsite-dev")


def metrics(output: str) -> list[dict[str, Any]]:
    """Return the metrics in an output, in CloudWatch's embedded format."""
    return [json.loads(line) for line in output.splitlines() if "_aws" in line]


def types_in(queue: SwitchedSqs) -> list[str]:
    return [json.loads(body)["type"] for batch in queue.batches for body in batch]


@pytest.mark.usefixtures("site", "on_lambda")
def test_log_is_sent_before_the_answer_on_lambda(
    switched: SwitchedSqs, viewer: User, capsys: pytest.CaptureFixture[str]
) -> None:
    client = client_of(viewer)
    trail.client().flush(5)
    switched.batches.clear()
    assert client.get(SEARCH).status_code == 200
    assert types_in(switched) == ["search"]
    assert metrics(capsys.readouterr().out) == []


@pytest.mark.usefixtures("site", "on_lambda")
def test_hanging_queue_delays_no_page_on_lambda(
    hanging: HangingSqs, viewer: User, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    client = client_of(viewer)
    assert client.get(f"{SEARCH}&q=private").status_code == 200  # it would hang for 30 s
    [line] = [record.getMessage() for record in caplog.records if record.name == trail.__name__]
    assert line == (
        f"A log of the audit trail was not sent: type=search sub_type=page user_id={viewer.username} "
        "submitter_ip=127.0.0.1. SQS did not accept it within 0.5 s"
    )
    [metric] = metrics(capsys.readouterr().out)
    assert (metric["audit_unsent"], metric["service"]) == ([1.0], "logsite-dev")
    assert metric["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Logsite"


@pytest.mark.usefixtures("site", "on_lambda")
def test_late_log_is_sent_with_a_later_request(
    switched: SwitchedSqs, viewer: User, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail, "FLUSH_SECONDS", 0.01)
    client = client_of(viewer)
    trail.client().flush(5)
    switched.batches.clear()
    switched.on.clear()
    client.get(SEARCH)
    assert len(metrics(capsys.readouterr().out)) == 1
    switched.on.set()
    client.get(f"{LISTING}export/?format=csv")
    assert trail.client().flush(10)
    assert types_in(switched) == ["search", "export"]


@pytest.mark.usefixtures("site")
def test_unreachable_queue_fails_and_delays_no_page(switched: SwitchedSqs, viewer: User) -> None:
    switched.on.clear()
    store([make_item(1)])
    client, status = sign_in(viewer.username, PASSWORD)
    assert status == 302
    for address in ("", "?type=login", "export/?format=csv", f"{LOG}/change/", f"{LOG}/json/"):
        assert client.get(LISTING + address).status_code == 200
    assert client.get(LOGS).status_code == 200
    assert client.post("/admin/logout/").status_code == 200
    assert sign_in("nobody", "wrong")[1] == 200


@pytest.mark.usefixtures("site", "on_lambda")
def test_client_that_cannot_start_fails_no_page(
    viewer: User,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOGS_MASK", "/(/")
    trail.client().close(0)
    trail.client.cache_clear()
    assert client_of(viewer).get(SEARCH).status_code == 200
    assert "A log of the audit trail was not sent: type=search sub_type=page" in caplog.text
    assert "ValueError: LOGS_MASK" in caplog.text
    assert metrics(capsys.readouterr().out)


@pytest.mark.usefixtures("site", "on_lambda")
def test_page_without_an_event_waits_for_nothing(hanging: HangingSqs, viewer: User) -> None:
    client = client_of(viewer)
    assert client.get(LISTING).status_code == 200
    assert hanging.tries == 0


def test_texts_are_truncated(audit: Trail, viewer: User) -> None:
    text = "needle" * 80
    client = client_of(viewer)
    assert client.get(LISTING, {"q": text, "url": text, "sub_type": text}).status_code == 200
    assert client.get(LISTING, {"type": [f"{number}{text}"[:490] for number in range(40)]}).status_code == 200
    sign_in(text * 9, "wrong")
    for body in audit.bodies():
        assert text[:201] not in body
        log = json.loads(body)
        assert len(log["url"]) <= 2_000
        assert len(log.get("user_name", "")) <= 200
        assert len(log["summary"]) <= 160


def test_bodies_hold_no_password_token_or_payload(audit: Trail, superuser: User) -> None:
    store([make_item(1, payload=SECRET, payload_type="text", payload_size=len(SECRET))])
    token = tokens.create("reports")
    user = make_user("other", is_staff=True)
    hashes = {user.password, User.objects.get(username=superuser.username).password}
    client, _ = sign_in(superuser.username, PASSWORD)
    sign_in(superuser.username, SECRET)
    for address in ("?type=login", "export/?format=ndjson", f"{LOG}/change/", f"{LOG}/json/"):
        client.get(LISTING + address)
    assert fetch(program(token), f"{LOGS}/{LOG}")["payload"] == SECRET
    form = {"old_password": PASSWORD, "new_password1": SECRET, "new_password2": SECRET}
    client.post("/admin/password_change/", form)
    hashes.add(User.objects.get(username=superuser.username).password)
    call_command("revoke_api_token", "reports", stdout=io.StringIO())

    bodies = audit.bodies()
    types = {json.loads(body)["type"] for body in bodies}
    assert types >= {"login", "search", "export", "view", "user", "token"}
    secrets = {
        PASSWORD,
        SECRET,
        token,
        token.split("_reports_")[1],
        *hashes,
        *(each[-20:] for each in hashes),
    }
    secrets |= {cookie.value for cookie in client.cookies.values()}
    assert not [secret for secret in secrets if any(secret in body for body in bodies)]
    assert not [body for body in bodies if "payload" in json.loads(body)]


def test_switched_off_it_sends_nothing(audit: Trail, viewer: User, settings: Settings) -> None:
    audit.bodies()
    settings.LOGSITE_AUDIT = False
    client, _ = sign_in(viewer.username, PASSWORD)
    client.get(SEARCH)
    client.post("/admin/logout/")
    tokens.create(f"off-{viewer.username[-8:]}")
    assert audit.bodies() == []


@pytest.mark.parametrize(
    ("text", "default", "is_on"),
    [("", True, True), ("", False, False), ("off", True, False), ("ON", False, True), ("0", True, False)],
)
def test_switch_reads_on_and_off(text: str, default: bool, is_on: bool) -> None:
    assert site_settings.switch("LOGSITE_AUDIT", text, default=default) is is_on


def test_switch_refuses_other_texts() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^LOGSITE_AUDIT must be on or off, not 'maybe'\.$"):
        site_settings.switch("LOGSITE_AUDIT", "maybe", default=True)


def test_trail_is_off_without_a_queue(settings: Settings) -> None:
    assert settings.LOGSITE_AUDIT is False


def test_commands_end_without_the_queue(
    site: None, switched: SwitchedSqs, superuser: User, viewer_client: Client
) -> None:
    switched.on.clear()
    call_command("deactivate_user", superuser.username, stdout=io.StringIO())
    assert not User.objects.get(username=superuser.username).is_active
