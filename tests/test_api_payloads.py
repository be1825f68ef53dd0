"""`include=payload`: whole logs in a page of the API, within the size of a response."""

import gzip
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from pynamodb.signals import pre_dynamodb_send

from logs import api_usage, conf, reader
from logs.models import LogItem
from logs.pages import log_page
from logs.pages.response_size import encoded_size
from logs.storage import documents, parts
from logs.storage.errors import StoreUnavailable
from logsite.accounts import rate_limit, tokens
from logsite.accounts.store import UsageItem
from tests.api import LOGS, fetch, problem, program, token_name
from tests.dynamodb_calls import counted_calls
from tests.items import make_item, store
from tests.noise import noise

pytestmark = pytest.mark.usefixtures("logs_table")

WHOLE = f"{LOGS}?include=payload"


def ids(page: Any) -> list[str]:
    return [item["id"] for item in page["items"]]


def make_large(number: int, size: int) -> LogItem:
    """Store the parts of a log with a payload of noise. Return its item."""
    item = make_item(number, payload_size=size, payload_type="text")
    item.document = documents.pack({"payload": noise(size, number)})
    item.document = parts.save(item)
    return item


def test_items_equal_single_logs() -> None:
    packed = documents.pack(documents.Document(extra='{"trace":\n1.50}', texts={"url": "/long" * 300}))
    hostile = '{"a": "\u2028</script>\\n\U0001f600", "b":\r\n[1.10, null]}'
    store(
        [
            make_item(1),
            make_item(2, payload=hostile, payload_type="json", payload_size=50),
            make_item(3, payload='=1+1\n"', payload_type="text", payload_size=6, submitter_agent="curl"),
            make_item(4, document=packed, url="/long…", user_name="Ann"),
            make_large(5, 900_000),
        ]
    )
    client = program()
    with counted_calls() as calls:
        page = fetch(client, WHOLE)
    # The token, its usage, the rows, the whole logs, and the parts of one.
    assert calls == {"GetItem": 1, "UpdateItem": 2, "Query": 1, "BatchGetItem": 2}
    assert page["items"] == [fetch(client, f"{LOGS}/{make_item(n).id}") for n in (5, 4, 3, 2, 1)]
    assert (page["queries"], page["examined"], page["complete"]) == (3, 5, True)
    assert page["read_units"] > 900_000 * 0.75 / 8192
    [item] = fetch(client, f"{WHOLE}&q={make_item(2).id}")["items"]
    assert item["payload"] == json.loads(hostile)


@pytest.mark.parametrize("query", [{"order": "newest"}, {"order": "oldest", "account_id": ["7", "8"]}])
def test_pages_end_before_the_limit_and_repeat_nothing(
    query: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_page, "MAX_BYTES", 20_000)
    sizes = [(n * 7919) % 9_000 if n != 17 else 30_000 for n in range(60)]
    store(
        make_item(n, account_id="78"[n % 2], payload=noise(size, n), payload_size=size, payload_type="text")
        for n, size in enumerate(sizes)
    )
    expected = [make_item(n).id for n in range(60)]
    expected = expected if query["order"] == "oldest" else expected[::-1]

    def pages(link: str, cursor: str | None) -> list[Any]:
        pages = []
        while cursor is not None:
            address = f"{WHOLE}&{urlencode({**query, 'limit': 20, 'cursor': cursor}, doseq=True)}"
            pages.append(fetch(client, address if cursor else address.replace("&cursor=", "")))
            cursor = pages[-1][link]
        return pages

    client = program()
    forward = pages("next", "")
    assert [log_id for page in forward for log_id in ids(page)] == expected
    assert {page["complete"] for page in forward} == {True, False}
    for page in forward:
        size = encoded_size(json.dumps(page["items"]))
        assert size < 21_000 or len(page["items"]) == 1
        if not page["complete"]:
            assert page["reached"] == page["items"][-1]["created_at"]
        for item in page["items"]:
            assert len(item["payload"]) == item["payload_size"]
    back = pages("previous", forward[-1]["previous"])
    assert [log_id for page in back[::-1] for log_id in ids(page)] == expected[: -len(forward[-1]["items"])]
    around = fetch(client, f"{WHOLE}&{urlencode({**query, 'around': make_item(30).id}, doseq=True)}")
    begin = expected.index(ids(around)[0])
    assert ids(around) == expected[begin : begin + len(ids(around))]
    assert 0 < ids(around).index(make_item(30).id) < len(ids(around)) - 1
    after = fetch(client, f"{WHOLE}&{urlencode({**query, 'cursor': around['next']}, doseq=True)}")
    assert ids(after)[0] == expected[begin + len(ids(around))]


def test_payload_budget_ends_the_page(settings: Any) -> None:
    settings.LOGS_MAX_PAYLOADS = 2
    store(make_item(n, payload="x", payload_type="text") for n in range(5))
    page = fetch(program(), WHOLE)
    assert (len(page["items"]), page["complete"], page["reached"]) == (
        2,
        False,
        "2026-11-01T00:00:03.000000+00:00",
    )
    settings.LOGS_MAX_PAYLOADS = 5
    assert fetch(program(), WHOLE)["complete"]


def test_search_fetches_no_log_twice() -> None:
    store(make_item(n, payload=f"needle {n}", payload_type="text", payload_size=8) for n in range(10))
    with counted_calls() as calls:
        page = fetch(program(), f"{WHOLE}&q=needle&account_id=7")
    assert [item["payload"] for item in page["items"]] == [f"needle {n}" for n in range(9, -1, -1)]
    without = fetch(program(), f"{LOGS}?q=needle&account_id=7")
    assert page["queries"] == without["queries"] == calls["Query"] + calls["BatchGetItem"]
    assert page["read_units"] == without["read_units"]


def test_log_deleted_during_the_request_is_left_out() -> None:
    store(make_item(n) for n in range(3))
    batches: list[object] = []

    def delete(sender: object, operation_name: str, **kwargs: object) -> None:
        if operation_name == "BatchGetItem":
            batches.append(sender)
            if len(batches) == 1:
                make_item(1).delete()

    with pre_dynamodb_send.connected_to(delete):
        page = fetch(program(), WHOLE)
    assert ids(page) == [make_item(2).id, make_item(0).id]
    assert (page["complete"], page["next"], len(batches)) == (True, None, 2), "the missing log is read again"


def test_large_log_is_alone_and_needs_compression() -> None:
    """JSON escapes each of the quotes, and Lambda's response the JSON."""
    item = make_item(1, payload_type="text", payload_size=1_600_000)
    item.document = documents.pack({"payload": '"' * 1_600_000})
    store([make_item(0), item, make_item(2)])
    client = program()
    assert ids(fetch(client, WHOLE)) == [make_item(2).id]
    for form in ("json", "ndjson"):
        cursor = fetch(client, WHOLE)["next"]
        address = f"{WHOLE}&format={form}&cursor={cursor}"
        assert "Accept-Encoding: gzip" in problem(client, address, 400)["message"]
        response = client.get(address, headers={"Accept-Encoding": "gzip"})
        text = gzip.decompress(response.content).decode()
        log = json.loads(text)["items"][0] if form == "json" else json.loads(text)
        assert log["id"] == item.id
        assert log["payload"] == '"' * 1_600_000


def test_payloads_are_reserved_and_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "_now", lambda: 1_800_000_015.0)

    def fail(*args: object) -> None:
        raise StoreUnavailable

    def usage(name: str) -> UsageItem:
        return UsageItem.get(f"{name}#{1_800_000_015 // 60}", consistent_read=True)

    store([make_large(1, 200_000)])
    reading, failing = token_name(), token_name()
    page = fetch(program(tokens.create(reading)), WHOLE)
    assert page["read_units"] > 150_000 / 8192
    assert usage(reading).read_units == pytest.approx(page["read_units"])
    client = program(tokens.create(failing))
    monkeypatch.setattr(reader, "read_whole", fail)
    problem(client, WHOLE, 503)
    bound = api_usage.page_bound().read_units + 100 + log_page.MAX_BYTES / 8192
    assert usage(failing).read_units == pytest.approx(bound)
    assert conf.budget().payload_bytes > log_page.MAX_BYTES


@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        ("include=all", "include", "“all” cannot be included: write payload"),
        ("include=payload&include=payload", "include", "more than once"),
        ("include=", "include", "empty"),
        ("format=xml", "format", "“xml” is not a format: write json or ndjson"),
    ],
)
def test_wrong_value_is_named(query: str, name: str, words: str) -> None:
    assert words in problem(program(), f"{LOGS}?{query}", 400)["fields"][name][0]


def test_own_accounts_have_no_payloads(viewer_client: Client, superuser_client: Client) -> None:
    store([make_item(1), make_item(2, account_id="_logsite", payload="secret", payload_type="text")])
    for get in (viewer_client.get, program().get):
        for query in ("", "&format=ndjson", f"&q={make_item(2).id}"):
            assert b"secret" not in get(WHOLE + query).content
    assert b"secret" in superuser_client.get(WHOLE).content
