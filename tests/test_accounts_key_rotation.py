"""Rotating SECRET_KEY."""

from django.test import Client
from pytest_django import Settings


def test_rotated_key_keeps_sessions(viewer_client: Client, settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "rotated"

    assert viewer_client.get("/admin/password_change/").status_code == 200

    # The first request signs the session with the new key, so the old key is no longer needed.
    settings.SECRET_KEY_FALLBACKS = []
    assert viewer_client.get("/admin/password_change/").status_code == 200


def test_removed_key_ends_every_session(viewer_client: Client, settings: Settings) -> None:
    settings.SECRET_KEY = "rotated"

    assert viewer_client.get("/admin/password_change/").status_code == 302
