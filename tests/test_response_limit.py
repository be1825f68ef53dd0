"""Every answer fits in the 6 MB that Lambda carries, and says where the rest is."""

import base64
import gzip
import html
import json
import random
import re
from typing import Any

import pytest
from django.test import Client

from ingest.writing import items as writer
from logs import document, export, room
from logs.models import LogItem
from tests.api import program
from tests.items import make_item, store

pytestmark = pytest.mark.usefixtures("logs_table")

MAX_BYTES = 6_291_556
# What a compressed message may inflate to.
INFLATED = 16 * 1024 * 1024
GZIP = {"Accept-Encoding": "gzip"}
# Each grows its own way: as HTML, as JSON, as base64.
TEXTS = {"quotes": '"', "breaks": "\n", "letters": "Zoë Щ", "faces": "😀", "plain": "x", "less": "<"}


def carried(response: Any) -> int:
    """Return how large Zappa's answer is, as JSON: https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html"""
    body = b"".join(response) if response.streaming else response.content
    is_text = not response.get("Content-Encoding") and response["Content-Type"].startswith(
        ("text/", "application/json")
    )
    text = body.decode() if is_text else base64.b64encode(body).decode()
    return len(json.dumps({"body": text, "headers": dict(response.headers)}))


def stored(**changes: Any) -> LogItem:
    """Store a log of which all is as large as can be."""
    item = make_item(1, payload_type="text", document=document.pack(changes))  # type: ignore[arg-type]  # its keys
    writer.put(item)
    return item


def large(kind: str) -> LogItem:
    text = TEXTS[kind]
    whole = text * (INFLATED // len(text.encode()) // 14)
    names = [name for name in document.SENDER_FIELDS if name not in ("account_id", "type")]
    return stored(payload=whole * 4, extra={"note": whole}, texts=dict.fromkeys(names, whole))


@pytest.mark.parametrize("kind", TEXTS)
def test_the_page_of_the_largest_log_fits_and_leads_to_the_whole(viewer_client: Client, kind: str) -> None:
    item = large(kind)
    page = viewer_client.get(f"/admin/logs/log/{item.id}/change/")
    assert page.status_code == 200
    assert carried(page) < MAX_BYTES
    said = html.unescape(page.content.decode())
    whole = document.content(item)["payload_text"]
    shown = re.search(
        r"The first (\d+) of (\d+) characters\. <a href=\"([^\"]+)\">The file</a>",
        said[said.index("Payload:") :],
    )
    assert shown
    assert int(shown[2]) == len(whole)
    assert whole[: int(shown[1])] in said
    file = viewer_client.get(shown[3], headers=GZIP)
    assert carried(file) < MAX_BYTES
    assert json.loads(gzip.decompress(file.content))["payload"] == whole


def test_json_that_is_shown_twice_fits_too(viewer_client: Client) -> None:
    value = [f'"{n}"' for n in range(60_000)]
    item = stored(payload=json.dumps(value, separators=(",", ":")))
    page = viewer_client.get(f"/admin/logs/log/{item.id}/change/")
    assert "The payload as it was sent" in page.content.decode()
    assert carried(page) < MAX_BYTES


def test_a_usual_log_is_shown_whole(viewer_client: Client) -> None:
    item = stored(payload='{"a":"' + "x" * 100_000 + '"}')
    page = viewer_client.get(f"/admin/logs/log/{item.id}/change/").content.decode()
    assert "x" * 100_000 in page
    assert "characters." not in page


def test_the_file_holds_all_that_was_said(viewer_client: Client) -> None:
    item = make_item(
        1, payload='{"b":1.50}', payload_type="json", document=document.pack({"extra": {"c": [2]}})
    )
    store([item])
    response = viewer_client.get(f"/admin/logs/log/{item.id}/json/")
    assert response["Content-Disposition"] == f'attachment; filename="log-{item.id}.json"'
    said = json.loads(response.content)
    assert (said["id"], said["payload"], said["extra"]) == (item.id, {"b": 1.5}, {"c": [2]})
    assert said["created_at"] == "2026-11-01T00:00:01.000000+00:00"


def test_the_file_takes_the_same_permission_as_the_page(staff_client: Client, viewer_client: Client) -> None:
    item = make_item(1)
    store([item])
    assert staff_client.get(f"/admin/logs/log/{item.id}/json/").status_code == 403
    assert viewer_client.get(f"/admin/logs/log/{'0' * 32}/json/").status_code == 302


def test_the_api_gives_the_largest_log_whole_where_it_may_compress() -> None:
    item = large("letters")
    client = program()
    response = client.get(f"/api/logs/{item.id}", headers=GZIP)
    assert carried(response) < MAX_BYTES
    said = json.loads(gzip.decompress(response.content))
    assert said["payload"] == document.content(item)["payload"]


def test_the_api_asks_for_compression_where_it_may_not() -> None:
    response = program().get(f"/api/logs/{large('plain').id}")
    assert response.status_code == 400
    problem = json.loads(response.content)["error"]
    assert problem["code"] == "bad_request"
    assert "Accept-Encoding: gzip" in problem["message"]


def test_the_api_gives_a_log_of_a_megabyte_either_way() -> None:
    item = stored(payload=base64.b64encode(random.Random(1).randbytes(750_000)).decode())
    assert program().get(f"/api/logs/{item.id}").status_code == 200
    assert program().get(f"/api/logs/{item.id}", headers=GZIP).status_code == 200


@pytest.mark.parametrize("form", ["csv", "ndjson"])
@pytest.mark.parametrize("kind", ["quotes", "letters", "plain"])
def test_a_file_of_any_characters_fits_uncompressed(
    viewer_client: Client, form: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MAX_BYTES", export.MAX_BYTES // 10)
    text = TEXTS[kind] * (1000 // len(TEXTS[kind].encode()))
    store(make_item(n, url=text, sub_type=text) for n in range(600))
    response = viewer_client.get(f"/admin/logs/log/export/?format={form}")
    assert MAX_BYTES / 10 * 0.5 < carried(response) < MAX_BYTES / 10


def test_what_is_carried_is_counted_whichever_way_it_goes() -> None:
    for text in TEXTS.values():
        assert room.carried(text) >= max(len(json.dumps(text)), len(base64.b64encode(text.encode())))
