"""An export has every log of a filter or a link to the rest. No cell is a formula."""

import csv
import io
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from logs import reader, views
from logs.characters import visible
from logs.exports.formats import FORMATS
from logs.models import CONTEXT_FIELDS, ROW_ATTRIBUTES, LogItem
from logs.pages import export
from tests.dynamodb_calls import counted_calls
from tests.items import make_item, store
from tests.pages import LISTING, fetch, link

pytestmark = pytest.mark.usefixtures("logs_table")
EXPORT = f"{LISTING}export/"


def text(client: Client, query: str) -> str:
    response = client.get(query if query.startswith("/") else EXPORT + query)
    assert response.status_code == 200
    return b"".join(response).decode()


def table(client: Client, query: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text(client, query).removeprefix("\ufeff"))))


def objects(client: Client, query: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text(client, query).splitlines()]


def test_csv_has_a_header_and_one_row_per_log(viewer_client: Client) -> None:
    store(make_item(n, account_id=str(n % 2), submitter_city="Köln", payload_size=3) for n in range(450))
    header, *rows = table(viewer_client, "?format=csv&account_id=1")
    assert header == list(ROW_ATTRIBUTES)
    assert [row[1] for row in rows] == [make_item(n).id for n in range(449, 0, -2)]
    assert rows[0] == [
        "2026-11-01T00:07:29.000000+00:00", make_item(449).id, "1", "12", "login", "password", "/login",
        "", "", "Köln", "", "", "3", *[""] * len(CONTEXT_FIELDS),
    ]  # fmt: skip


def test_ndjson_ends_with_a_summary(viewer_client: Client) -> None:
    store(make_item(n, payload="secret") for n in range(3))
    *rows, last = objects(viewer_client, "?format=ndjson&order=oldest")
    assert [row["id"] for row in rows] == [make_item(n).id for n in range(3)]
    assert rows[0]["created_at"] == "2026-11-01T00:00:00.000000+00:00"
    assert "payload" not in rows[0]
    assert last == {"_logsite": {"rows": 3, "complete": True, "cut": None, "next": None}}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_csv_cell_is_never_a_formula(viewer_client: Client, start: str) -> None:
    store([make_item(1, url=f"{start}cmd|' /C calc'!A0", sub_type='a"b,c\r\nd', user_id="-5")])
    _, row = table(viewer_client, "?format=csv")
    assert row[6] == f"'{start}cmd|' /C calc'!A0"
    assert row[5] == 'a"b,c\r\nd'
    assert row[3] == "'-5"
    *_, plain, _ = objects(viewer_client, "?format=ndjson")
    assert plain["url"] == f"{start}cmd|' /C calc'!A0"


FORMULA = "=+-@＝＋－＠\ufe66\ufe62\ufe63\ufe6b\u2212"
HOSTILE = f"{FORMULA};|\t\r\n,'\" \u00a0\u200b\u202e\ufeff\u3164\u2028\x0b\x00a1é"
cells = st.text(st.sampled_from(HOSTILE), max_size=8) | st.text(max_size=8)


def begins_with_formula(part: str) -> bool:
    """Return whether the first visible character of a part of a line begins a formula."""
    visible_part = "".join(each for each in part if each not in ' "' and visible(f"a{each}b") == f"a{each}b")
    return visible_part.startswith(tuple(FORMULA))


@given(st.lists(cells, min_size=1, max_size=4), cells)
@settings(max_examples=1000, deadline=None)
def test_no_part_of_a_csv_line_is_a_formula(values: list[str], address: str) -> None:
    form = FORMATS["csv"]
    [line] = form.rows([], [(values, None)])
    [row] = csv.reader(io.StringIO(line, newline=""))
    assert [cell.replace("'", "") for cell in row] == [cell.replace("'", "") for cell in values]
    [comment] = csv.reader(io.StringIO(form.foot(1, f"{address} reason", address), newline=""))
    for text in [line, *row, *comment]:
        for separator in (";", "[|]", "\t", "\r", "\n", "\u2028", "\x0b", "[;|\t\r\n]"):
            assert not any(map(begins_with_formula, re.split(separator, text)))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("a|\u200b @x", "a|'\u200b @x"),
        ("a\r\n\u3000-1", "a\r\n'\u3000-1"),
        ('a;"=1', "a;'\"=1"),
        ("  =1", "'  =1"),
        ("\ufe66 1", "'\ufe66 1"),
        ("/a-b?c=d&e=+1", "/a-b?c=d&e=+1"),
        ("a@example.com", "a@example.com"),
    ],
)
def test_formula_after_a_separator_is_neutralized(viewer_client: Client, cell: str, expected: str) -> None:
    store([make_item(1, url=cell, sub_type=cell)])
    response: Any = viewer_client.get(f"{EXPORT}?format=csv")
    content = b"".join(response).decode().removeprefix("\ufeff")
    _, row = csv.reader(io.StringIO(content, newline=""))
    assert row[5:7] == [expected, expected]


@pytest.mark.parametrize(
    ("setting", "value"),
    [("LOGS_EXPORT_ROWS", 120), ("LOGS_EXPORT_ROWS", 200), ("LOGS_MAX_EXAMINED", 300), ("bytes", 20_000)],
)
@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_truncated_files_together_hold_each_log_once(
    viewer_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch, setting: str, value: int, form: str
) -> None:
    if setting == "bytes":
        monkeypatch.setattr(export, "MAX_BYTES", value)
    else:
        setattr(settings, setting, value)
    store(make_item(n, account_id="78"[n % 2], user_id="12" if n % 5 else "31") for n in range(500))
    address = f"?format={form}&user_id=12&account_id=7&account_id=8"
    seen: list[str] = []
    files = 0
    while address:
        files += 1
        lines = text(viewer_client, address).removeprefix("\ufeff").splitlines()
        if form == "ndjson":
            summary = json.loads(lines[-1])["_logsite"]
            seen += [json.loads(line)["id"] for line in lines[:-1]]
            assert summary["rows"] == len(lines) - 1
            assert summary["complete"] == (summary["next"] is None)
            address = summary["next"] or ""
        else:
            match = re.match(
                r'"?# Truncated after (\d+) rows: .* Continue at (http://testserver)?(\S+)$', lines[-1]
            )
            rows = lines[1:-1] if match else lines[1:]
            seen += [row.split(",")[1] for row in rows]
            assert not match or int(match[1]) == len(rows)
            address = match[3].rstrip('"') if match else ""
        address = address.removeprefix("http://testserver")
        assert files < 20
    assert files > 1
    assert seen == [make_item(n).id for n in range(499, -1, -1) if n % 5]


def test_failure_mid_file_is_reported_with_its_next_url(
    viewer_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(make_item(n) for n in range(300))
    monkeypatch.setattr(views, "PAGE_ROWS", 200)
    response = viewer_client.get(f"{EXPORT}?format=ndjson")
    monkeypatch.setattr(LogItem.Meta, "table_name", "NoSuchTable")
    *rows, last = [json.loads(line) for line in b"".join(response).splitlines()]
    assert len(rows) == 200
    summary = last["_logsite"]
    assert (summary["complete"], summary["cut"]) == (False, "the database does not answer")
    monkeypatch.undo()
    *rest, _ = objects(viewer_client, summary["next"].removeprefix("http://testserver"))
    assert [row["id"] for row in rows + rest] == [make_item(n).id for n in range(299, -1, -1)]


def test_missing_table_is_503(viewer_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LogItem.Meta, "table_name", "NoSuchTable")
    assert viewer_client.get(f"{EXPORT}?format=csv").status_code == 503


def test_thousand_rows_of_a_file_take_one_query(viewer_client: Client) -> None:
    store(make_item(n) for n in range(1500))
    with counted_calls() as calls:
        assert len(table(viewer_client, "?format=csv")) == 1501
    assert calls == {"BatchGetItem": 1, "Query": 2}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?format=", "The format must be one of csv, ndjson, json"),
        ("?format=pdf", "The format must be one of csv, ndjson, json"),
        ("?format=csv&format=ndjson", "The format must be one of"),
        ("?format=csv&colour=red", "There is no filter “colour”"),
        ("?format=csv&from=x", "is not a time"),
        ("?format=csv&limit=5", "A file has no pages: leave limit out."),
        (f"?format=csv&around={'0' * 32}", "A file has no pages: leave around out."),
        ("?format=csv&cursor=x", "damaged"),
    ],
)
def test_invalid_query_is_400_without_a_file(viewer_client: Client, query: str, words: str) -> None:
    response = viewer_client.get(EXPORT + query)
    assert response.status_code == 400
    assert words in response.content.decode()
    assert "Content-Disposition" not in response


def test_export_requires_view_permission(staff_client: Client) -> None:
    assert staff_client.get(f"{EXPORT}?format=csv").status_code == 403
    assert Client().get(f"{EXPORT}?format=csv").headers["Location"].startswith("/admin/login/")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("format=csv", "logs.csv"),
        ("format=ndjson&account_id=7&type=a/b&order=oldest", "logs-account_id-7-type-ab-order-oldest.ndjson"),
        ("format=csv&account_id=%22;%0a../é", "logs-account_id-e.csv"),
        ("format=csv&q=" + "x" * 400, f"logs-q-{'x' * 93}.csv"),
    ],
)  # fmt: skip
def test_file_name_contains_the_filter(viewer_client: Client, query: str, name: str) -> None:
    response = viewer_client.get(f"{EXPORT}?{query}")
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'


def test_listing_links_to_the_export_of_its_filter(viewer_client: Client) -> None:
    store(make_item(n) for n in range(60))
    page = fetch(viewer_client, link(fetch(viewer_client, "?account_id=7&order=oldest"), "Next ›"))
    for form in ("csv", "ndjson"):
        address = urlsplit(link(page, form.upper()))
        assert address.path == "export/"
        assert parse_qs(address.query) == {"account_id": ["7"], "order": ["oldest"], "format": [form]}
    assert "export/" not in fetch(viewer_client, "?account_id=nobody")


def test_closed_response_stops_reading(viewer_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    store(make_item(n) for n in range(1000))
    monkeypatch.setattr(views, "PAGE_ROWS", 200)
    read = 0
    read_page = reader.read_page

    def count_and_read(*args: Any, **kwargs: Any) -> Any:
        nonlocal read
        read += 1
        return read_page(*args, **kwargs)

    monkeypatch.setattr(reader, "read_page", count_and_read)
    response = viewer_client.get(f"{EXPORT}?format=csv")
    pieces = iter(response)
    next(pieces)
    next(pieces)
    response.close()
    assert read == 1
