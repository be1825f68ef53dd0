"""A country, platform or browser in another letter case finds the logs of all spellings seen so far."""

from typing import Any
from unicodedata import normalize
from urllib.parse import quote

import pytest
from django.test import Client

from logs.models import ChoicesItem
from logs.storage.choices import ChoicesWriter, forget, spellings
from tests.api import LOGS
from tests.api import fetch as fetch_json
from tests.dynamodb_calls import counted_calls
from tests.items import make_item, store
from tests.pages import LISTING, fetch, link, press, row_ids, sentence

pytestmark = pytest.mark.usefixtures("logs_table")

NAMES = ["submitter_country", "submitter_platform", "submitter_browser"]


def store_values(name: str, *values: str) -> None:
    """Store a log with each value, and record the choices. The first log is number 1."""
    writer = ChoicesWriter()
    for value in values:
        visitor = [value if each == name else None for each in NAMES]
        writer.record("login", "password", *visitor)
    writer.write()
    store(make_item(number, **{name: value}) for number, value in enumerate(values, 1))


def numbers(*values: int) -> list[str]:
    return [make_item(number).id for number in values]


def found(client: Client, query: str) -> list[str]:
    return row_ids(fetch(client, f"?{query}"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("typed", ["germany", "GERMANY", " germAny "])
def test_other_letter_case_finds_the_logs(viewer_client: Client, name: str, typed: str) -> None:
    store_values(name, "Germany", "Ghana")
    page = fetch(viewer_client, f"?{name}={typed}")
    assert row_ids(page) == numbers(1)
    assert f'name="{name}" value="Germany"' in page
    assert "Germany" in sentence(page)
    turned = press(viewer_client, page, "Time (UTC)")
    assert row_ids(turned) == numbers(1)
    assert f'name="{name}" value="Germany"' in turned


def test_all_spellings_are_found_together(viewer_client: Client) -> None:
    store_values("submitter_country", "Germany", "GERMANY", "Ghana")
    page = fetch(viewer_client, "?submitter_country=germany")
    assert row_ids(page) == numbers(2, 1)
    assert row_ids(press(viewer_client, page, "Time (UTC)")) == numbers(1, 2)
    assert found(viewer_client, "submitter_country=germany,ghana") == numbers(3, 2, 1)


def test_value_with_a_comma_is_found_in_any_case(viewer_client: Client) -> None:
    store_values("submitter_country", "Korea, Republic of", "Ghana")
    assert found(viewer_client, "submitter_country=korea, republic of") == numbers(1)
    assert found(viewer_client, "submitter_country=korea\\, republic of,GHANA") == numbers(2, 1)


def test_exact_spelling_is_unchanged(viewer_client: Client) -> None:
    store_values("submitter_country", "Germany", "GERMANY", "germany")
    for number, spelling in enumerate(["Germany", "GERMANY", "germany"], 1):
        assert found(viewer_client, f"submitter_country={spelling}") == numbers(number)


def test_excluded_value_has_all_spellings(viewer_client: Client) -> None:
    store_values("submitter_country", "Germany", "GERMANY", "Ghana")
    assert found(viewer_client, "-submitter_country=germany") == numbers(3)
    assert found(viewer_client, "-submitter_country=GERMANY") == numbers(3, 1)


def test_value_included_and_excluded_is_an_error(viewer_client: Client) -> None:
    store_values("submitter_country", "Germany")
    page = fetch(viewer_client, "?submitter_country=germany&-submitter_country=Germany", 400)
    assert "is both included and excluded" in page


def test_value_never_seen_is_unchanged(viewer_client: Client) -> None:
    store_values("submitter_country", "Germany")
    page = fetch(viewer_client, "?submitter_country=germny")
    assert row_ids(page) == []
    assert 'name="submitter_country" value="germny"' in page
    assert link(page, "Germany") == "?submitter_country=Germany"


def test_missing_value_is_unchanged(viewer_client: Client) -> None:
    store_values("submitter_country", "Germany")
    store([make_item(2)])
    with counted_calls() as calls:
        assert found(viewer_client, "submitter_country=—") == numbers(2)
    assert calls["GetItem"] == 0


def test_types_keep_their_letter_case(viewer_client: Client) -> None:
    store_values("submitter_country", "Germany")
    page = fetch(viewer_client, "?type=LOGIN")
    assert row_ids(page) == []
    assert link(page, "login") == "?type=login"


def test_incomplete_choices_keep_the_value(viewer_client: Client) -> None:
    store_values("submitter_country", "Germany", "germany")
    forget({"countries": ["germany"]})
    assert found(viewer_client, "submitter_country=germany") == numbers(2, 1)
    assert found(viewer_client, "submitter_country=GERMANY") == numbers(1)


def test_api_keeps_the_letter_case(viewer_client: Client) -> None:
    store_values("submitter_country", "Germany")
    with counted_calls() as calls:
        assert fetch_json(viewer_client, f"{LOGS}?submitter_country=germany")["items"] == []
    assert calls["GetItem"] == 0


def test_export_finds_the_logs_in_any_case(viewer_client: Client) -> None:
    store_values("submitter_country", "Germany")
    response: Any = viewer_client.get(f"{LISTING}export/?format=csv&submitter_country=germany")
    assert make_item(1).id.encode() in b"".join(response)


@pytest.mark.parametrize(
    ("query", "lookups"),
    [
        ("account_id=7&type=login&sub_type=password", 0),
        ("submitter_city=berlin", 0),
        ("submitter_country=germany", 1),
        ("submitter_country=Germany", 1),
        ("submitter_country=germany,ghana&submitter_browser=firefox&-submitter_platform=ios", 1),
        # An empty page suggests values. It reads the choices once for both.
        ("submitter_country=germny", 1),
        ("type=logn", 1),
    ],
)
def test_page_counts_one_read_of_the_choices(viewer_client: Client, query: str, lookups: int) -> None:
    store_values("submitter_country", "Germany", "Ghana")
    with counted_calls() as calls:
        response = viewer_client.get(f"{LISTING}?{query}")
    assert calls["GetItem"] == lookups
    cost = response.context["listing"].cost
    assert cost.queries == calls["Query"] + lookups
    assert cost.read_units == 0.5 * cost.queries


def test_next_page_does_not_read_the_choices(viewer_client: Client) -> None:
    store_values("submitter_country", *["Germany", "GERMANY"] * 2)
    page = fetch(viewer_client, "?submitter_country=germany&limit=3")
    # The link holds the spellings of its first page, whatever was seen since.
    forget({"countries": ["Germany", "GERMANY"]})
    with counted_calls() as calls:
        assert found(viewer_client, link(page, "Next ›").removeprefix("?")) == numbers(1)
    assert calls["GetItem"] == 0


def test_too_many_spellings_are_an_error(viewer_client: Client) -> None:
    texts = {f"{number:07b}".replace("0", "a").replace("1", "A") for number in range(128)}
    store_values("submitter_browser", *texts)
    page = fetch(viewer_client, f"?submitter_browser={'A' * 6}a,aAaAaAa")
    assert len(row_ids(page)) == 2
    forget({"browsers": ["aaaaaaa"]})
    assert "values; at most" in fetch(viewer_client, "?submitter_browser=aaaaaaa", 400)


def test_page_reads_choices_only_if_needed(viewer_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChoicesItem.Meta, "table_name", "NoSuchTable")
    assert viewer_client.get(f"{LISTING}?submitter_country=germany").status_code == 503
    assert viewer_client.get(f"{LISTING}?account_id=7").status_code == 200


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_in_both_forms_are_one_spelling(viewer_client: Client, form: Any) -> None:
    store_values("submitter_country", *(normalize(each, "Réunion") for each in ("NFC", "NFD")))
    assert found(viewer_client, f"submitter_country={quote(normalize(form, 'RÉUNION'))}") == numbers(2, 1)
    assert found(viewer_client, f"submitter_country={quote(normalize(form, 'Réunion'))}") == numbers(2, 1)


@pytest.mark.parametrize(
    ("value", "choices", "is_complete", "expected"),
    [
        ("germany", ["Germany"], True, ["Germany"]),
        ("germany", ["Germany"], False, ["germany", "Germany"]),
        ("Germany", ["Germany", "GERMANY"], False, ["Germany"]),
        ("germany", ["Ghana"], True, ["germany"]),
        ("germany", ["Germany "], True, ["germany"]),
        ("germany", [], True, ["germany"]),
        ("STRASSE", ["Straße", "strasse"], True, ["Straße", "strasse"]),
        ("re\u0301union", ["R\u00c9UNION", "RE\u0301UNION"], True, ["RE\u0301UNION"]),
    ],
)
def test_spellings_differ_in_letter_case_only(
    value: str, choices: list[str], is_complete: bool, expected: list[str]
) -> None:
    assert spellings(value, choices, is_complete) == expected
