"""The Lambda function of the digests builder: its metrics, its log lines and its errors."""

import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError
from pynamodb.exceptions import QueryError

from logs.digests import builder
from logs.digests.builder import Progress, Result
from logs.digests.handler import RunFailed, lambda_handler, logger
from logs.storage.digest_items import DigestItem
from tests.lambda_context import LambdaContext

DAY = date(2026, 11, 25)
REACHED = datetime(2026, 11, 25, 12, tzinfo=UTC)


class FakeBuilder:
    """A builder of two segments that then returns a result, or raises an error."""

    def __init__(self, outcome: Result | Exception) -> None:
        self.outcome = outcome
        self.seconds_left: float | None = None

    def __call__(
        self,
        *,
        deadline: Callable[[], float] | None = None,
        report: Callable[[Progress], None],
        **_: object,
    ) -> Result:
        self.seconds_left = deadline() if deadline else None
        report(Progress(DAY, 2_000, 1, REACHED))
        report(Progress(DAY, 3_000, 2, REACHED))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Callable[[Result | Exception], FakeBuilder]:
    """Return a function that replaces the builder by a fake."""

    def replace(outcome: Result | Exception) -> FakeBuilder:
        fake = FakeBuilder(outcome)
        monkeypatch.setattr(builder, "build", fake)
        return fake

    return replace


@pytest.fixture(autouse=True)
def stream(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Return the stream of the handler's log lines."""
    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    return stream


def log_line(stream: io.StringIO) -> dict[str, Any]:
    """Return the only log line."""
    line: dict[str, Any] = json.loads(stream.getvalue())
    return line


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the metrics. Powertools prints them."""
    values: dict[str, Any] = json.loads(capsys.readouterr().out or "{}")
    return values


def test_run_emits_counts_and_seconds_behind(
    build: Callable[[Result], FakeBuilder], stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    reached = datetime.now(UTC) - timedelta(minutes=10)
    fake = build(Result(5_000, 2, reached, is_finished=True))

    assert lambda_handler({}, LambdaContext(200)) == {"logs": 5_000, "segments": 2, "is_finished": True}

    assert fake.seconds_left == 200
    line, values = log_line(stream), metrics(capsys)
    assert (line["message"], line["logs"], line["segments"], line["is_finished"]) == ("run", 5_000, 2, True)
    assert line["request_id"] == LambdaContext.aws_request_id
    assert values["service"] == "logsite-digests"
    assert (values["runs"], values["built_logs"], values["built_segments"]) == ([1], [5_000], [2])
    assert 600 <= values["seconds_behind"][0] < 660


def test_unfinished_run_is_a_success(
    build: Callable[[Result], FakeBuilder], stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    build(Result(0, 0, None, is_finished=False))

    assert lambda_handler({}, None)["is_finished"] is False

    values = metrics(capsys)
    assert values["runs"] == [1]
    assert "seconds_behind" not in values


def test_run_without_progress_is_not_counted(
    build: Callable[[Result], FakeBuilder], stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    build(Result(0, 0, REACHED, is_finished=False, has_progress=False))
    lambda_handler({}, None)
    assert "runs" not in metrics(capsys)


def test_failed_run_counts_what_it_built(
    build: Callable[[Exception], FakeBuilder], stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    build(QueryError("Failed to query items: throttled"))

    with pytest.raises(RunFailed, match=r"^QueryError$"):
        lambda_handler({}, LambdaContext())

    line, values = log_line(stream), metrics(capsys)
    assert (line["message"], line["error"]) == ("failed", "QueryError")
    assert line["reason"] == "Failed to query items: throttled"
    assert (values["built_logs"], values["built_segments"]) == ([5_000], [2])
    assert "runs" not in values


@pytest.mark.parametrize("error", [KeyError("secret value"), ParamValidationError(report="secret value")])
def test_error_that_may_quote_a_log_is_not_logged(
    build: Callable[[Exception], FakeBuilder], stream: io.StringIO, error: Exception
) -> None:
    build(error)

    with pytest.raises(RunFailed) as failure:
        lambda_handler({}, LambdaContext())

    # Lambda logs the error with its cause.
    assert failure.value.__suppress_context__
    assert failure.value.__cause__ is None
    assert "secret value" not in stream.getvalue() + str(failure.value)
    assert "test_digests_handler.py" in log_line(stream)["reason"]


def test_nothing_is_built_without_a_table(
    build: Callable[[Result], FakeBuilder],
    monkeypatch: pytest.MonkeyPatch,
    stream: io.StringIO,
    capsys: pytest.CaptureFixture[str],
) -> None:
    build(Result(1, 1, None, is_finished=True))
    monkeypatch.setattr(DigestItem.Meta, "table_name", "")

    assert lambda_handler({}, LambdaContext()) == {}

    line, values = log_line(stream), metrics(capsys)
    assert line["message"] == "digests are off"
    assert values == {}
