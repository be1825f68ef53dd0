"""`manage.py build_digests`: its range, its progress, and its errors."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from logs.digests import builder, state
from logs.digests.builder import Progress, Result
from logs.management import progress
from logs.storage.digest_items import DigestItem
from tests.proxy import disconnect

REACHED = datetime(2026, 11, 25, 12, tzinfo=UTC)


class FakeBuilder:
    """A builder that records its arguments, reports one segment, and then calls a function."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.arguments: dict[str, Any] = {}
        self._then = then
        self.is_finished = True

    def __call__(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        rebuild: bool = False,
        shards: int | None = None,
        deadline: Callable[[], float] | None = None,
        report: Callable[[Progress], None],
    ) -> Result:
        self.arguments = {"start": start, "end": end, "rebuild": rebuild, "deadline": deadline}
        report(Progress(date(2026, 11, 25), 2_000, 1, REACHED))
        self._then()
        return Result(2_000, 1, REACHED, is_finished=self.is_finished)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeBuilder:
    """Replace the builder by a fake."""
    fake = FakeBuilder()
    monkeypatch.setattr(builder, "build", fake)
    return fake


def run(*arguments: str, **options: Any) -> str:
    """Return the output of the command."""
    output = StringIO()
    call_command("build_digests", *arguments, stdout=output, **options)
    return output.getvalue()


def test_command_without_options_continues(fake: FakeBuilder) -> None:
    assert run() == "Built 1 segments of 2,000 logs.\n"
    assert fake.arguments == {"start": None, "end": None, "rebuild": False, "deadline": None}
    assert run(verbosity=0) == ""


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-25", datetime(2026, 11, 25, tzinfo=UTC)),
        ("2026-11-25T13:00Z", datetime(2026, 11, 25, 13, tzinfo=UTC)),
        ("2026-11-25T13:00+02:00", datetime(2026, 11, 25, 11, tzinfo=UTC)),
    ],
)
def test_range_reaches_the_builder(fake: FakeBuilder, text: str, time: datetime) -> None:
    run("--from", text, "--to", "2026-11-26", "--rebuild")
    assert fake.arguments["start"] == time
    assert fake.arguments["end"] == datetime(2026, 11, 26, tzinfo=UTC)
    assert fake.arguments["rebuild"] is True


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "soon"], r"--from: must be a time or a date in ISO 8601, such as .*, not 'soon'"),
        (["--to", "2026-13-01"], r"--to: must be a time or a date in ISO 8601, such as .*, not '2026-13-01'"),
        (["--from", "0001-01-01T00:00+14:00"], r"--from: must be a time or a date in ISO 8601"),
        (["--to", "\u202e1"], r"--to: must be .*, not '\\u202e1'"),
        (
            ["--from", "2026-11-26", "--to", "2026-11-25"],
            r"^--from must be before --to, not 2026-11-26T\S+ and 2026-11-25T\S+\.$",
        ),
        (["--from", "2026-11-26", "--to", "2026-11-26"], r"^--from must be before --to"),
    ],
)
def test_wrong_range_is_an_error(fake: FakeBuilder, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*arguments)
    assert fake.arguments == {}


def test_empty_table_name_is_an_error(fake: FakeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DigestItem.Meta, "table_name", "")
    with pytest.raises(CommandError, match=r"^Digests are off\. Set DIGESTS_TABLE"):
        run()


def test_missing_table_is_an_error(fake: FakeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DigestItem.Meta, "table_name", "NoSuchTable")
    with pytest.raises(CommandError, match=r"^The table NoSuchTable does not exist\. Run `manage\.py create"):
        run()


def test_unreachable_engine_is_an_error(fake: FakeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    disconnect(monkeypatch)
    with pytest.raises(CommandError, match=r"^DynamoDB refused: .*Run the command again to build"):
        run()


@pytest.mark.usefixtures("digests_table")
def test_format_of_another_python_is_an_error(fake: FakeBuilder) -> None:
    state.change(state.State(), format=("1 99.0.0 little", "3.99.1"))
    with pytest.raises(
        CommandError, match=r"'1 99\.0\.0 little' with Python 3\.99\.1\..*with Python 3\.99\.1 and"
    ):
        run()
    assert fake.arguments == {}


def test_unfinished_build_is_an_error(fake: FakeBuilder) -> None:
    fake.is_finished = False
    with pytest.raises(CommandError, match=r"^Not finished: another builder.*Run the command again") as error:
        run()
    assert error.value.returncode == 1


def interrupt() -> None:
    """Do as Ctrl-C does."""
    raise KeyboardInterrupt


def test_interrupt_is_an_error_without_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "build", FakeBuilder(interrupt))
    with pytest.raises(CommandError, match=r"^Interrupted\. Run the command again") as error:
        run()
    assert error.value.returncode == 130


def test_progress_shows_the_time_reached(fake: FakeBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    run()
    last_update = capsys.readouterr().err.rpartition("\r")[2]
    assert last_update.startswith("Digests: 2000log ")
    assert "2026-11-25T12:00:00.000000+00:00" in last_update


def test_progress_without_tqdm_is_lines(
    fake: FakeBuilder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_tqdm", None)
    run()
    assert capsys.readouterr().err == "2026-11-25: 2,000 logs\n"
