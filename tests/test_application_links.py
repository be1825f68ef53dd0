"""LOGS_LINKS leads from fields into the main application, and LOGS_LABELS names ids."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from logs import conf
from logs.pages.labels import read_labels
from tests.items import make_item, store
from tests.pages import fetch, link

SHOP = "https://shop.example/{object_type}s/{object_id}?by={user_id}"


def page_of(client: Client, **fields: Any) -> str:
    store([make_item(**fields)])
    return fetch(client, f"{make_item().id}/change/")


@pytest.mark.usefixtures("logs_table")
def test_fields_link_into_the_main_application(
    viewer_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = f'{{"object": "{SHOP}", "user_id": "http://crm.example:81/u/{{user_id}}"}}'
    monkeypatch.setenv("LOGS_LINKS", links)
    page = page_of(viewer_client, object_type="invoice", object_id="a/../b&c", user_id="ü <1>")
    assert page.count('href="https://shop.example/invoices/a%2F..%2Fb%26c?by=%C3%BC%20%3C1%3E"') == 2
    assert page.count('href="http://crm.example:81/u/%C3%BC%20%3C1%3E" rel="noopener noreferrer"') == 1
    assert "crm.example" not in page_of(viewer_client, user_id="0")
    for missing in ({}, {"object_type": "invoice", "object_id": ".."}):
        assert "shop.example" not in page_of(viewer_client, **missing)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{", "LOGS_LINKS must be a JSON object such as"),
        ("[]", "LOGS_LINKS must be a JSON object such as"),
        ({"nonsense": "https://a.example/"}, "LOGS_LINKS has the field 'nonsense': use account_id, user_id"),
        ({"url": 1}, "LOGS_LINKS: the URL of url must be a text, not 1"),
        ({"url": "javascript:alert(1)"}, "must begin with http:// or https://"),
        ({"url": "//a.example/"}, "must begin with http:// or https://"),
        (
            {"url": "https://{user_id}.a.example/"},
            "a host without braces, not 'https://{user_id}.a.example/'",
        ),
        ({"url": "https://a.example/{name}"}, "may have only these names in braces: account_id"),
        ({"url": "https://a.example/{url!r}"}, "may have only these names in braces: account_id"),
        ({"url": "https://a.example/{url.x}"}, "may have only these names in braces: account_id"),
        ({"url": "https://a.example/{"}, "must be a URL with names of fields in braces"),
    ],
)
def test_wrong_links_stop_the_start(settings: Any, value: Any, message: str) -> None:
    settings.LOGS_LINKS = value
    with pytest.raises(ImproperlyConfigured) as error:
        conf.check()
    assert message in str(error.value)


@pytest.mark.parametrize("value", ["a/", "a,,b", "/", 7, ["a", 1], "a/b/c"])
def test_wrong_change_names_stop_the_start(settings: Any, value: Any) -> None:
    settings.LOGS_CHANGES = value
    with pytest.raises(ImproperlyConfigured) as error:
        conf.check()
    assert str(error.value).endswith(f"such as changes or before/after, not {value!r}")


def test_change_names_are_a_text_or_a_list(settings: Any) -> None:
    settings.LOGS_CHANGES = " diff, a/b "
    assert conf.change_names() == ("diff", "a/b")
    settings.LOGS_CHANGES = ["diff"]
    assert conf.change_names() == ("diff",)


def labels(kind: str, ids: Sequence[str]) -> dict[str, str]:
    return {each: f"<{kind} {each}>" for each in ids}


def fail(kind: str, ids: Sequence[str]) -> dict[str, str]:
    raise LookupError(kind)


@pytest.mark.usefixtures("logs_table")
def test_labels_name_ids_without_a_name(viewer_client: Client, settings: Any) -> None:
    settings.LOGS_LABELS = f"{__name__}.labels"
    page = page_of(viewer_client, object_type="invoice", object_id="4711", account_name="Nord")
    assert link(page, "user 12 (&lt;user 12&gt;)")
    assert link(page, "account 7 (Nord)")
    assert link(page, "invoice:4711 (&lt;object invoice:4711&gt;)")
    assert "<user" not in page
    timelines = fetch(viewer_client, f"{make_item().id}/timelines/")
    assert "History of <bdi>&lt;object invoice:4711&gt;</bdi>" in timelines
    assert "by <bdi>&lt;user 12&gt;</bdi>" in timelines


@pytest.mark.parametrize(
    "function", [fail, lambda kind, ids: None, lambda kind, ids: [1], "tests.no_such.module", len]
)
def test_failing_labels_are_logged(
    settings: Any, caplog: pytest.LogCaptureFixture, function: str | Callable[..., Any]
) -> None:
    settings.LOGS_LABELS = function
    with caplog.at_level(logging.ERROR):
        assert read_labels("user", ["1"]) == {}
    assert [record.getMessage() for record in caplog.records] == ["LOGS_LABELS failed for kind user"]


def test_labels_are_limited(settings: Any) -> None:
    calls: list[Sequence[str]] = []

    def record(kind: str, ids: Sequence[str]) -> dict[str, Any]:
        calls.append(ids)
        return {"1": "x" * 300, "2": None, "3": 3, "other": "x"}

    settings.LOGS_LABELS = record
    assert read_labels("user", ["1", "2", "3", "", "1"]) == {"1": "x" * 200, "3": "3"}
    assert calls == [["1", "2", "3"]]
    read_labels("user", map(str, range(5000)))
    assert len(calls[1]) == 1000
    assert read_labels("user", []) == {}


@pytest.mark.parametrize("value", [7, "", "labels", "a b.c", "a..b"])
def test_wrong_label_function_stops_the_start(settings: Any, value: Any) -> None:
    settings.LOGS_LABELS = value
    with pytest.raises(ImproperlyConfigured, match="LOGS_LABELS must be a function or its dotted path"):
        conf.check()


@pytest.mark.parametrize("value", ["tests.no_such.labels", "tests.items.nothing", "tests.items.START"])
def test_check_reports_an_unknown_label_function(settings: Any, value: str) -> None:
    def reported() -> list[str | None]:
        return [message.id for message in run_checks() if message.id == "logs.E002"]

    settings.LOGS_LABELS = f"{__name__}.labels"
    assert reported() == []
    settings.LOGS_LABELS = value
    assert reported() == ["logs.E002"]
