"""The page that starts an export, and the pages of exports in the background."""

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from logs import signals
from logs.exports import jobs, launch
from logs.exports.jobs import State
from logs.models import ROW_ATTRIBUTES
from logs.storage.export_items import ExportItem
from tests.conftest import client_of, make_user
from tests.dynamodb_calls import counted_calls
from tests.exports import empty_exports_table, make_log_with_payload
from tests.items import make_item, store
from tests.pages import LISTING, fetch, link
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("logs_table")
EXPORT = f"{LISTING}export/"
HOSTILE = {
    "url": "=cmd|' /C calc'!A0",
    "sub_type": "<script>alert(1)</script>\u202e👩‍💻" + "x" * 900,
    "user_name": "@SUM(1+1)\t-2",
    "account_name": 'a"b,c\r\nd',
    "summary": "\u2212Grüße",
}


@pytest.fixture
def background(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let exports run in the background, in threads. Yield their folder."""
    monkeypatch.setenv("LOGS_EXPORTS_FOLDER", str(tmp_path))
    yield tmp_path
    empty_exports_table()


def start(client: Client, query: str = "", **options: str) -> Any:
    values = {"format": "csv", "columns": "all", **options}
    return client.post(EXPORT + query, values)


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_page_says_how_many_rows_the_export_has(
    viewer_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(make_item(n, account_id=str(n % 2)) for n in range(600))
    page = fetch(viewer_client, "export/?account_id=1&tz=Europe/Berlin")
    assert "<b>300 rows</b>" in page
    assert "account <strong><bdi>1</bdi></strong>: <b>" in page
    assert link(page, "Back to the logs") == f"{LISTING}?account_id=1&tz=Europe%2FBerlin"
    settings.LOGS_MAX_EXAMINED = 100
    assert re.search(r"<b>at least \d+ rows</b>", fetch(viewer_client, "export/"))
    assert "<b>an unknown number of rows</b>" in fetch(viewer_client, "export/?q=nowhere")
    store([make_item(700, created_at=datetime(1990, 1, 1, tzinfo=UTC))])
    assert "<b>an unknown number of rows</b>" in fetch(viewer_client, "export/?from=1990-01-01")


@pytest.mark.parametrize("payloads", [{}, {"payloads": "on"}], ids=["rows", "payloads"])
def test_small_export_is_downloaded_at_once(viewer_client: Client, payloads: dict[str, str]) -> None:
    items = [make_log_with_payload(n) for n in range(3)]
    store([*items, make_item(3, payload="=1+1", payload_size=4, payload_type="text", **HOSTILE)])
    files = {
        kind: start(viewer_client, "?tz=Europe/Berlin", format=kind, **payloads)
        for kind in ("csv", "ndjson", "json")
    }
    for kind, response in files.items():
        assert response.status_code == 200
        assert response["Content-Disposition"] == f'attachment; filename="logs.{kind}"'
    rows = table(files["csv"].content.decode())
    lines = [json.loads(line) for line in files["ndjson"].content.decode().splitlines()]
    whole = json.loads(files["json"].content)
    assert whole["logs"] == lines[:-1]
    assert (
        whole["_logsite"] == lines[-1]["_logsite"] == {"rows": 4, "complete": True, "cut": None, "next": None}
    )
    first = lines[0]
    assert first["created_at"] == "2026-11-01T01:00:03.000000+01:00"
    assert {name: first[name] for name in HOSTILE} == HOSTILE
    names = [*ROW_ATTRIBUTES]
    if payloads:
        names += ["submitter_agent", "payload_type", "damage", "payload", "extra"]
        assert (first["payload"], first["extra"]) == ("=1+1", {})
        assert lines[1]["payload"] == {"number": 2, "text": "=1+1\n"}
        assert rows[1][-2:] == ["'=1+1", ""]
        assert json.loads(rows[2][-2]) == {"number": 2, "text": "=1+1\n"}
    else:
        assert "payload" not in first
    assert rows[0] == names
    assert [dict(zip(names, row, strict=True))["id"] for row in rows[1:]] == [row["id"] for row in lines[:-1]]
    values = dict(zip(names, rows[1], strict=True))
    assert values["url"] == f"'{HOSTILE['url']}"
    assert values["user_name"] == "'@SUM(1+1)\t'-2"
    assert values["sub_type"] == HOSTILE["sub_type"]


def test_columns_of_the_list_are_exported_in_their_order(viewer_client: Client) -> None:
    store([make_item(1, object_type="invoice", object_id="4711", user_name="Ada")])
    viewer_client.cookies["logs_view"] = "columns=object.user"
    rows = table(start(viewer_client, columns="shown").content.decode())
    assert rows == [
        ["created_at", "object_type", "object_id", "object_name", "url", "user_id", "user_name"],
        ["2026-11-01T00:00:01.000000+00:00", "invoice", "4711", "", "/login", "12", "Ada"],
    ]


def test_large_export_runs_in_the_background(
    viewer_client: Client, background: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LOGS_EXPORT_ROWS = 100
    store(make_item(n) for n in range(250))
    events: list[dict[str, Any]] = []
    monkeypatch.setattr(signals.export_downloaded, "send_robust", lambda **values: events.append(values))
    page = start(viewer_client, "?account_id=7").headers["Location"]
    wait_until(lambda: "<b>Done</b>: 250 rows" in viewer_client.get(page).content.decode(), "it is done")
    text = viewer_client.get(page).content.decode()
    response = viewer_client.get(link(text, "Download"))
    assert response["Content-Disposition"] == 'attachment; filename="logs-account_id-7.csv.gz"'
    assert response["Content-Type"] == "application/gzip"
    rows = table(gzip.decompress(b"".join(response)).decode())
    assert [row[1] for row in rows[1:]] == [make_item(n).id for n in range(249, -1, -1)]
    assert [(event["file_name"], event["export_id"]) for event in events] == [
        ("logs-account_id-7.csv.gz", page.split("/")[-2])
    ]
    # It is in the list of its user, and of nobody else.
    assert "logs-account_id-7.csv.gz" in fetch(viewer_client, "export/")
    other = client_of(make_user("viewer", is_staff=True, permissions={"logs.view_log"}))
    assert "logs-account_id-7.csv.gz" not in fetch(other, "export/")
    for address in ("", "file/"):
        assert other.get(page + address).status_code == 404
    assert other.post(f"{page}cancel/").status_code == 404
    assert len(events) == 1


def test_dead_export_is_resumed_by_its_page(
    viewer_client: Client, background: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LOGS_EXPORT_ROWS = 1
    store(make_item(n) for n in range(3))
    started: list[str] = []
    monkeypatch.setattr(launch, "start", lambda owner, export_id: started.append(export_id))
    page = start(viewer_client).headers["Location"]
    export_id = page.split("/")[-2]
    assert "<b>Waiting</b>: 0 of 3 rows" in viewer_client.get(page).content.decode()
    assert started == [export_id]
    [item] = ExportItem.scan()
    item.update(actions=[ExportItem.leased_until.set(item.leased_until - jobs.START_SECONDS)])
    assert "<b>Waiting</b>: 0 of 3 rows" in viewer_client.get(page).content.decode()
    assert started == [export_id, export_id]
    item.update(actions=[ExportItem.leased_until.set(jobs._lease())])
    assert "<b>Running</b>" in viewer_client.get(page).content.decode()
    assert len(started) == 2
    # Without a worker there is no file. A cancelled export stays cancelled.
    assert viewer_client.get(f"{page}file/").status_code == 404
    assert viewer_client.get(f"{page}cancel/").status_code == 405
    for text in ("The export was cancelled.", "The export had ended before."):
        response = viewer_client.post(f"{page}cancel/", follow=True)
        assert text in response.content.decode()
        assert "<b>Cancelled</b>" in response.content.decode()
    assert ExportItem.get(item.owner, item.id).state == State.CANCELLED

    def refuse(owner: str, export_id: str) -> None:
        raise launch.NotStarted("throttled")

    monkeypatch.setattr(launch, "start", refuse)
    response = viewer_client.post(EXPORT, {"format": "csv", "columns": "all"}, follow=True)
    assert "The export could not be started. Reload this page" in response.content.decode()


def test_refused_exports_say_why(viewer_client: Client, settings: Any, tmp_path: Path) -> None:
    settings.LOGS_EXPORT_ROWS = 1
    store(make_item(n) for n in range(3))
    response = start(viewer_client)
    assert response.status_code == 400
    assert "this site has no place for larger files" in response.content.decode()
    assert "“pdf” is not one of the choices." in start(viewer_client, format="pdf").content.decode()
    assert "An export has no pages: leave at out." in start(viewer_client, "?at=2026-11-01").content.decode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGS_EXPORTS_FOLDER", str(tmp_path))
        patch.setattr(launch, "start", lambda owner, export_id: None)
        for _ in range(jobs.MAX_RUNNING):
            assert start(viewer_client).status_code == 302
        response = start(viewer_client)
        assert response.status_code == 400
        assert "You have 3 exports that are not finished." in response.content.decode()
    empty_exports_table()


def test_exports_need_the_view_permission(staff_client: Client, background: Path) -> None:
    for address in ("", "a/", "a/file/"):
        assert staff_client.get(EXPORT + address).status_code == 403
        assert Client().get(EXPORT + address).status_code == 302
    assert staff_client.post(f"{EXPORT}a/cancel/").status_code == 403
    assert start(staff_client).status_code == 403
    assert Client().post(EXPORT).status_code == 302


def test_export_pages_cost_few_requests(viewer_client: Client, background: Path, settings: Any) -> None:
    settings.LOGS_EXPORT_ROWS = 1
    store(make_item(n) for n in range(3))
    session = {"BatchGetItem": 1}
    with counted_calls() as calls:
        fetch(viewer_client, "export/?account_id=7")
    # The first log, the directory of digests, the logs of the newest range, and the list of exports.
    assert calls == {**session, "Query": 4}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "start", lambda owner, export_id: None)
        with counted_calls() as calls:
            page = start(viewer_client, "?account_id=7").headers["Location"]
    # The same, and the new export.
    assert calls == {**session, "Query": 4, "PutItem": 1}
    with counted_calls() as calls:
        viewer_client.get(page)
    assert calls == {**session, "GetItem": 1}
