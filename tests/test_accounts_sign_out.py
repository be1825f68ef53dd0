"""Signing out deletes the session in DynamoDB, not only the cookie."""

import pytest
from django.test import Client

from logsite.accounts.store import SessionItem


def test_signing_out_deletes_the_session(viewer_client: Client) -> None:
    key = viewer_client.cookies["sessionid"].value.partition(".")[0]
    assert SessionItem.get(key, consistent_read=True)

    response = viewer_client.post("/admin/logout/")

    assert response.status_code == 200
    with pytest.raises(SessionItem.DoesNotExist):
        SessionItem.get(key, consistent_read=True)


def test_cookie_is_invalid_after_signing_out(viewer_client: Client) -> None:
    cookie = viewer_client.cookies["sessionid"].value
    viewer_client.post("/admin/logout/")

    thief = Client()
    thief.cookies["sessionid"] = cookie

    assert thief.get("/admin/password_change/").status_code == 302
