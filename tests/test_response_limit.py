"""Every response fits into Lambda's 6 MB and links to the truncated rest."""

import base64
import gzip
import html
import json
import random
import re
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from ingest.writing import items as writer
from logs.characters import visible
from logs.models import CONTEXT_FIELDS, LogItem
from logs.pages import export, response_size
from logs.storage import documents
from tests.api import program
from tests.items import make_item, store

pytestmark = pytest.mark.usefixtures("logs_table")

MAX_BYTES = 6_291_556
# The size limit of a decompressed message.
MAX_DECOMPRESSED = 16 * 1024 * 1024
GZIP = {"Accept-Encoding": "gzip"}
# Each one grows differently as HTML, as JSON and as base64.
TEXTS = {"quotes": '"', "breaks": "\n", "letters": "Zoë Щ", "faces": "😀", "plain": "x", "less": "<"}


def encoded_size(response: Any) -> int:
    """Return the bytes of Zappa's response as JSON.

    https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html
    """
    body = b"".join(response) if response.streaming else response.content
    is_text = not response.get("Content-Encoding") and response["Content-Type"].startswith(
        ("text/", "application/json")
    )
    text = body.decode() if is_text else base64.b64encode(body).decode()
    return len(json.dumps({"body": text, "headers": dict(response.headers)}))


def store_document(**changes: Any) -> LogItem:
    """Store a log with this document and return its item."""
    item = make_item(1, payload_type="text", document=documents.pack(changes))  # type: ignore[arg-type]  # its keys
    writer.put(item)
    return item


@pytest.mark.parametrize("kind", [*TEXTS.values(), "\U000e0041", "\u202e", "\r", "&", "\ud800"], ids=ascii)
@pytest.mark.parametrize("length", [1, 2, 100, 10_000, 10_001, 20_001])
def test_text_is_truncated_if_its_size_exceeds_the_limit(kind: str, length: int) -> None:
    """Short texts are not measured, and are truncated by the same rule."""
    text = (kind * length)[:length]
    blocks = [text[start : start + 10_000] for start in range(0, length, 10_000)]
    size = sum(response_size.encoded_size(str(escape(visible(each)))) for each in blocks)
    for limit in (size, size - 1, 16 * length, 16 * length + 1):
        is_truncated = response_size.truncate(text, limit).length is not None
        assert is_truncated == (size > limit)


# The fields with a limit of their own.
LIMITED = {
    "account_id",
    "type",
    "user_id",
    *set(CONTEXT_FIELDS) - {"user_name", "account_name", "object_name"},
}


def store_largest(kind: str) -> LogItem:
    """Store a log whose payload and fields are as long as possible."""
    text = TEXTS[kind]
    whole = text * (MAX_DECOMPRESSED // len(text.encode()) // 16)
    names = [name for name in documents.SENDER_FIELDS if name not in LIMITED]
    return store_document(
        payload=whole * 4, extra=json.dumps({"note": whole}), texts=dict.fromkeys(names, whole)
    )


@pytest.mark.parametrize("kind", TEXTS)
def test_page_of_the_largest_log_fits_and_links_to_the_file(viewer_client: Client, kind: str) -> None:
    item = store_largest(kind)
    page = viewer_client.get(f"/admin/logs/log/{item.id}/change/")
    assert page.status_code == 200
    assert encoded_size(page) < MAX_BYTES
    first = len(page.content)
    page = viewer_client.get(f"/admin/logs/log/{item.id}/change/?all=1")
    assert encoded_size(page) < MAX_BYTES
    assert len(page.content) > first + 400_000
    text = html.unescape(page.content.decode())
    whole = documents.content(item).payload_text or ""
    notice = re.search(
        r"The first (\d+) of (\d+) characters\.\s*<a href=\"([^\"]+)\">download the file</a>",
        text[text.index('id="payload"') :],
    )
    assert notice
    assert int(notice[2]) == len(whole)
    assert whole[: int(notice[1])] in text
    file = viewer_client.get(notice[3], headers=GZIP)
    assert encoded_size(file) < MAX_BYTES
    assert json.loads(gzip.decompress(file.content))["payload"] == whole


@pytest.mark.parametrize("kind", TEXTS)
def test_page_of_the_largest_tree_fits(viewer_client: Client, kind: str) -> None:
    value = (TEXTS[kind] * 6_000)[:6_000]
    changes = {f"{number}{value[:400]}": [value, number] for number in range(150)}
    text = json.dumps({"changes": changes}, ensure_ascii=False)
    item = store_document(payload=text, extra=text, texts={"url": TEXTS[kind] * 100_000})
    for query in ("", "?all=1", "?view=raw&all=1"):
        page = viewer_client.get(f"/admin/logs/log/{item.id}/change/{query}")
        assert encoded_size(page) < MAX_BYTES
        assert "What changed (150 fields)" in page.content.decode()


def test_page_of_an_ordinary_log_is_not_truncated(viewer_client: Client) -> None:
    item = store_document(payload='{"a":"' + "x" * 100_000 + '"}')
    page = viewer_client.get(f"/admin/logs/log/{item.id}/change/").content.decode()
    assert "x" * 100_000 in page
    assert "the beginning" not in page


def test_file_holds_every_field(viewer_client: Client) -> None:
    item = make_item(
        1, payload='{"b":1.50}', payload_type="json", document=documents.pack({"extra": '{"c":[2]}'})
    )
    store([item])
    response = viewer_client.get(f"/admin/logs/log/{item.id}/json/")
    assert response["Content-Disposition"] == f'attachment; filename="log-{item.id}.json"'
    log = json.loads(response.content)
    assert (log["id"], log["payload"], log["extra"]) == (item.id, {"b": 1.5}, {"c": [2]})
    assert log["created_at"] == "2026-11-01T00:00:01.000000+00:00"


def test_file_needs_the_permission_of_the_page(staff_client: Client, viewer_client: Client) -> None:
    item = make_item(1)
    store([item])
    assert staff_client.get(f"/admin/logs/log/{item.id}/json/").status_code == 403
    assert viewer_client.get(f"/admin/logs/log/{'0' * 32}/json/").status_code == 404


def test_api_returns_the_largest_log_compressed() -> None:
    item = store_largest("letters")
    client = program()
    response = client.get(f"/api/logs/{item.id}", headers=GZIP)
    assert encoded_size(response) < MAX_BYTES
    log = json.loads(gzip.decompress(response.content))
    assert log["payload"] == documents.content(item).payload


def test_api_requires_compression_for_the_largest_log() -> None:
    response = program().get(f"/api/logs/{store_largest('plain').id}")
    assert response.status_code == 400
    problem = json.loads(response.content)["error"]
    assert problem["code"] == "bad_request"
    assert "Accept-Encoding: gzip" in problem["message"]


def test_api_returns_one_megabyte_uncompressed() -> None:
    item = store_document(payload=base64.b64encode(random.Random(1).randbytes(750_000)).decode())
    assert program().get(f"/api/logs/{item.id}").status_code == 200
    assert program().get(f"/api/logs/{item.id}", headers=GZIP).status_code == 200


@pytest.mark.parametrize("form", ["csv", "ndjson"])
@pytest.mark.parametrize("kind", ["quotes", "letters", "plain"])
def test_export_of_any_characters_fits_uncompressed(
    viewer_client: Client, form: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MAX_BYTES", export.MAX_BYTES // 10)
    text = TEXTS[kind] * (1000 // len(TEXTS[kind].encode()))
    store(make_item(n, url=text, sub_type=text) for n in range(600))
    response = viewer_client.get(f"/admin/logs/log/export/?format={form}")
    assert MAX_BYTES / 10 * 0.5 < encoded_size(response) < MAX_BYTES / 10


def test_encoded_size_is_at_least_json_and_base64() -> None:
    for text in TEXTS.values():
        as_base64 = base64.b64encode(text.encode())
        assert response_size.encoded_size(text) >= max(len(json.dumps(text)), len(as_base64))
