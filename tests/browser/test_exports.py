"""The page of an export in a real browser: progress without a reload, and the download."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from logs.exports import launch
from logs.storage.export_items import ExportItem
from tests.exports import empty_exports_table
from tests.items import make_item, store
from tests.pages import LISTING

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("logs_table")]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> Callable[[str, str], None]:
    """Let exports wait until the test starts their worker. Return the function that starts it."""
    monkeypatch.setenv("LOGS_EXPORTS_FOLDER", str(tmp_path))
    settings.LOGS_EXPORT_ROWS = 10
    start = launch.start
    monkeypatch.setattr(launch, "start", lambda owner, export_id: None)
    return start


def test_progress_is_shown_until_the_download(page: Page, start: Callable[[str, str], None]) -> None:
    store(make_item(number) for number in range(40))
    page.clock.install()
    page.goto(f"{LISTING}?account_id=7&limit=25")
    page.keyboard.press("x")
    page.get_by_role("button", name="Export", exact=True).click()
    job, cancel = page.locator("#logs-job"), page.get_by_role("button", name="Cancel")
    expect(job).to_contain_text("Waiting: 0 of 40 rows")
    [item] = ExportItem.scan()
    cancel.focus()
    leased = ExportItem.leased_until.set(item.leased_until + 3_600)
    item.update(actions=[leased, ExportItem.rows.set(10)])
    page.clock.run_for(2_000)
    expect(job).to_contain_text("Running: 10 of 40 rows")
    expect(page.locator("progress")).to_have_attribute("value", "25")
    expect(cancel).to_be_focused()
    item.update(actions=[ExportItem.leased_until.set(0)])
    start(item.owner, item.id)
    download_link = page.get_by_role("link", name="Download")
    while not download_link.is_visible():
        page.clock.run_for(2_000)
    expect(download_link).to_be_focused()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "logs-account_id-7.csv.gz"
    rows = gzip.decompress(download.value.path().read_bytes()).decode().splitlines()
    assert len(rows) == 41
    empty_exports_table()
