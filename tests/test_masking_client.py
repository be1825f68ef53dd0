"""LogClient masks before a log leaves the process, and calls `before_send`."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from ingest import django
from ingest.client import LogClient
from ingest.logging_handler import LogHandler
from ingest.testing import RecordingClient
from tests.factories import make_fields
from tests.noise import noise

URL = "http://127.0.0.1:9/123456789012/logs"
SECRET = "hunter2"


class Credentials:
    def __str__(self) -> str:
        return f"Credentials(password={SECRET})"


def test_client_masks_payload_url_and_extra_fields() -> None:
    with RecordingClient() as client:
        client.enqueue(
            **make_fields(
                url=f"/reset?token={SECRET}",
                payload={"password": SECRET, "n": [Credentials(), b"token=1"]},
                api_token=SECRET,
            )
        )
        client.enqueue_many([make_fields(payload=f"password={SECRET}")])

    first, second = client.logs
    assert first["url"] == "/reset?token=***"
    assert first["payload"] == {"password": "***", "n": ["Credentials(password=***)", "token=***"]}
    assert first["api_token"] == "***"
    assert second["payload"] == "password=***"


def test_spool_holds_masked_logs_only(tmp_path: Path) -> None:
    with LogClient(URL, spool_dir=tmp_path, durable=True) as client:
        client.enqueue(**make_fields(payload={"password": SECRET}))
        [file] = tmp_path.glob("*.logsite")
        text = file.read_text()
        client.close(0)

    assert '"password":"***"' in text
    assert SECRET not in text


def test_truncated_and_compressed_logs_are_masked() -> None:
    with RecordingClient(strict=False) as client:
        client.enqueue(**make_fields(payload={"password": SECRET, "x": "x" * 2_000_000}))
        client.enqueue(**make_fields(payload=f"password={SECRET} {noise(2_000_000)}"))

    assert client.logs[0]["payload"]["password"] == "***"
    assert client.logs[1]["payload"].startswith("password=*** ")
    assert "(cut:" in client.logs[1]["payload"]


def test_log_handler_masks() -> None:
    client = RecordingClient()
    record = logging.makeLogRecord(
        {"name": "shop", "msg": "login with password=%s", "args": (SECRET,), "token": SECRET}
    )
    LogHandler(client).handle(record)

    [log] = client.logs
    assert (log["payload"]["message"], log["payload"]["token"]) == ("login with password=***", "***")


def test_mask_option_replaces_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGS_MASK", "pin")
    default, other, off = RecordingClient(), RecordingClient(mask="iban"), RecordingClient(mask="")
    for client in (default, other, off):
        client.enqueue(**make_fields(payload={"pin": "1", "iban": "2", "password": "3"}))

    assert default.logs[0]["payload"] == {"pin": "***", "iban": "2", "password": "3"}
    assert other.logs[0]["payload"] == {"pin": "1", "iban": "***", "password": "3"}
    assert off.logs[0]["payload"] == {"pin": "1", "iban": "2", "password": "3"}


def test_invalid_mask_is_an_error_at_construction(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"^mask: '@x' must be @default or @cards$"):
        LogClient(URL, sync=True, mask="@x")
    monkeypatch.setenv("LOGS_MASK", "/(/")
    with pytest.raises(ValueError, match=r"^LOGS_MASK: '/\(/' must be a regular expression"):
        LogClient(URL, sync=True)


@pytest.mark.parametrize("setting", ["pin", ["pin"]])
def test_django_setting_names_what_is_masked(setting: Any) -> None:
    django.client.cache_clear()
    with override_settings(LOGS_QUEUE_URL=URL, LOGS_MASK=setting, LOGS_CLIENT_OPTIONS={"sync": True}):
        log = django.client()._prepare(make_fields(payload={"pin": 1, "password": 2}))
    django.client.cache_clear()

    assert log is not None
    assert log.fields["payload"] == {"pin": "***", "password": 2}


def test_before_send_changes_or_drops_a_log() -> None:
    def scrub(log: dict[str, Any]) -> dict[str, Any] | None:
        if log["type"] == "ping":
            return None
        log["payload"].pop("iban", None)
        return {**log, "url": "", "password": SECRET}

    payload = {"iban": "BG80", "n": 1}
    client = RecordingClient(before_send=scrub)
    log_id = client.enqueue(**make_fields(payload=payload))
    assert client.enqueue(**make_fields(type="ping")) == ""
    assert client.enqueue_many([make_fields(type="ping"), make_fields(payload={})]) == 1

    assert client.logs[0]["id"] == log_id
    assert client.logs[0]["payload"] == {"n": 1}
    assert (client.logs[0]["url"], client.logs[0]["password"]) == ("", "***")
    assert payload == {"iban": "BG80", "n": 1}
    assert (client.counts.sent, client.counts.filtered) == (2, 2)


@pytest.mark.parametrize(
    ("result", "error"), [(KeyError(SECRET), "KeyError"), (SECRET, "TypeError"), (True, "TypeError")]
)
def test_failing_before_send_drops_the_log(result: Any, error: str, caplog: pytest.LogCaptureFixture) -> None:
    def fail(log: dict[str, Any]) -> Any:
        if isinstance(result, Exception):
            raise result
        return result

    client = RecordingClient(strict=False, before_send=fail)
    assert client.enqueue(**make_fields()) == ""
    assert client.enqueue(**make_fields()) == ""

    assert client.logs == []
    assert client.counts.filtered == 2
    [message] = [record.getMessage() for record in caplog.records]
    assert f"before_send failed: {error} in " in message
    assert SECRET not in message


def test_failing_before_send_raises_in_strict_mode() -> None:
    def fail(log: dict[str, Any]) -> Any:
        return [log]

    with pytest.raises(TypeError, match="before_send must return a dict or None, not list"):
        RecordingClient(before_send=fail).enqueue(**make_fields())


def test_before_send_must_be_a_function() -> None:
    with pytest.raises(ValueError, match="before_send must be a function, not 'scrub'"):
        LogClient(URL, sync=True, before_send="scrub")  # type: ignore[arg-type]


def test_background_client_counts_filtered_logs() -> None:
    with LogClient(URL, before_send=lambda log: None) as client:
        client.enqueue(**make_fields())

        assert client.flush(0)
        assert client.counts.filtered == 1
        assert json.dumps(vars(client.counts)) == '{"sent": 0, "dropped": 0, "refused": 0, "filtered": 1}'
