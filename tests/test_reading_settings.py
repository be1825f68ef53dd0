"""The settings of `logs` have one rule for each number, and every allowed value is readable."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from logs import conf
from logs.models import MAX_SHARDS, shard_status
from tests.api import LOGS
from tests.api import fetch as fetch_json
from tests.items import make_item, store
from tests.pages import fetch, row_ids
from tests.templates import template

SHARDS = ("LOGS_SORTING_SHARDS", "LOGS_SORTING_SHARDS_READ")
BAD_NUMBERS = [0, 51, -1, "51", "", "x", "1.5", "1e1", "1_0", "٣", " 4", "9" * 5000, 1.5, True]


@pytest.mark.parametrize("name", SHARDS)
@pytest.mark.parametrize("value", BAD_NUMBERS, ids=lambda value: repr(value)[:8])
def test_invalid_shards_are_refused(name: str, value: Any, settings: Any) -> None:
    setattr(settings, name, value)
    with pytest.raises(ImproperlyConfigured) as error:
        conf.check()
    assert str(error.value) == f"{name} must be a whole number from 1 to 50, not {value!r}"


@pytest.mark.parametrize("value", ["51", "1.5"])
def test_writer_and_site_refuse_the_same_shards(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = f"LOGS_SORTING_SHARDS must be a whole number from 1 to {MAX_SHARDS}, not {value!r}"
    monkeypatch.setenv("LOGS_SORTING_SHARDS", value)
    with pytest.raises(ImproperlyConfigured, match=rule):
        conf.shards()
    run = subprocess.run(
        [sys.executable, "-c", "import ingest.writing.items"], env=os.environ, capture_output=True, text=True
    )
    assert rule in run.stderr


@pytest.mark.parametrize("name", ["SortingShards", "SortingShardsRead"])
def test_template_has_the_limit_of_shards(name: str) -> None:
    parameter = template("resources.yaml")["Parameters"][name]
    assert (parameter["MinValue"], parameter["MaxValue"]) == (1, MAX_SHARDS)


@pytest.mark.parametrize("name", SHARDS)
@pytest.mark.parametrize("shards", [2, MAX_SHARDS])
def test_listing_reads_every_number_of_shards(
    viewer_client: Client, logs_table: None, settings: Any, name: str, shards: int
) -> None:
    setattr(settings, name, shards)
    items = [make_item(n, status=shard_status(make_item(n).id, shards)) for n in range(120)]
    store([*items, make_item(120)])
    expected = [make_item(n).id for n in range(120, -1, -1)]
    assert row_ids(fetch(viewer_client, "?limit=200")) == expected
    assert [item["id"] for item in fetch_json(viewer_client, f"{LOGS}?limit=200")["items"]] == expected
    assert row_ids(fetch(viewer_client, "?user_id=12&order=oldest&limit=200")) == expected[::-1]
    assert len(row_ids(fetch(viewer_client, "?" + "&".join(f"account_id={n}" for n in range(50))))) == 50


@pytest.mark.parametrize("value", ["nan", "inf", "0", "-1", "6.1", 60, "x", True, [5]])
def test_invalid_seconds_are_refused(value: Any, settings: Any) -> None:
    settings.LOGS_MAX_SECONDS = value
    with pytest.raises(ImproperlyConfigured) as error:
        conf.check()
    rule = "must be a number of seconds above 0 and at most 6"
    assert str(error.value) == f"LOGS_MAX_SECONDS {rule}, not {value!r}"


@pytest.mark.parametrize(
    "name",
    [
        "LOGS_MAX_EXAMINED",
        "LOGS_MAX_SEARCHED",
        "LOGS_MAX_PAYLOADS",
        "LOGS_MAX_PAYLOAD_BYTES",
        "LOGS_EXPORT_ROWS",
    ],
)
@pytest.mark.parametrize("value", ["1.5", 2.5, True, "1000000001"])
def test_invalid_budget_is_refused(name: str, value: Any, settings: Any) -> None:
    setattr(settings, name, value)
    with pytest.raises(ImproperlyConfigured, match=f"{name} must be a whole number from 1 to 1000000000"):
        conf.check()


def test_smallest_budget_reads_every_log(viewer_client: Client, logs_table: None, settings: Any) -> None:
    for name in ("EXAMINED", "SEARCHED", "PAYLOADS", "PAYLOAD_BYTES"):
        setattr(settings, f"LOGS_MAX_{name}", 1)
    store(make_item(n, payload="a needle", payload_size=8) for n in range(4))
    ids, query = [], f"{LOGS}?q=needle"
    page = fetch_json(viewer_client, query)
    for _ in range(10):
        ids += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        page = fetch_json(viewer_client, f"{query}&cursor={page['next']}")
    assert ids == [make_item(n).id for n in range(3, -1, -1)]
