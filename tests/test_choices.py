"""Types and subtypes are recorded once, suggested in the filter, and never fail a log."""

from collections import Counter

import pytest
from django.test import Client

from ingest import handler
from logs import reader
from logs.models import ChoicesItem
from logs.storage import choices
from logs.storage.choices import ChoicesWriter, nearest
from tests.dynamodb_calls import counted_calls
from tests.factories import make_body, make_event
from tests.items import logs, make_item, store
from tests.pages import LISTING, fetch, link, row_ids
from tests.proxy import proxied

pytestmark = pytest.mark.usefixtures("logs_table")


def write(*types: str, sub_type: str = "a") -> None:
    handler.choices_writer = ChoicesWriter()
    bodies = [make_body(type=type_, sub_type=sub_type) for type_ in types]
    assert handler.lambda_handler(make_event(*bodies), None) == {"batchItemFailures": []}


def test_writer_records_each_value_once() -> None:
    write("login", "Logout", "login", "view", sub_type="password")
    assert reader.choices() == reader.Choices(["login", "Logout", "view"], ["password"])
    with counted_calls() as calls:
        handler.lambda_handler(make_event(make_body(type="login", sub_type="password")), None)
    assert "UpdateItem" not in calls


def test_new_process_loads_all_values_at_once() -> None:
    first, second = ChoicesWriter(), ChoicesWriter()
    for type_ in ("login", "logout", "view"):
        first.record(type_, "a")
    with counted_calls() as calls:
        for type_ in ("login", "logout", "view"):
            second.record(type_, "a")
    assert calls == {"UpdateItem": 1, "GetItem": 1}
    second.record("new", "a")
    assert reader.choices().types == ["login", "logout", "new", "view"]


@pytest.mark.parametrize("value", ["", "x" * 101, "é" * 51])
def test_empty_or_long_value_is_not_recorded(value: str) -> None:
    with counted_calls() as calls:
        ChoicesWriter().record("login", value)
    assert calls == {"UpdateItem": 1}
    assert reader.choices().sub_types == []


def test_values_over_the_limit_cost_no_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "MAX_VALUES", 5)
    first, second = ChoicesWriter(), ChoicesWriter()
    for number in range(20):
        first.record(f"type{number}", "a")
    assert len(reader.choices().types) == 5
    with counted_calls() as calls:
        for number in range(20, 40):
            second.record(f"type{number}", "a")
    assert calls == {"UpdateItem": 1, "GetItem": 1}
    assert len(reader.choices().types) == 5
    assert len(second._recorded["types"]) <= 6


def test_failed_update_fails_no_log_and_is_not_retried() -> None:
    attempts: Counter[str] = Counter()

    def refuse(operation: str) -> str | None:
        attempts[operation] += 1
        return "AccessDeniedException" if operation == "UpdateItem" else None

    with proxied(refuse):
        write("login", "logout", "view")
    assert len(logs()) == 3
    assert attempts["UpdateItem"] == 1


def test_choices_item_is_not_a_log(viewer_client: Client) -> None:
    write("login")
    assert reader.get("choices") is None
    assert len(row_ids(fetch(viewer_client))) == 1


def test_choices_are_read_by_their_own_view_only(viewer_client: Client, staff_client: Client) -> None:
    write("login", "logout")
    with counted_calls() as calls:
        fetch(viewer_client, "?type=login")
    assert calls == {"GetItem": 2, "Query": 1}
    response = viewer_client.get(f"{LISTING}choices/")
    assert response.json() == {"type": ["login", "logout"], "sub_type": ["a"]}
    assert staff_client.get(f"{LISTING}choices/").status_code == 403
    assert Client().get(f"{LISTING}choices/").status_code == 302


def test_choices_without_their_table_are_503(viewer_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChoicesItem.Meta, "table_name", "NoSuchTable")
    assert viewer_client.get(f"{LISTING}choices/").status_code == 503


def test_unknown_type_suggests_the_nearest(viewer_client: Client) -> None:
    write("login", "logout", "payment", "<b>")
    page = fetch(viewer_client, "?type=Logn,payment&account_id=99")
    assert "No log with the type <strong><bdi>Logn</bdi></strong> was seen so far." in page
    assert link(page, "login") == "?account_id=99&type=login&type=payment"
    page = fetch(viewer_client, "?sub_type=A")
    assert link(page, "a") == "?sub_type=a"


def test_recorded_or_matching_type_has_no_suggestion(viewer_client: Client) -> None:
    write("login")
    assert "was seen so far" not in fetch(viewer_client, "?type=login&account_id=99")
    store([make_item(1, type="old")])
    assert "was seen so far" not in fetch(viewer_client, "?type=old")


@pytest.mark.parametrize(
    ("value", "expected"),
    [("logn", ["Login", "login"]), ("LOGIN", ["Login", "login"]), ("veiw", ["view"]), ("zzz", []), ("", [])],
)
def test_nearest_ignores_case(value: str, expected: list[str]) -> None:
    assert nearest(value, ["login", "Login", "view"]) == expected
