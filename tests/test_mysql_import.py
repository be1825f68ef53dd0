"""From a table of MySQL to logs, and back: import and verification of difficult rows."""

import json

import pytest

from ingest.imports import group_writer, verification
from ingest.imports.arguments import make_mapping, open_source
from ingest.imports.rows import Source
from logs.models import LogItem
from logs.storage import documents, parts
from tests.items import logs
from tests.mariadb import Database
from tests.test_import_mapping import options_of

pytest_plugins = ["tests.mysql_fixtures"]
pytestmark = pytest.mark.usefixtures("logs_table")


def import_table(mysql: Database, table: str, *arguments: str) -> tuple[group_writer.GroupResult, Source]:
    """Import a table in this process, and verify it. Return the result and the source."""
    options = options_of(mysql.address, "--table", table, *arguments)
    source = open_source(options)
    settings = group_writer.Settings(make_mapping(options, source), source.table, "test")
    group_writer.start(settings)
    rows = list(source.rows())
    result = group_writer.write(rows)
    comparison = verification.Verifier(settings.mapping, source.table).compare(rows)
    assert comparison.differences == []
    assert all(day.is_equal for day in comparison.days.values())
    assert sum(day.rows for day in comparison.days.values()) == result.counts.written + result.counts.existing
    return result, source


def test_difficult_rows_arrive_or_are_refused(mysql: Database) -> None:
    mysql.create(
        "audit",
        "id BINARY(16) PRIMARY KEY, customer_id BIGINT UNSIGNED, user_id INT NULL, "
        "action ENUM('login', 'edit'), path VARCHAR(200) CHARACTER SET latin1, created DATETIME(6), "
        "data JSON, flags BIT(3), seen TIMESTAMP NULL, price DECIMAL(9, 3), raw BLOB, empty TEXT",
        *(
            f"(X'{number:032x}', 18446744073709551615, NULL, 'edit', '/Zoë/€', '{time}', "
            """'{"text": "😀", "list": [1.5]}', b'101', '2026-03-29 02:30:00', 1.5, X'00ff', NULL)"""
            for number, time in enumerate(
                [
                    "2026-07-01 12:00:00.000001",
                    "2026-03-29 02:30:00",
                    "0000-00-00 00:00:00",
                    "2026-10-25 02:30:00",
                    "2026-00-10 00:00:00",
                ]
            )
        ),
    )
    zone = ["--time-zone", "Europe/Berlin"]
    result, _ = import_table(mysql, "audit", *zone)
    reasons = [(each.row[-1], each.column, each.reason[:30]) for each in result.refusals]
    assert reasons == [
        ("1", "created", "does not exist in Europe/Berli"),
        ("2", "created", "is no time: neither an existin"),
        ("3", "created", "is twice in Europe/Berlin, whe"),
        ("4", "created", "is no time: neither an existin"),
    ]
    [log] = logs()
    parts.join(log)
    content = documents.content(log)
    assert log.id == "0" * 32
    assert (log.account_id, log.user_id, log.type, log.url) == ("18446744073709551615", "0", "edit", "/Zoë/€")
    assert log.created_at.isoformat() == "2026-07-01T10:00:00.000001+00:00"
    assert log.received_at == log.created_at
    assert content.payload == {"text": "😀", "list": [1.5]}
    seen = "2026-03-29T02:30:00.000000+00:00"
    assert content.extra == {"flags": 5, "seen": seen, "price": "1.500", "raw": "0x00ff"}
    result, _ = import_table(mysql, "audit", *zone, "--repeated-hour", "second")
    assert (result.counts.written, result.counts.existing, result.counts.refused) == (1, 1, 3)
    assert LogItem.get(f"{3:032x}").created_at.isoformat() == "2026-10-25T01:30:00+00:00"


def test_rows_of_auditlog_are_imported(mysql: Database) -> None:
    mysql.create(
        "django_content_type", "id INT PRIMARY KEY, app_label TEXT, model TEXT", "(9, 'shop', 'invoice')"
    )
    mysql.create(
        "auditlog_logentry",
        "id INT PRIMARY KEY, content_type_id INT, object_pk VARCHAR(255), object_id BIGINT, "
        "object_repr TEXT, action SMALLINT UNSIGNED, changes JSON, changes_text TEXT, "
        "timestamp DATETIME(6), actor_id INT",
        """(1, 9, '4711', 4711, 'Invoice 4711', 1, '{"total": ["1", "2"]}', '', '2026-07-01 12:00:00', 12)""",
        """(2, 8, '4711', 4711, 'Invoice 4711', 1, '{"total": ["1", "2"]}', '', '2026-07-01 12:00:00', 12)""",
    )
    result, source = import_table(mysql, "auditlog_logentry", "--preset", "auditlog")
    assert [(each.row, each.reason) for each in result.refusals] == [
        ("2", "is no row of django_content_type")
    ]
    [log] = logs()
    assert (log.type, log.sub_type, log.object_key, log.user_id) == (
        "update",
        "shop.invoice",
        "shop.invoice:4711",
        "12",
    )
    assert json.loads(log.payload or "") == {"changes": {"total": ["1", "2"]}}
    assert source.total() is not None
