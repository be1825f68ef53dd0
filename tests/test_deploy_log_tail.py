"""The filter of `make tail`."""

import logging

import pytest

from deploy.log_tail import LEVELS, PLATFORM_PREFIXES, is_visible
from ingest.handler import logger
from logsite.log_lines import JsonFormatter

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


def test_library_lines_are_visible_from_their_level() -> None:
    line = "[WARNING]\t2026-11-25T10:00:00.000Z\t7b7cc8d1\tConnection pool is full"
    assert [level for level in (None, *LEVELS) if is_visible(line, level)] == [
        None,
        "DEBUG",
        "INFO",
        "WARNING",
    ]
