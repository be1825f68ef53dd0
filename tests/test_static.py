"""Static files as production sends them: collected, compressed, kept for ever, under the stage's prefix."""

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
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Collect the static files as a deployment does, with the settings that it has."""
    folder = tmp_path_factory.mktemp("staticfiles")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("STAGE_PREFIX", "/dev")
        production = runpy.run_path(str(ROOT / "logsite" / "settings.py"))
    names = ("STATIC_URL", "FORCE_SCRIPT_NAME", "STORAGES", "MIDDLEWARE", "WHITENOISE_ALLOW_ALL_ORIGINS")
    with override_settings(STATIC_ROOT=folder, **{name: production[name] for name in names}):
        call_command("collectstatic", "--noinput", verbosity=0)
        set_script_prefix("/dev/")
        yield folder
        clear_script_prefix()


@pytest.fixture
def links(collected: Path) -> list[str]:
    """Return the static files that the login page names."""
    page = Client().get("/admin/login/").content.decode()
    found = re.findall(r'(?:href|src)="([^"]*/static/[^"]*)"', page)
    assert found
    return found


def test_a_page_names_them_with_the_prefix_and_a_hash(links: list[str]) -> None:
    assert [link for link in links if not re.fullmatch(r"/dev/static/.+\.[0-9a-f]{12}\.\w+", link)] == []


def test_they_are_compressed_and_kept_for_ever(links: list[str]) -> None:
    style = next(link for link in links if link.endswith(".css")).removeprefix("/dev")
    plain = Client().get(style)
    packed = Client().get(style, headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(b"".join(packed)) == b"".join(plain)
    assert packed["Cache-Control"] == "max-age=315360000, public, immutable"
    assert "Access-Control-Allow-Origin" not in packed


@pytest.mark.usefixtures("collected")
def test_the_api_docs_have_their_files(viewer_client: Client) -> None:
    page = viewer_client.get("/api/docs").content.decode()
    found = re.findall(r'(?:href|src)="([^"]*/static/[^"]*)"', page)
    assert len(found) >= 3
    assert [link for link in found if viewer_client.get(link.removeprefix("/dev")).status_code != 200] == []


def test_every_file_of_ours_is_there(collected: Path) -> None:
    for name in ("logs/logs.css", "logs/listing.js", "logsite/favicon.svg"):
        assert (collected / name).exists()
