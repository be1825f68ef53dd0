"""Signing out ends the session where it lies, not in the browser alone."""

import pytest
from django.test import Client

from logsite.accounts.store import SessionItem


def test_signing_out_deletes_the_session(viewer_client: Client) -> None:
    key = viewer_client.cookies["sessionid"].value
    assert SessionItem.get(key, consistent_read=True)

    answer = viewer_client.post("/admin/logout/")

    assert answer.status_code == 200
    with pytest.raises(SessionItem.DoesNotExist):
        SessionItem.get(key, consistent_read=True)


def test_a_cookie_kept_from_before_opens_nothing(viewer_client: Client) -> None:
    key = viewer_client.cookies["sessionid"].value
    viewer_client.post("/admin/logout/")

    thief = Client()
    thief.cookies["sessionid"] = key

    assert thief.get("/admin/").status_code == 302
