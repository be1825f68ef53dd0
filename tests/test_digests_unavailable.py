"""Without digests, everything is answered from the logs themselves."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError

from logs.digests import builder
from logs.models import LogItem
from logs.storage import dynamodb
from logs.storage.digest_items import DigestItem, DigestsTableMeta
from tests.api import LOGS, fetch, problem, program
from tests.conftest import empty_logs_table
from tests.digests import built_logs

pytestmark = pytest.mark.usefixtures("digests_table")

FILTERS: list[dict[str, Any]] = [
    {"q": "path/1"},
    {"q": "path/1", "order": "oldest"},
    {"q": "path/1", "account_id": "7"},
    {"submitter_ip": "10.0.0.1"},
    {"payload.status": "paid"},
]


@contextmanager
def refused(model: Any, code: str) -> Iterator[None]:
    """Let DynamoDB refuse the requests to a table, as IAM does."""
    name = model.Meta.table_name

    def refuse(params: dict[str, Any], model: Any, **_: Any) -> None:
        if name in (params.get("TableName"), *params.get("RequestItems", ())):
            raise ClientError({"Error": {"Code": code, "Message": "not allowed"}}, model.name)

    events = dynamodb.shared_connection().client.meta.events
    events.register("provide-client-params.dynamodb", refuse)
    try:
        yield
    finally:
        events.unregister("provide-client-params.dynamodb", refuse)


@contextmanager
def missing(model: Any) -> Iterator[None]:
    """Delete the table of a model for a while."""
    model.delete_table()
    try:
        yield
    finally:
        model.create_table()


@pytest.fixture(params=["missing", "refused", "off"])
def unavailable(request: pytest.FixtureRequest) -> Any:
    """Return a context manager in which there are no digests to read."""

    @contextmanager
    def off() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(DigestsTableMeta, "table_name", "")
            yield

    return {
        "missing": lambda: missing(DigestItem),
        "refused": lambda: refused(DigestItem, "AccessDeniedException"),
        "off": off,
    }[request.param]


def make_logs() -> list[LogItem]:
    """Store and build 60 logs, every fifth with a payload and an address of its own."""
    items = built_logs(60, account_id="7")
    for item in items[::5]:
        item.payload, item.payload_type, item.payload_size = '{"status": "paid"}', "json", 18
        item.context = {"submitter_ip": "10.0.0.1"}
        item.save()
    builder.build(rebuild=True)
    return items


def ids(filters: dict[str, Any]) -> list[str]:
    """Return the ids of all pages of a filter."""
    page = fetch(program(), f"{LOGS}?{urlencode({**filters, 'limit': 5})}")
    rows = [item["id"] for item in page["items"]]
    while page["next"]:
        page = fetch(program(), f"{LOGS}?{urlencode({**filters, 'limit': 5, 'cursor': page['next']})}")
        rows += [item["id"] for item in page["items"]]
    return rows


@pytest.mark.parametrize("filters", FILTERS)
def test_search_without_digests_is_exact(filters: dict[str, Any], unavailable: Any) -> None:
    make_logs()
    with unavailable():
        rows = ids(filters)
    assert len(rows) in (11, 12)
    assert rows == ids(filters)


def test_cursor_of_a_search_works_without_digests(unavailable: Any) -> None:
    make_logs()
    expected = ids({"q": "path/1"})
    page = fetch(program(), f"{LOGS}?q=path/1&limit=5")
    assert page["index"] == "digests"
    with unavailable():
        rest = fetch(program(), f"{LOGS}?q=path/1&limit=100&cursor={page['next']}")
    assert [item["id"] for item in (*page["items"], *rest["items"])] == expected


def test_counts_without_digests_are_exact(unavailable: Any) -> None:
    make_logs()
    with unavailable():
        answer = fetch(program(), f"{LOGS}/counts")
    assert answer["total"] == {"count": 60, "status": "exact"}
    assert fetch(program(), f"{LOGS}/counts")["total"] == answer["total"]


@pytest.mark.parametrize("address", ["?q=path/1", "?q=path/1&account_id=7&limit=3", "/counts"])
def test_missing_table_is_one_warning(address: str, caplog: pytest.LogCaptureFixture, settings: Any) -> None:
    settings.LOGS_MAX_PAYLOADS = 10  # so that the account is no narrow key
    make_logs()
    caplog.set_level(logging.WARNING)
    with missing(DigestItem):
        fetch(program(), f"{LOGS}{address}")
    [line] = [line for line in caplog.messages if "igests" in line]
    assert line.startswith("Digests are not used: ")
    assert "ResourceNotFoundException" in line


@pytest.mark.parametrize("address", [f"{LOGS}?q=path/1", f"{LOGS}/counts"])
def test_other_errors_of_digests_are_503(address: str) -> None:
    make_logs()
    with refused(DigestItem, "ProvisionedThroughputExceededException"):
        assert problem(program(), address, 503)["code"] == "unavailable"


def test_missing_logs_table_is_503() -> None:
    built_logs(3)
    client = program()
    try:
        LogItem.delete_table()
        problem(client, f"{LOGS}?q=path/1", 503)
        problem(client, f"{LOGS}?account_id=7", 503)
    finally:
        LogItem.create_table()
        empty_logs_table()
