"""The filter and the output of `make tail`, and control characters in the output of every command."""

import logging
from datetime import UTC, datetime

import pytest

from deploy.__main__ import main
from deploy.account import Account
from deploy.commands.tail import format_line
from deploy.deployment import Deployment
from deploy.errors import BuildFailed
from deploy.log_tail import LEVELS, PLATFORM_PREFIXES, Line, is_visible
from deploy.stage import Stage
from ingest.handler import logger
from logsite.log_lines import JsonFormatter

AWS = Account("123456789012", "eu-central-1", "aws", None)
# Of C0, C1, DEL, bidirectional and other format characters, line and paragraph separators.
HOSTILE = "\x1b]0;title\x07\r\x08\x00\x7f\x85\x9b31m\u202e\u2066\u200b\ufeff\u2028\u2029\U000e0041"
ESCAPED = r"\x1b]0;title\x07\r\x08\x00\x7f\x85\x9b31m\u202e\u2066\u200b\ufeff\u2028\u2029\U000e0041"
TRACEBACK = "[ERROR] Runtime.ImportModuleError: Unable to import module 'ingest.handler'"
TIMEOUT = "2026-11-25T10:00:00.000Z 7b7cc8d1 Task timed out after 60.00 seconds"


@pytest.mark.parametrize("level", [None, *LEVELS])
def test_platform_lines_and_metrics_are_hidden(level: str | None) -> None:
    for line in (
        *(f"{prefix}7b7cc8d1 Version: $LATEST" for prefix in PLATFORM_PREFIXES),
        '{"_aws": {}, "written": [1]}',
    ):
        assert not is_visible(line, level)


@pytest.mark.parametrize("line", [TRACEBACK, TIMEOUT, "7", '["a"]'])
def test_plain_text_is_always_visible(line: str) -> None:
    assert is_visible(line, None)
    assert is_visible(line, "CRITICAL")


@pytest.mark.parametrize("formatter", [JsonFormatter(), logger.registered_formatter])
def test_function_lines_are_visible_from_their_level(formatter: logging.Formatter) -> None:
    line = formatter.format(logging.LogRecord("logs", logging.WARNING, __file__, 1, "slow", None, None))
    assert [level for level in (None, *LEVELS) if is_visible(line, level)] == [
        None,
        "DEBUG",
        "INFO",
        "WARNING",
    ]


@pytest.mark.parametrize("line", ['{"message": "?"}', '{"message": "?", "level": 3}', ""])
def test_lines_without_level_are_always_visible(line: str) -> None:
    assert is_visible(line, "CRITICAL")


def test_commands_print_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    Deployment(Stage("dev"), AWS).report(f"status{HOSTILE}\tend\nnext")
    output = capsys.readouterr().out
    assert output == f"status{ESCAPED}\tend\nnext\n"


def test_errors_print_no_control_characters(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise BuildFailed(f"zappa failed:\n{HOSTILE}")

    monkeypatch.setattr("deploy.__main__.deployment", lambda options: None)
    monkeypatch.setattr("deploy.commands.status.run", fail)
    assert main(["status", "--stage", "dev"]) == 1
    assert capsys.readouterr().err == f"\nzappa failed:\n{ESCAPED}\n"


def test_tail_line_cannot_look_like_two(capsys: pytest.CaptureFixture[str]) -> None:
    forged = "2026-11-25T10:00:01Z logsite-dev all is well"
    line = Line(datetime(2026, 11, 25, 10, tzinfo=UTC), "logsite-dev", f"GET /\u009b2K\n{forged}\r{forged}")
    Deployment(Stage("dev"), AWS).report(format_line(line))
    assert capsys.readouterr().out.splitlines() == [
        "2026-11-25T10:00:00Z logsite-dev GET /\\x9b2K",
        f"    {forged}\\r{forged}",
    ]


def test_library_lines_are_visible_from_their_level() -> None:
    line = "[WARNING]\t2026-11-25T10:00:00.000Z\t7b7cc8d1\tConnection pool is full"
    assert [level for level in (None, *LEVELS) if is_visible(line, level)] == [
        None,
        "DEBUG",
        "INFO",
        "WARNING",
    ]
