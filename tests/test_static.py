"""Static files in production: collected, compressed, cached for ever, under the stage's prefix."""

import gzip
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client, override_settings
from django.urls import clear_script_prefix, set_script_prefix

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def static_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Collect the static files as a deployment does, with its settings."""
    folder = tmp_path_factory.mktemp("staticfiles")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("STAGE_PREFIX", "/dev")
        production = runpy.run_path(str(ROOT / "logsite" / "settings.py"))
    names = {"STATIC_URL", "FORCE_SCRIPT_NAME", "STORAGES", "MIDDLEWARE"}
    names |= {name for name in production if name.startswith("WHITENOISE_")}
    with override_settings(STATIC_ROOT=folder, **{name: production[name] for name in names}):
        call_command("collectstatic", "--noinput", verbosity=0)
        set_script_prefix("/dev/")
        yield folder
        clear_script_prefix()


@pytest.fixture
def links(static_root: Path) -> list[str]:
    """Return the addresses of the login page's static files."""
    addresses = static_addresses(Client().get("/admin/login/").content.decode())
    assert addresses
    return addresses


def static_addresses(page: str) -> list[str]:
    """Return the addresses of a page's static files."""
    return re.findall(r'(?:href|src)="([^"]*/static/[^"]*)"', page)


def test_static_addresses_have_prefix_and_hash(links: list[str]) -> None:
    assert [link for link in links if not re.fullmatch(r"/dev/static/.+\.[0-9a-f]{12}\.\w+", link)] == []


def test_static_files_are_compressed_and_immutable(links: list[str]) -> None:
    style = next(link for link in links if link.endswith(".css")).removeprefix("/dev")
    plain = Client().get(style)
    compressed = Client().get(style, headers={"Accept-Encoding": "gzip"})
    assert compressed["Content-Encoding"] == "gzip"
    assert gzip.decompress(b"".join(compressed)) == b"".join(plain)
    assert compressed["Cache-Control"] == "max-age=315360000, public, immutable"
    assert "Access-Control-Allow-Origin" not in compressed


@pytest.mark.usefixtures("static_root")
def test_api_docs_load_their_static_files(viewer_client: Client) -> None:
    links = static_addresses(viewer_client.get("/api/docs").content.decode())
    assert len(links) >= 3
    assert [link for link in links if viewer_client.get(link.removeprefix("/dev")).status_code != 200] == []


def test_logsites_own_files_are_collected(static_root: Path) -> None:
    for name in ("logs/logs.*.css", "logs/filter.*.js", "logsite/favicon.*.svg"):
        [_] = static_root.glob(name)


# The scripts with a limit of their own, in bytes. All others share one.
LIMITS = {
    "added_rows.js": 2_500,
    "freshness.js": 1_500,
    "jobs.js": 2 * 1024,
    "live.js": 4 * 1024,
    "numbers.js": 3 * 1024,
}
SHARED_LIMIT = 20 * 1024


def test_scripts_are_small() -> None:
    folder = ROOT / "logs" / "static" / "logs"
    sizes = {path.name: path.stat().st_size for path in folder.glob("*.js")}
    assert all(0 < sizes.pop(name) <= limit for name, limit in LIMITS.items())
    assert 0 < sum(sizes.values()) <= SHARED_LIMIT
    assert (ROOT / "logsite" / "static" / "logsite" / "dead_letters.js").stat().st_size <= 3 * 1024
