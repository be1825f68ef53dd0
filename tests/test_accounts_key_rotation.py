"""Rotating SECRET_KEY."""

from django.test import Client
from pytest_django import Settings


def test_a_rotated_key_ends_no_session(viewer_client: Client, settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "rotated"

    assert viewer_client.get("/admin/").status_code == 200

    # Once seen, the session is signed with the new key, and the old one can go.
    settings.SECRET_KEY_FALLBACKS = []
    assert viewer_client.get("/admin/").status_code == 200


def test_a_key_that_is_forgotten_ends_every_session(viewer_client: Client, settings: Settings) -> None:
    settings.SECRET_KEY = "rotated"

    assert viewer_client.get("/admin/").status_code == 302
