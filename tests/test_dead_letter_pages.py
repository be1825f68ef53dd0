"""The dead-letter pages: list, one dead letter, corrections, and runs in steps."""

import json
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from ingest.cli.dlq import redrive
from ingest.cli.dlq.queue import DeadLetterQueue
from ingest.sending import batches
from logs import reader
from logs.models import LogItem
from logsite.audit import trail
from logsite.dead_letters import claims, queues, run
from logsite.dead_letters.claims import Taken
from tests.dead_letter_pages import LIST, RUN, Operator, add, change, make_operator
from tests.dead_letters import DeadLetters
from tests.factories import LOG_ID, make_body
from tests.iam import allows, recorded_requests
from tests.items import logs
from tests.memory_sqs import DEAD_LETTER_QUEUE_URL, QUEUE_URL, MemorySqs
from tests.test_content_security import Violations
from tests.test_deploy_roles import SITE, TABLES, statements

pytest_plugins = ["tests.sqs_server", "tests.audit_fixtures", "tests.dead_letter_fixtures"]
pytestmark = pytest.mark.usefixtures("logs_table")

MARKUP = "<script>alert(1)</script>\u202e"


def shown_ids(page: str) -> list[str]:
    """Return the message ids of the list's rows."""
    return re.findall(r'name="ids" value="([^"]+)"', page)


def stored(log_id: str) -> LogItem:
    """Return a log of the table, whole."""
    item = reader.get(log_id, includes_own=True)
    assert item
    return item


def sent_urls(dlq: DeadLetters) -> list[str]:
    """Return the URLs of the logs in the queue, without those of the trail."""
    bodies = [json.loads(body) for body in dlq.queues.bodies()]
    return [body["url"] for body in bodies if body["account_id"] != trail.ACCOUNT]


def events(dlq: DeadLetters) -> list[tuple[str, str | None, str | None, str]]:
    """Write the trail. Return subtype, object, user and summary of each event about dead letters."""
    assert trail.client().flush(10)
    dlq.run_writer()
    items = sorted(logs(), key=lambda item: item.created_at)
    return [
        (item.sub_type, item.object_id, item.user_id, item.summary or "")
        for item in items
        if item.type == "dead-letter"
    ]


def test_list_shows_reasons_and_hides_nothing_afterwards(
    operator: Operator, dlq: DeadLetters, superuser_client: Client
) -> None:
    first = dlq.reject(make_body(type="", payload={"note": MARKUP, "password": "very-secret"}))
    moved = add(dlq, make_body(url="/moved", payload={"password": "very-secret"}))
    dlq.reject("no json")
    add(dlq, make_body(account_id="_logsite", url="/trail"))

    page = operator.get()

    assert "invalid_fields</b> <bdi>type: " in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert Violations(page).violations == []
    assert "very-secret" not in page
    assert "/trail" not in page
    assert "1 dead letter of Logsite’s own accounts" in page
    assert set(shown_ids(page)) >= {first["message_id"], moved}
    assert len(shown_ids(page)) == 3
    # Nothing stays hidden, and nothing is lost.
    assert len(dlq.list_json()) == 4
    assert shown_ids(operator.get(f"{LIST}?code=not_json")) == [dlq.list_json()[2]["message_id"]]
    assert "code must be one of" in operator.get(f"{LIST}?code=x%3Cb", 400)
    whole = superuser_client.get(LIST).content.decode()
    assert "/trail" in whole
    assert "own account" in whole


def test_page_marks_the_wrong_field(operator: Operator, dlq: DeadLetters) -> None:
    dead_letter = dlq.reject(make_body(type="", url="/x", payload={"token": "very-secret", "n": MARKUP}))

    page = operator.get(change(dead_letter["message_id"]))

    assert "<mark><bdi>&quot;type&quot;: &quot;&quot;</bdi></mark>" in page
    assert page.count("<mark>") == 1
    assert "<script>alert" not in page
    assert Violations(page).violations == []
    assert "very-secret" not in page
    assert dead_letter["log_id"] in page
    assert events(dlq) == [
        (
            "opened",
            dead_letter["message_id"],
            operator.user.username,
            f"Opened the dead letter of the log {dead_letter['log_id']}",
        )
    ]
    missing = operator.get(change("0" * 36), 404)
    assert "There is no dead letter" in missing


def test_corrected_dead_letter_is_stored(operator: Operator, dlq: DeadLetters) -> None:
    dead_letter = dlq.reject(make_body(type="", url="/x"), trace="abc")
    address = change(dead_letter["message_id"])

    again = operator.post(address, body=make_body(type="", url=7, sub_type="kept as typed"))

    assert "Please correct the body" in again
    assert again.count("<mark>") == 2
    assert "kept as typed" in again
    assert len(dlq.list_json()) == 1
    page = operator.post(address, body=make_body(type="login", url="/y"))
    assert f"/admin/logs/log/{dead_letter['log_id']}/change/" in page
    assert shown_ids(page) == []
    kind, object_id, user, summary = events(dlq)[-1]
    assert (kind, object_id, user) == ("corrected", dead_letter["message_id"], operator.user.username)
    assert summary.startswith("Corrected type, url of, and replayed, the dead letter of the log")
    log = stored(dead_letter["log_id"])
    assert (log.type, log.url) == ("login", "/y")


def test_conflict_gets_a_new_id_only_without_the_old_one(operator: Operator, dlq: DeadLetters) -> None:
    dlq.queues.send(make_body(id=LOG_ID, url="/first"))
    dlq.run_writer()
    conflict = dlq.reject(make_body(id=LOG_ID, url="/second"))
    address = change(conflict["message_id"])

    assert "the log with this id was received at" in operator.get(address)
    assert "is still that of another log" in operator.post(address, body=conflict["body"])
    operator.post(address, body=make_body(url="/second"))

    dlq.run_writer()
    assert {"/first", "/second"} <= {item.url for item in logs()}


def test_selected_dead_letters_are_replayed_or_discarded(operator: Operator, dlq: DeadLetters) -> None:
    first, second, third = (add(dlq, make_body(url=f"/{n}")) for n in range(3))

    page = operator.post(RUN, action="replay", ids=[first, second])

    assert "Finished." in page
    assert "Replayed: 2." in page
    assert shown_ids(operator.get()) == [third]
    assert "reason: is required" in operator.post(RUN, action="discard", ids=[third])
    page = operator.post(RUN, action="discard", ids=[third, first], reason=f"a load test {MARKUP}")
    assert "Discarded: 1." in page
    assert "Not in the queue: 1" in page
    assert "Try again" in page
    assert shown_ids(operator.get()) == []
    kinds = {(kind, object_id) for kind, object_id, *_ in events(dlq)}
    assert kinds == {("replayed", first), ("replayed", second), ("discarded", third)}
    urls = {item.url for item in logs()}
    assert {"/0", "/1"} <= urls
    assert "/2" not in urls
    [archived] = [stored(item.id) for item in logs() if item.sub_type == redrive.DISCARDED]
    assert (archived.account_id, archived.user_id) == ("_logsite", operator.user.username)
    assert json.loads(archived.payload or "")["reason"] == f"a load test {MARKUP}"


def test_run_over_a_reason_goes_on_in_steps(
    operator: Operator, dlq: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(15):
        add(dlq, make_body(type="", url=f"/{number}"))
    add(dlq, make_body(url="/moved"))
    monkeypatch.setattr(run, "STEP_SECONDS", 0.01)
    form = operator.get(f"{RUN}?action=replay&code=invalid_fields")
    assert "All dead letters with the reason <b>invalid_fields</b>" in form
    assert Violations(form).violations == []
    assert "rate: must be a number from 1 to 100, not" in operator.post(RUN, action="replay", rate="0")

    page = operator.post(RUN, action="replay", code="invalid_fields", rate="100")

    assert "In progress." in page
    assert "data-continue" in page
    assert Violations(page).violations == []
    counts = []
    while "Finished." not in page:
        # The writer rejects them again meanwhile. No step replays a new dead letter.
        dlq.run_writer()
        counts.append(int(re.findall(r"Replayed: (\d+)\.", page)[0]))
        page = operator.step(page)
    assert counts == sorted(counts)
    assert len(counts) > 1
    assert "Replayed: 15." in page
    dlq.run_writer()
    assert dlq.queues.count_dead() == 16


def test_two_operators_at_once_replay_each_message_once(operator: Operator, dlq: DeadLetters) -> None:
    ids = [add(dlq, make_body(url=f"/{number}")) for number in range(12)]

    with ThreadPoolExecutor() as pool:
        pages = list(
            pool.map(lambda each: each.post(RUN, action="replay", ids=ids), [operator, make_operator()])
        )

    assert sum(int(re.findall(r"Replayed: (\d+)\.", page)[0]) for page in pages) == 12
    assert sorted(sent_urls(dlq)) == sorted(f"/{number}" for number in range(12))
    assert dlq.queues.count_dead() == 0


def test_slow_operator_and_a_second_one_send_a_message_once(
    operator: Operator, dlq: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = add(dlq, make_body(url="/one"))
    second = make_operator()
    send = batches.send_batch
    pages: list[str] = []

    def send_late(client: Any, url: str, batch: Any) -> Any:
        """Send after the visibility timeout. The second operator acts just before."""
        monkeypatch.setattr(redrive, "send_batch", send)
        handle = batch[0].dead_letter.receipt_handle
        client.change_message_visibility(
            QueueUrl=dlq.queues.dead_letter_url, ReceiptHandle=handle, VisibilityTimeout=0
        )
        pages.append(second.post(RUN, action="replay", ids=[message_id]))
        return send(client, url, batch)

    monkeypatch.setattr(redrive, "send_batch", send_late)
    pages.append(operator.post(RUN, action="replay", ids=[message_id]))

    assert f"In use by <bdi>{operator.user.username}</bdi>: 1" in pages[0]
    assert "Replayed: 0." in pages[0]
    assert "Replayed: 1." in pages[1]
    assert sent_urls(dlq) == ["/one"]


def test_claim_keeps_other_requests_away(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    first = claims.claim("m-1", "ada")
    with pytest.raises(Taken) as taken:
        claims.claim("m-1", "bob")
    assert (taken.value.operator, taken.value.is_final) == ("ada", False)
    first.release()
    second = claims.claim("m-1", "bob")

    # A request of Lambda has ended by then.
    monkeypatch.setattr(claims, "_now", lambda: second.claimed_at + claims.CLAIM_SECONDS + 1)
    third = claims.claim("m-1", "eve")
    second.release()  # no longer its own
    third.finish()
    monkeypatch.setattr(claims, "_now", lambda: second.claimed_at + 10 * claims.CLAIM_SECONDS)
    with pytest.raises(Taken) as final:
        claims.claim("m-1", "ada")
    assert (final.value.operator, final.value.is_final) == ("eve", True)


def test_handled_copy_is_deleted_and_not_sent_again(operator: Operator, dlq: DeadLetters) -> None:
    # Like a message that SQS delivers again after its deletion, or whose deletion failed.
    copy, busy = (add(dlq, make_body(url=f"/{n}")) for n in range(2))
    claims.claim(copy, "ada").finish()
    claims.claim(busy, "eve")

    page = operator.post(RUN, action="replay", ids=[copy, busy])

    assert "now deleted from the queue: 1" in page
    assert "In use by <bdi>eve</bdi>: 1" in page
    assert sent_urls(dlq) == []
    assert shown_ids(operator.get()) == [busy]
    assert "eve is at work on it" in operator.post(change(busy), body=make_body())


def test_refusing_queue_keeps_what_was_not_sent(
    operator: Operator, dlq: DeadLetters, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [add(dlq, make_body(url=f"/{number}")) for number in range(2)]
    add(dlq, make_body(url="/not-selected"))
    queue_url = settings.LOGS_QUEUE_URL
    settings.LOGS_QUEUE_URL = f"{queue_url}-gone"

    page = operator.post(RUN, action="replay", ids=ids)

    assert "Interrupted." in page
    assert "SQS does not accept messages at the moment" in page
    assert dlq.queues.count_dead() == 3
    settings.LOGS_QUEUE_URL = queue_url
    page = operator.step(page)
    assert "Replayed: 2." in page
    assert "Try again" not in page
    assert sorted(sent_urls(dlq)) == ["/0", "/1"]


def test_pages_never_send_logs_of_own_accounts(
    operator: Operator, dlq: DeadLetters, superuser_client: Client
) -> None:
    own = add(dlq, make_body(account_id="_logsite"))
    other = dlq.reject(make_body(type=""))["message_id"]

    forged = operator.post(change(other), body=make_body(account_id="_logsite"))

    assert "account_id: is reserved" in forged
    for client in (operator.client, superuser_client):
        page = client.post(RUN, {"action": "replay", "ids": [own]}).content.decode()
        assert "replayed by the command line only" in page
    assert operator.get(change(own), 404)
    assert "command line only" in operator.post(RUN, action="discard", ids=[own], reason="x")
    assert sent_urls(dlq) == []
    assert dlq.queues.count_dead() == 2


def test_pages_need_the_permission_and_the_queues(
    viewer_client: Client,
    operator: Operator,
    superuser_client: Client,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for address in (LIST, RUN, change("x")):
        for response in (viewer_client.get(address), viewer_client.post(address)):
            assert response.status_code in (403, 405)
        assert "permission logs.replay_dead_letters" in viewer_client.get(address).content.decode()
    assert "Dead letters</a>" not in viewer_client.get("/admin/logs/log/").content.decode()
    assert "Dead letters</a>" in superuser_client.get("/admin/logs/log/").content.decode()
    with_queue = settings.LOGS_DEAD_LETTER_QUEUE_URL
    settings.LOGS_DEAD_LETTER_QUEUE_URL = ""
    assert "set LOGS_DEAD_LETTER_QUEUE_URL" in operator.get(LIST)
    settings.LOGS_DEAD_LETTER_QUEUE_URL = "http://one"
    monkeypatch.setenv("LOGS_DEAD_LETTER_QUEUE_URL", "http://one")
    assert "LOGS_DEAD_LETTER_QUEUE_URL must end in" in operator.get(LIST, 503)
    settings.LOGS_DEAD_LETTER_QUEUE_URL = f"{with_queue}-gone"
    assert "does not exist" in operator.get(LIST, 503)


def test_pages_cost_few_requests_which_the_role_allows(
    memory_sqs: MemorySqs, logs_table: None, settings: Settings
) -> None:
    settings.LOGS_QUEUE_URL, settings.LOGS_DEAD_LETTER_QUEUE_URL = QUEUE_URL, DEAD_LETTER_QUEUE_URL
    queues.client.cache_clear()
    ids = [memory_sqs.put(DEAD_LETTER_QUEUE_URL, make_body(url=f"/{number}")) for number in range(21)]
    operator = make_operator()

    def cost(act: Callable[[], str]) -> tuple[dict[str, int], dict[str, int]]:
        """Return the requests to SQS and to DynamoDB, without those for the session and the user."""
        memory_sqs.requests.clear()
        with recorded_requests(TABLES) as requests:
            act()
        assert [each for each in requests if not allows(statements(SITE), each)] == []
        counts = Counter(each.action.removeprefix("dynamodb:") for each in requests)
        del counts["BatchGetItem"], counts["GetItem"]
        return dict(memory_sqs.requests), dict(counts)

    assert cost(operator.get) == (
        {"get_queue_attributes": 2, "receive_message": 3, "change_message_visibility_batch": 3},
        {},
    )
    assert cost(lambda: operator.post(RUN, action="replay", code="valid", rate="100")) == (
        {"get_queue_attributes": 2, "receive_message": 5, "send_message_batch": 3, "delete_message_batch": 3},
        {"PutItem": 21, "UpdateItem": 21},
    )
    assert len(memory_sqs.queues[QUEUE_URL]) == len(ids)
    queues.client.cache_clear()


def test_slow_validation_ends_in_time_and_hides_nothing(memory_sqs: MemorySqs) -> None:
    for number in range(10):
        memory_sqs.put(DEAD_LETTER_QUEUE_URL, make_body(url=f"/{number}"))
    seconds = iter(range(100))
    queue = DeadLetterQueue(
        memory_sqs,  # type: ignore[arg-type]  # a fake
        DEAD_LETTER_QUEUE_URL,
        clock=lambda: float(next(seconds)),
        is_punctual=True,
    )

    # Each look at the clock takes a second, like the validation of a large body.
    assert len(list(queue.peek(4))) == 3
    assert queue.timed_out
    assert len(memory_sqs.visible(DEAD_LETTER_QUEUE_URL)) == 7
    queue.release()
    assert len(memory_sqs.visible(DEAD_LETTER_QUEUE_URL)) == 10


def test_run_form_names_each_wrong_parameter(operator: Operator) -> None:
    page = operator.post(
        RUN, action="drop", code="x", rate="fast", started="today", done="-1", idle="x", reason="r" * 201
    )
    for text in ("action: must be one of replay, discard", "code: must be one of", "rate: must be a number"):
        assert text in page
    for text in ("started: must be a time", "done: must be a whole", "idle: must be", "reason: must have at"):
        assert text in page
    assert "at most 100 message ids, not 101" in operator.post(
        RUN, action="replay", ids=[str(n) for n in range(101)]
    )
    assert "Select dead letters, or a reason" in operator.post(RUN, action="replay")
    future = datetime.now(UTC).replace(year=2999).isoformat()
    assert "Finished." in operator.post(RUN, action="replay", code="valid", started=future)
