"""Types, countries and other values are recorded, suggested in the filter, and never fail a log."""

import difflib
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils.html import strip_tags

from ingest import handler
from logs import reader
from logs.models import ChoicesItem
from logs.storage import choices
from logs.storage.choices import KINDS, VISITOR_KINDS, ChoicesWriter, nearest
from logsite.local.processes import ROOT
from tests.dynamodb_calls import counted_calls
from tests.factories import make_body, make_event
from tests.items import logs, make_item, store
from tests.lambda_context import LambdaContext
from tests.pages import LISTING, fetch, link, row_ids
from tests.proxy import proxied

pytestmark = pytest.mark.usefixtures("logs_table")


class Clock:
    """Replaces the module `time` in `logs.storage.choices`."""

    def __init__(self) -> None:
        self.now = 1_800_000_000

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


def item_size() -> int:
    """Return the size of the item as DynamoDB counts it: names and values in UTF-8.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    size = 0
    for name, typed_value in ChoicesItem.get("choices").serialize().items():
        [value] = typed_value.values()
        size += len(name) + sum(len(text.encode()) for text in ([value] if isinstance(value, str) else value))
    return size


HOUR, WEEK = 3600, 7 * 24 * 3600
VISITORS = ("submitter_country", "submitter_platform", "submitter_browser")
NO_VISITORS: dict[str, list[str]] = {name: [] for name in VISITORS}


@pytest.fixture(autouse=True)
def _new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "choices_writer", ChoicesWriter())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return a clock that only a test moves."""
    clock = Clock()
    monkeypatch.setattr(choices, "time", clock)
    return clock


def write(*types: str, sub_type: str = "a") -> None:
    bodies = [make_body(type=type_, sub_type=sub_type) for type_ in types]
    assert handler.lambda_handler(make_event(*bodies), None) == {"batchItemFailures": []}


def record(writer: ChoicesWriter, *types: str, sub_type: str = "a") -> None:
    for type_ in types:
        writer.record(type_, sub_type)
    writer.write()


def flood(number: int, name: str = "invented") -> None:
    """Write logs of so many different types, 50 per invocation."""
    types = [f"{name}-{each}" for each in range(number)]
    for start in range(0, number, 50):
        write(*types[start : start + 50])


def test_writer_records_each_value_once() -> None:
    write("login", "Logout", "login", "view", sub_type="password")
    assert reader.choices() == reader.Choices(["login", "Logout", "view"], ["password"])
    with counted_calls() as calls:
        handler.lambda_handler(make_event(make_body(type="login", sub_type="password")), None)
    assert "UpdateItem" not in calls


def test_writer_records_country_platform_and_browser() -> None:
    values = {
        "submitter_country": "Japan",
        "submitter_platform": "iOS",
        "submitter_browser": " Mobile Safari 26 ",
    }
    handler.lambda_handler(make_event(make_body(**values), make_body(submitter_country="Chile")), None)
    seen = reader.choices()
    assert [seen.values(name) for name in VISITORS] == [["Chile", "Japan"], ["iOS"], ["Mobile Safari 26"]]
    assert all(map(seen.is_complete, VISITORS))


def test_older_item_without_new_attributes_is_read() -> None:
    write("login")
    removed = [getattr(ChoicesItem, kind).remove() for kind in VISITOR_KINDS]
    choices.read().update(actions=[*removed])
    seen = reader.choices()
    assert seen.types == ["login"]
    assert seen.is_complete("type")
    assert not any(map(seen.is_complete, VISITORS))
    writer = ChoicesWriter()
    writer.record("login", "a", "Japan")
    writer.write()
    seen = reader.choices()
    assert (seen.countries, seen.countries_complete, seen.types_complete) == (["Japan"], False, True)


def test_full_browsers_are_written_once_an_hour(clock: Clock) -> None:
    writer = ChoicesWriter()
    with counted_calls() as calls:
        for number in range(400):
            writer.record("login", "a", "Japan", "iOS", f"Browser {number}.0.{number}")
            writer.write()
    # One write for each browser until the attribute is full.
    assert 120 < calls["UpdateItem"] < 200
    assert calls["UpdateItem"] == calls["GetItem"]
    assert choices.is_full("browsers", choices.read().browsers)
    clock.now += HOUR
    with counted_calls() as calls:
        for number in range(400, 420):
            writer.record("login", "a", "Japan", "iOS", f"Browser {number}")
            writer.write()
    assert calls == {"GetItem": 1, "UpdateItem": 1}
    assert {"Browser 0.0.0", "Browser 400"} <= set(choices.read().browsers)
    record(writer, "new")
    assert {"Browser 401", "Browser 419"} <= set(choices.read().browsers)


def test_flood_of_browsers_keeps_two_thirds(clock: Clock) -> None:
    writer = ChoicesWriter()
    for number in range(100):
        writer.record("login", "a", browser=f"Firefox {number}")
    writer.write()
    clock.now += 1
    for number in range(2_000):
        writer.record("login", "a", browser=f"invented browser {number}")
        if number % 50 == 0:
            writer.write()
            clock.now += HOUR // 10
    assert {f"Firefox {number}" for number in range(100)} <= set(choices.read().browsers)


def test_new_process_loads_all_values_at_once() -> None:
    first, second = ChoicesWriter(), ChoicesWriter()
    record(first, "login", "logout", "view")
    with counted_calls() as calls:
        record(second, "login", "logout", "view")
        record(second, "view")
    assert calls == {"GetItem": 1}
    record(second, "new")
    assert reader.choices().types == ["login", "logout", "new", "view"]


def test_invocation_writes_all_new_values_at_once() -> None:
    with counted_calls() as calls:
        write(*(f"type-{number}" for number in range(40)))
    assert (calls["GetItem"], calls["UpdateItem"]) == (1, 1)
    assert len(reader.choices().types) == 40


def test_last_log_of_a_value_is_refreshed_hourly(clock: Clock) -> None:
    writer, other = ChoicesWriter(), ChoicesWriter()
    record(writer, "login", "view")
    record(other, "login", "view")
    first = clock.now
    with counted_calls() as calls:
        clock.now += HOUR - 1
        record(writer, "login")
        clock.now += 1
        record(writer, "login")
    assert calls == {"GetItem": 1, "UpdateItem": 1}
    assert choices.read().types == {"login": [first, first + HOUR], "view": [first, first]}
    with counted_calls() as calls:
        record(other, "login")
    assert calls == {"GetItem": 1}


def test_concurrent_writers_lose_no_value() -> None:
    writers = [ChoicesWriter() for _ in range(8)]

    def record_ten(number: int) -> None:
        for each in range(10):
            writer = writers[number]
            record(writer, f"{number}-{each}", "shared", sub_type=f"{number}")
            writer._resume = 0.0

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(record_ten, range(8)))
    for writer in writers:
        record(writer, "shared")
    expected = {f"{number}-{each}" for number in range(8) for each in range(10)} | {"shared"}
    assert choices.read().types.keys() == expected
    assert choices.read().sub_types.keys() == {"a", *(str(number) for number in range(8))}


def test_write_after_a_conflict_keeps_both_values(monkeypatch: pytest.MonkeyPatch) -> None:
    update, other = choices._update, ChoicesWriter()

    def update_second(item: ChoicesItem, incomplete: Any) -> bool:
        monkeypatch.setattr(choices, "_update", update)
        record(other, "logout")
        return update(item, incomplete)

    monkeypatch.setattr(choices, "_update", update_second)
    record(ChoicesWriter(), "login")
    assert reader.choices().types == ["login", "logout"]


@pytest.mark.parametrize("value", ["", "x" * 101, "é" * 51])
def test_empty_or_long_value_is_not_recorded(value: str) -> None:
    writer = ChoicesWriter()
    with counted_calls() as calls:
        record(writer, "login", sub_type=value)
        record(writer, "login", sub_type=value)
    assert calls == {"GetItem": 1, "UpdateItem": 1}
    assert reader.choices().sub_types == []


def test_flood_of_types_keeps_the_existing_types(viewer_client: Client) -> None:
    write("login", "logout")
    flood(1_500)
    assert {"login", "logout"} <= set(reader.choices().types)
    assert len(reader.choices().types) == 300
    write("payment")
    assert link(fetch(viewer_client, "?type=Logn"), "login") == "?type=login"
    assert link(fetch(viewer_client, "?type=paymnt"), "payment") == "?type=payment"


def test_flood_of_types_is_replaced_after_a_week(clock: Clock) -> None:
    flood(400)
    clock.now += WEEK + 1
    real = [f"real-{number:03}" for number in range(250)]
    for start in range(0, 250, 50):
        write(*real[start : start + 50])
    assert set(real) <= set(reader.choices().types)
    assert len(reader.choices().types) == 300


def test_oldest_value_is_evicted_first(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "MAX_VALUES", 3)
    writer = ChoicesWriter()
    for type_ in ("a", "b", "c"):
        record(writer, type_)
        clock.now += HOUR
    record(writer, "a")
    clock.now += WEEK
    record(writer, "d")
    assert reader.choices().types == ["a", "c", "d"]


@pytest.mark.parametrize(
    "value", ["x", "é", "\x01", '"', "😀"], ids=["ascii", "utf_8", "control", "quote", "emoji"]
)
def test_choices_item_stays_below_60_kb(value: str) -> None:
    length = 97 // len(value.encode())
    writer = ChoicesWriter()
    for start in range(0, 700, 70):
        for number in range(start, start + 70):
            writer.record(*[f"{number:03}{value * length}"] * len(KINDS))
        writer.write()
    item = choices.read()
    assert 40_000 < item_size() < 60_000
    assert not choices.is_complete(item, "types")
    assert not choices.is_complete(item, "sub_types")
    assert not any(choices.is_complete(item, kind) for kind in KINDS)


@pytest.mark.parametrize(("number", "units"), [(10, 2), (300, 60)])
def test_write_costs_the_documented_units(number: int, units: int) -> None:
    """Write as many values of each kind, of 10 bytes or of the most. Compare the units with the docs."""
    writer = ChoicesWriter()
    for each in range(number):
        text = f"{each:010}" if number == 10 else f"{each:0100}"
        writer.record(*[text] * len(KINDS))
    writer.write()
    response = ChoicesItem._get_connection().update_item(
        "choices", actions=[ChoicesItem.version.set(1)], return_consumed_capacity="TOTAL"
    )
    assert units - 3 <= response["ConsumedCapacity"]["CapacityUnits"] <= units
    costs = " ".join((ROOT / "docs" / "costs.md").read_text().split())
    assert "2 write units for 50 values, 60 for the largest item" in costs


def test_memory_of_the_writer_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = ChoicesWriter()
    writer._resume = time.monotonic() + 60
    for number in range(2_000):
        writer.record(f"type-{number}", *[f"{number}"] * 4)
    writer.write()
    assert [len(seen) for seen in writer._seen.values()] == [300] * 5
    writer._resume = 0.0
    writer.write()
    assert "type-1999" in reader.choices().types


def test_full_choices_never_say_never_seen(viewer_client: Client) -> None:
    write("login")
    assert "was seen so far" in fetch(viewer_client, "?type=logn")
    flood(300)
    page = fetch(viewer_client, "?type=logn")
    assert "was seen so far" not in page
    assert "The type <strong><bdi>logn</bdi></strong> is not among the suggestions. Did you mean" in page
    assert "No log with the subtype <strong><bdi>x</bdi></strong> was" in fetch(viewer_client, "?sub_type=x")


def test_unrecordable_value_is_not_called_unknown(viewer_client: Client) -> None:
    write("x" * 101, "login")
    page = fetch(viewer_client, f"?type={'x' * 101}&account_id=99")
    assert "seen so far" not in page
    assert "suggestions" not in page


@contextmanager
def counted_comparisons(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Collect the lengths of the texts that difflib compares."""
    lengths: list[int] = []

    class Counting(difflib.SequenceMatcher[Any]):
        def set_seq1(self, a: Any) -> None:
            lengths.append(len(a))
            super().set_seq1(a)

    with monkeypatch.context() as patch:
        patch.setattr(difflib, "SequenceMatcher", Counting)
        yield lengths


def test_page_compares_three_unknown_values(viewer_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    flood(300, "invented" * 10)
    query = "?" + urlencode({"type": [f"{'invented' * 9}-{number}" for number in range(50)]}, doseq=True)
    with counted_comparisons(monkeypatch) as lengths:
        page = fetch(viewer_client, query)
    # difflib sets its first text once more when it is created.
    assert len(lengths) <= 3 * (300 + 1)
    assert max(lengths) == choices.MAX_COMPARED
    assert page.count("is not among the suggestions.") == 3
    assert "47 more values of the filter are not among the suggestions." in page


def test_joined_values_are_not_called_unknown(viewer_client: Client) -> None:
    write("login")
    page = fetch(viewer_client, "?" + urlencode({"submitter_country": "germany, kenya", "type": "login"}))
    assert page.count("was seen so far.") == 2
    assert "the country germany, kenya was" not in strip_tags(page)


def test_values_are_not_written_without_time() -> None:
    with counted_calls() as calls:
        handler.lambda_handler(make_event(make_body()), LambdaContext(11, seconds_per_call=1))
    assert (calls["PutItem"], calls["UpdateItem"]) == (1, 0)


def test_failed_update_fails_no_log_and_is_not_retried() -> None:
    attempts: Counter[str] = Counter()

    def refuse(operation: str) -> str | None:
        attempts[operation] += 1
        return "AccessDeniedException" if operation == "UpdateItem" else None

    with proxied(refuse):
        write("login", "logout", "view")
    assert len(logs()) == 3
    assert attempts["UpdateItem"] == 1


def test_choices_item_is_not_a_log(viewer_client: Client) -> None:
    write("login")
    assert reader.get("choices") is None
    assert len(row_ids(fetch(viewer_client))) == 1


def test_choices_are_read_by_their_own_view_only(viewer_client: Client, staff_client: Client) -> None:
    write("login", "logout")
    with counted_calls() as calls:
        fetch(viewer_client, "?type=login")
    assert calls == {"BatchGetItem": 1, "Query": 1}
    response = viewer_client.get(f"{LISTING}choices/")
    assert response.json() == {"type": ["login", "logout"], "sub_type": ["a"], **NO_VISITORS}
    assert staff_client.get(f"{LISTING}choices/").status_code == 403
    assert Client().get(f"{LISTING}choices/").status_code == 302


def test_choices_without_their_table_are_503(viewer_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChoicesItem.Meta, "table_name", "NoSuchTable")
    assert viewer_client.get(f"{LISTING}choices/").status_code == 503


def test_unknown_type_suggests_the_nearest(viewer_client: Client) -> None:
    write("login", "logout", "payment", "<b>")
    page = fetch(viewer_client, "?type=Logn,payment&account_id=99")
    assert "No log with the type <strong><bdi>Logn</bdi></strong> was seen so far." in page
    assert link(page, "login") == "?account_id=99&type=login&type=payment"
    page = fetch(viewer_client, "?sub_type=A")
    assert link(page, "a") == "?sub_type=a"


@pytest.mark.parametrize(
    ("name", "label"), list(zip(VISITORS, ["country", "platform", "browser"], strict=True))
)
def test_unknown_visitor_value_suggests_the_nearest(viewer_client: Client, name: str, label: str) -> None:
    handler.lambda_handler(make_event(make_body(**{name: "Germany"}), make_body(**{name: "Ghana"})), None)
    page = fetch(viewer_client, f"?{name}=Germny")
    assert f"No log with the {label} <strong><bdi>Germny</bdi></strong> was seen so far." in page
    shown = fetch(viewer_client, link(page, "Germany"))
    assert f'name="{name}" value="Germany"' in shown
    assert len(row_ids(shown)) == 1
    assert "was seen so far" not in fetch(viewer_client, f"?{name}=Germany&account_id=99")
    assert "was seen so far" not in fetch(viewer_client, f"?{name}=—&account_id=99")
    writer = ChoicesWriter()
    for number in range(300):
        writer.record("login", "a", *[f"A country, platform or browser {number}"] * 3)
    writer.write()
    assert f"The {label} <strong><bdi>Germny</bdi></strong> is not among" in fetch(
        viewer_client, f"?{name}=Germny"
    )


def test_recorded_or_matching_type_has_no_suggestion(viewer_client: Client) -> None:
    write("login")
    assert "was seen so far" not in fetch(viewer_client, "?type=login&account_id=99")
    store([make_item(1, type="old")])
    assert "was seen so far" not in fetch(viewer_client, "?type=old")


@pytest.mark.parametrize(
    ("value", "expected"),
    [("logn", ["Login", "login"]), ("LOGIN", ["Login", "login"]), ("veiw", ["view"]), ("zzz", []), ("", [])],
)
def test_nearest_ignores_case(value: str, expected: list[str]) -> None:
    assert nearest(value, ["login", "Login", "view"]) == expected


def forget(*arguments: str) -> str:
    output = StringIO()
    call_command("forget_choices", *arguments, stdout=output)
    return output.getvalue()


def test_forget_choices_deletes_named_values(viewer_client: Client) -> None:
    write("login", "evil\u202e", "worse", "100%", sub_type="a")
    assert forget("--type", "evil\\u202e", "worse", "--sub-type", "a", "--noinput") == (
        "Deleted 3 values from the suggestions.\n"
    )
    assert reader.choices() == reader.Choices(["100%", "login"], [], False, False)
    assert len(logs()) == 4
    assert "was seen so far" not in fetch(viewer_client, "?type=worse&account_id=9")
    record(ChoicesWriter(), "worse")
    assert reader.choices().types == ["100%", "login", "worse"]


def test_forget_choices_deletes_visitor_values() -> None:
    handler.lambda_handler(make_event(make_body(**dict.fromkeys(VISITORS, "x")), make_body()), None)
    assert "Deleted 3 values" in forget("--country", "x", "--platform", "x", "--browser", "x", "--noinput")
    seen = reader.choices()
    assert [seen.values(name) for name in VISITORS] == [[], [], []]
    assert not any(map(seen.is_complete, VISITORS))
    assert seen.types == ["login"]


def test_forget_choices_deletes_all() -> None:
    flood(300)
    assert "Deleted 301 values" in forget("--all", "--noinput")
    assert reader.choices() == reader.Choices([], [], False, False)
    write("login")
    assert reader.choices().types == ["login"]


def test_forget_choices_asks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    write("login")
    questions = []

    def refuse(question: str) -> str:
        questions.append(question)
        return "y"

    monkeypatch.setattr("builtins.input", refuse)
    with pytest.raises(CommandError, match="Nothing was deleted"):
        forget("--all")
    assert questions == ["Delete 2 values from the suggestions? No log is changed. Type yes: "]
    assert reader.choices().types == ["login"]
    monkeypatch.setattr("builtins.input", lambda question: "yes")
    forget("--type", "login")
    assert reader.choices().types == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Give either --all, or values"),
        (["--all", "--type", "login"], "Give either --all, or values"),
        (["--type", "login", "logn"], "do not include logn; nothing was deleted"),
        (["--sub-type", "login"], "do not include login; nothing was deleted"),
    ],
)
def test_forget_choices_rejects_wrong_arguments(arguments: list[str], words: str) -> None:
    write("login")
    with pytest.raises(CommandError, match=words):
        forget(*arguments, "--noinput")
    assert reader.choices() == reader.Choices(["login"], ["a"])


def test_forget_choices_reports_a_failure() -> None:
    write("login")
    with (
        proxied(lambda operation: "AccessDeniedException" if operation == "UpdateItem" else None),
        pytest.raises(CommandError, match="DynamoDB refused"),
    ):
        forget("--all", "--noinput")
