"""Which log lines `make tail` prints."""

import logging

import pytest

from deploy.tailing import LEVELS, OF_LAMBDA, is_told
from ingest.handler import logger
from logsite.log_lines import JsonFormatter

TRACEBACK = "[ERROR] Runtime.ImportModuleError: Unable to import module 'ingest.handler'"
TIMEOUT = "2026-11-25T10:00:00.000Z 7b7cc8d1 Task timed out after 60.00 seconds"


@pytest.mark.parametrize("level", [None, *LEVELS])
def test_what_lambda_says_of_each_invocation_is_left_out(level: str | None) -> None:
    for line in (
        *(f"{words}7b7cc8d1 Version: $LATEST" for words in OF_LAMBDA),
        '{"_aws": {}, "written": [1]}',
    ):
        assert not is_told(line, level)


@pytest.mark.parametrize("line", [TRACEBACK, TIMEOUT, "7", '["a"]'])
def test_plain_text_is_always_told(line: str) -> None:
    assert is_told(line, None)
    assert is_told(line, "CRITICAL")


@pytest.mark.parametrize("formatter", [JsonFormatter(), logger.registered_formatter])
def test_what_the_functions_say_is_told_by_its_level(formatter: logging.Formatter) -> None:
    line = formatter.format(logging.LogRecord("logs", logging.WARNING, __file__, 1, "slow", None, None))
    assert [level for level in (None, *LEVELS) if is_told(line, level)] == [None, "DEBUG", "INFO", "WARNING"]


@pytest.mark.parametrize("line", ['{"message": "?"}', '{"message": "?", "level": 3}', ""])
def test_what_names_no_level_is_always_told(line: str) -> None:
    assert is_told(line, "CRITICAL")


def test_a_librarys_line_is_told_by_its_level() -> None:
    line = "[WARNING]\t2026-11-25T10:00:00.000Z\t7b7cc8d1\tConnection pool is full"
    assert [level for level in (None, *LEVELS) if is_told(line, level)] == [None, "DEBUG", "INFO", "WARNING"]
