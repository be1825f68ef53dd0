"""From columns to the fields of a log: guesses, options, presets, times and samples."""

import json
import pickle
from argparse import ArgumentParser
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingest import messages
from ingest.cli.errors import CommandFailed
from ingest.imports import inspection, presets
from ingest.imports.arguments import add_source_arguments, make_mapping, open_source
from ingest.imports.mapping import Mapping, Origin
from ingest.imports.rows import BadRow, Row
from ingest.imports.values import Clock
from logs import zones

TIME = "2026-11-26 10:00:00.5"
UTC_TIME = "2026-11-26T10:00:00.500000+00:00"


def options_of(path: Path | str, *arguments: str) -> dict[str, Any]:
    """Return the options of a command."""
    parser = ArgumentParser()
    add_source_arguments(parser)
    return vars(parser.parse_args([str(path), *arguments]))


def write(path: Path, *rows: dict[str, Any]) -> Path:
    """Write rows as NDJSON. Return the path."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def messages_of(path: Path, *arguments: str) -> list[dict[str, Any] | str]:
    """Return the message of each row, or why it is refused. Each message is valid."""
    options = options_of(path, *arguments)
    source = open_source(options)
    # The writing processes get the mapping by pickle.
    mapping: Mapping = pickle.loads(pickle.dumps(make_mapping(options, source)))  # noqa: S301
    results: list[dict[str, Any] | str] = []
    for row in source.rows():
        assert isinstance(row, Row)
        try:
            message = mapping.message(row)
        except BadRow as error:
            results.append(str(error))
        else:
            messages.parse(json.dumps(message))
            results.append(message)
    return results


ROW = {"id": 7, "customer_id": 3, "actor_id": None, "event": "login", "created": TIME, "level": 2}


def test_columns_are_guessed_and_none_is_lost(tmp_path: Path) -> None:
    path = write(tmp_path / "audit.ndjson", ROW | {"url": "/a", "Path": "/b", "empty": None})
    assert messages_of(path) == [
        {
            **{"account_id": 3, "user_id": 0, "type": "login", "sub_type": "", "url": "/a"},
            **{"created_at": UTC_TIME, "audit_id": 7, "Path": "/b", "level": 2},
        }
    ]


def test_options_replace_the_guesses(tmp_path: Path) -> None:
    uuid = "00112233-4455-6677-8899-aabbccddeeff"
    row = ROW | {
        "guid": uuid,
        "before": {"a": 1},
        "after": [1],
        "ip": " 10.0.0.1",
        "secret": "x",
        "url": "/a",
    }
    path = write(tmp_path / "audit.ndjson", row)
    file = tmp_path / "map.toml"
    file.write_text(
        'drop = ["secret"]\ntime_zone = "Europe/Berlin"\n'
        '[map]\ntype = ":change"\naccount_id = "missing"\nextra.severity = "level"\n'.replace(
            "extra.severity", '"extra.severity"'
        )
    )
    [message] = messages_of(
        path,
        *("--mapping", str(file), "--map", "account_id=customer_id", "--map", "url="),
        *("--map", "id=guid"),
        *("--map", "payload.old=before", "--map", "payload.new=after"),
    )
    assert message == {
        **{"id": uuid.replace("-", ""), "account_id": 3, "user_id": 0, "type": "change", "sub_type": ""},
        **{"url": "", "created_at": "2026-11-26T09:00:00.500000+00:00", "submitter_ip": " 10.0.0.1"},
        **{"payload": {"old": {"a": 1}, "new": [1]}, "severity": 2},
        **{"audit_id": 7, "event": "login", "audit_url": "/a"},
    }


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "no column: account_id, user_id, type. Add --map account_id=COLUMN"),
        (["--preset", "table"], "no column: account_id"),
        (["--preset", "auditlog"], "does not have the columns"),
        (["--map", "acount_id=name"], "'acount_id' is no field of a log"),
        (["--map", "payload.=name"], "'payload.' is no field"),
        (["--map", "payload=name", "--map", "payload.a=name"], "Add --map payload="),
        (["--time-zone", "Mars"], "--time-zone must be a zone such as Europe/Berlin, not 'Mars'"),
        (["--mapping", "missing.toml"], "--mapping missing.toml cannot be read"),
    ],
    ids=["required", "table", "preset", "field", "member", "payload", "zone", "file"],
)
def test_wrong_options_are_refused(tmp_path: Path, arguments: list[str], text: str) -> None:
    with pytest.raises(CommandFailed, match=text.replace("[", r"\[")):
        messages_of(write(tmp_path / "audit.ndjson", {"name": "a", "created_at": TIME}), *arguments)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("[map", "is no TOML in UTF-8"),
        ("colour = 'red'", "'colour' is none of map, drop"),
        ("drop = [1]", "drop must be a list of texts"),
        ("map = 'x'", "map must be a table of texts"),
        ("preset = 'other'", "--preset must be one of"),
        ("repeated_hour = 'third'", "--repeated-hour must be one of"),
    ],
    ids=["toml", "key", "list", "table", "preset", "hour"],
)
def test_wrong_mapping_file_is_refused(tmp_path: Path, content: str, text: str) -> None:
    file = tmp_path / "map.toml"
    file.write_text(content)
    with pytest.raises(CommandFailed, match=text):
        messages_of(write(tmp_path / "audit.ndjson", ROW), "--mapping", str(file))


def test_csv_columns_must_exist(tmp_path: Path) -> None:
    path = tmp_path / "audit.csv"
    path.write_text(f"account_id,user_id,type,created_at\n1,2,a,{TIME}\n")
    assert messages_of(path) == [
        {"account_id": "1", "user_id": "2", "type": "a", "sub_type": "", "url": "", "created_at": UTC_TIME}
    ]
    for option in (["--map", "url=path"], ["--drop", "path"]):
        with pytest.raises(CommandFailed, match=r"'path' is no column of the source\. The columns are"):
            messages_of(path, *option)


SPRING, AUTUMN = "2026-03-29 02:30:00", "2026-10-25T02:30:00"


@pytest.mark.parametrize(
    ("value", "repeated", "moment"),
    [
        ("2026-07-01 12:00:00", "refuse", "2026-07-01T10:00:00"),
        ("2026-07-01T12:00:00Z", "refuse", "2026-07-01T12:00:00"),
        (datetime(2026, 7, 1, 12, tzinfo=UTC), "refuse", "2026-07-01T12:00:00"),
        ("2026-07-01", "refuse", "2026-06-30T22:00:00"),
        (1_782_907_200, "refuse", "2026-07-01T12:00:00"),
        (Decimal("1782907200.25"), "refuse", "2026-07-01T12:00:00.250000"),
        ("1782907200250", "refuse", "2026-07-01T12:00:00.250000"),
        (AUTUMN, "first", "2026-10-25T00:30:00"),
        (AUTUMN, "second", "2026-10-25T01:30:00"),
        (AUTUMN, "refuse", "is twice in Europe/Berlin, when its clock is set back: choose --repeated-hour"),
        (SPRING, "first", "does not exist in Europe/Berlin: its clock skips this time"),
        ("0000-00-00 00:00:00", "refuse", "is no time: neither an existing day"),
        ("2026-02-30", "refuse", "is no time"),
        (2026, "refuse", "is no time"),
        (True, "refuse", "is no time"),
        (None, "refuse", "is missing"),
        ("0001-01-01", "refuse", "is outside the years 1 to 9999"),
    ],
)
def test_time_is_read_in_the_zone_or_refused(value: object, repeated: str, moment: str) -> None:
    mapping = Mapping("t", {"created_at": Origin("at")}, Clock(zones.parse("berlin"), repeated))
    row = Row("1", 1, {"at": value})
    if moment.startswith("is ") or moment.startswith("does "):
        with pytest.raises(BadRow, match=f"row 1, column at: {moment}"):
            mapping.message(row)
    else:
        assert mapping.message(row)["created_at"].startswith(moment)


def test_values_become_json_without_loss() -> None:
    columns = {
        "text": "Zoë", "price": Decimal("1.50"), "raw": b"\x00\xff", "words": "two\nlines\tä".encode(),
        "naive": datetime(2026, 3, 29, 2, 30, 0, 1),  # noqa: DTZ001
        "document": '{"b": [1.5, null], "big": 18446744073709551615}', "broken": '{"a": "\\ud800"}',
    }  # fmt: skip
    origins = {
        "created_at": Origin("at"),
        "type": Origin("code"),
        "account_id": Origin("number"),
        "payload": Origin("document"),
    }
    mapping = Mapping("t", origins, Clock(), json_columns=frozenset({"document", "broken"}))
    row = Row("1", 1, {**columns, "at": TIME, "code": 5, "number": Decimal(7)})
    message = mapping.message(row)
    assert message == {
        **{"account_id": 7, "user_id": 0, "type": "5", "sub_type": "", "url": "", "created_at": UTC_TIME},
        "payload": {"b": [1.5, None], "big": 2**64 - 1},
        **{"text": "Zoë", "price": "1.50", "raw": "0x00ff", "words": "two\nlines\tä"},
        **{"naive": "2026-03-29T02:30:00.000001", "broken": '{"a": "\\ud800"}'},
    }
    assert mapping.fingerprint == Mapping("t", origins, Clock()).fingerprint
    assert mapping.fingerprint != Mapping("t", origins, Clock(zones.parse("berlin"))).fingerprint


def test_sample_is_masked_and_safe_for_terminals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGS_MASK", "password")
    rows: list[dict[str, Any]] = [
        {"id": 1, "created_at": TIME, "note": "\x1b[2J", "password": "Hidden1"},
        {"created_at": "never"},
    ]
    options = options_of(write(tmp_path / "audit.ndjson", *rows), "--map", "type=:note")
    source = open_source(options)
    text = "\n".join(inspection.lines(source, make_mapping(options, source, is_complete=False)))
    assert "\x1b" not in text
    assert "Hidden1" not in text
    for line in [
        "audit: about 2 rows",
        "  id          number  → id if it is a UUID, otherwise the unknown field audit_id",
        "  created_at  text    → created_at",
        "  note        text    → unknown field",
        "  'note'              → type",
        "  No column: account_id, user_id. Add --map FIELD=COLUMN or --map FIELD=:TEXT.",
        "Row 1:",
        '    "note": "\\u001b[2J",',
        "Refused: row 2, column created_at: is no time",
    ]:
        assert line in text, line


ENTRY = {
    **{"id": 5, "content_type_id": 9, "app_label": "shop", "model": "invoice", "object_pk": "4711"},
    **{"object_id": 4711, "object_repr": "Invoice 4711", "action": 1, "timestamp": TIME, "actor_id": 12},
    **{"changes": json.dumps({"total": ["1", "None"], "api_token": ["a", "b"]}), "changes_text": ""},
    **{"serialized_data": None, "remote_addr": "10.0.0.1", "cid": None, "actor_email": "z@example.com"},
}
USER = {"account_id": 0, "user_id": 12, "submitter_id": 12, "url": "", "created_at": UTC_TIME}
INVOICE = {"object_type": "shop.invoice", "object_id": "4711", "object_name": "Invoice 4711"}
UPDATE = {"type": "update", "sub_type": "shop.invoice", **INVOICE, **USER}


def test_row_that_a_package_does_not_write_is_refused(tmp_path: Path) -> None:
    path = write(
        tmp_path / "auditlog_logentry.ndjson",
        ENTRY,
        {name: value for name, value in ENTRY.items() if name != "object_pk"},
        ENTRY | {"changes": {"a": {"type": "m2m"}}},
    )
    rows = messages_of(path, "--preset", "auditlog")
    assert isinstance(rows[0], dict)
    assert [isinstance(row, str) and "is no row of auditlog" in row for row in rows[1:]] == [True, True]


def test_auditlog_rows_are_logs_of_live_capture(tmp_path: Path) -> None:
    added = {"tags": {"type": "m2m", "operation": "add", "objects": ["red"]}}
    login = {"last_login": ["a", "b"]}
    path = write(
        tmp_path / "auditlog_logentry.ndjson",
        ENTRY,
        ENTRY | {"changes": added, "actor_id": None},
        ENTRY | {"action": 0, "changes": {"total": ["0", "5"]}},
        ENTRY | {"changes": {"password": ["a", "b"]}, "object_repr": "Invoice"},
        ENTRY | {"changes": login},
        ENTRY | {"app_label": "sessions", "model": "session"},
        ENTRY | {"changes": "broken"},
        ENTRY | {"action": 9},
    )
    own = {"auditlog_logentry_id": 5, "remote_addr": "10.0.0.1", "actor_email": "z@example.com"}
    rows = messages_of(path, "--preset", "auditlog")
    assert rows[0] == {**UPDATE, "payload": {"changes": {"total": ["1", None]}}, **own}
    assert isinstance(rows[1], dict)
    assert rows[1]["payload"] == {"changes": {"tags": [[], ["red"]]}}
    assert (rows[1]["user_id"], "submitter_id" in rows[1]) == (0, False)
    assert isinstance(rows[2], dict)
    assert (rows[2]["type"], rows[2]["payload"]) == ("create", {"changes": {"total": [None, "5"]}})
    assert isinstance(rows[3], dict)
    assert (rows[3]["summary"], rows[3]["payload"]) == ("Only hidden fields were changed.", {"changes": {}})
    assert [str(row).partition(", ")[2] for row in rows[4:]] == [
        "column changes: has only the time of the last login, which is no log",
        "column content_type_id: is sessions.session, whose changes are no logs",
        "column changes: is no JSON",
        "column action: is no action of django-auditlog",
    ]
    [override, *_] = messages_of(
        path, "--preset", "auditlog", "--map", "account_id=:7", "--drop", "remote_addr"
    )
    assert isinstance(override, dict)
    assert override["account_id"] == "7"
    assert "remote_addr" not in override


def test_easyaudit_rows_are_logs_of_live_capture(tmp_path: Path) -> None:
    stored = json.dumps([{"model": "shop.invoice", "pk": 4711, "fields": {"total": "5", "token": "Invoice"}}])
    event = {
        **{"id": 5, "content_type_id": 9, "app_label": "shop", "model": "invoice", "object_id": "4711"},
        **{"object_repr": "Invoice 4711", "object_json_repr": stored, "datetime": TIME, "user_id": None},
        **{"user_pk_as_string": "12", "event_type": 2, "changed_fields": '{"total": ["None", "5"]}'},
    }
    path = write(
        tmp_path / "easyaudit_crudevent.ndjson",
        event,
        event | {"event_type": 1, "changed_fields": "null"},
        event | {"event_type": 6, "changed_fields": '{"tags": ["1", "2"]}'},
        event | {"event_type": 10, "changed_fields": ""},
        event | {"changed_fields": ""},
    )
    rows = messages_of(path, "--preset", "easyaudit")
    # A hidden value in the name leaves the name out.
    base = {name: value for name, value in UPDATE.items() if name != "object_name"}
    own = {"user_id": "12", "submitter_id": "12", "easyaudit_crudevent_id": 5}
    assert rows[:4] == [
        {**base, **own, "payload": {"changes": {"total": [None, "5"]}}},
        {**base, **own, "type": "create", "payload": {"changes": {"total": [None, "5"]}}},
        {**base, **own, "payload": {"changes": {"tags": [[], ["1", "2"]]}}},
        {**base, **own, "payload": {"changes": {}}, "summary": "A relation was cleared."},
    ]
    assert "has no change but the last login" in str(rows[4])


def test_easyaudit_logins_and_requests_are_logs(tmp_path: Path) -> None:
    login = {"id": 1, "login_type": 0, "username": "zoë", "user_id": 12, "remote_ip": "10.0.0.1:80"}
    login["datetime"] = TIME
    path = write(tmp_path / "logins.ndjson", login, login | {"login_type": 2, "user_id": None})
    rows = messages_of(path, "--preset", "easyaudit")
    name = {"user_name": "zoë", "submitter_ip": "10.0.0.1", "logins_id": 1}
    assert rows == [
        {**USER, "type": "login", "sub_type": "success", **name},
        {
            **{"account_id": 0, "user_id": 0, "url": "", "created_at": UTC_TIME},
            **{"type": "login", "sub_type": "failed"},
            **name,
        },
    ]
    request = {"id": 1, "url": "/a/", "method": "GET", "query_string": "b=1", "datetime": TIME, "user_id": 12}
    path = write(tmp_path / "requests.ndjson", request | {"remote_ip": ""})
    [row] = messages_of(path, "--preset", "easyaudit")
    assert row == {**USER, "url": "/a/?b=1", "type": "request", "sub_type": "GET", "requests_id": 1}


def test_file_without_labels_of_models_is_refused(tmp_path: Path) -> None:
    entry = {name: value for name, value in ENTRY.items() if name not in ("app_label", "model")}
    with pytest.raises(CommandFailed, match="needs the columns app_label and model"):
        messages_of(write(tmp_path / "entries.ndjson", entry), "--preset", presets.AUDITLOG)
