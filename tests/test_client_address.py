"""The client's address: never one that the client can choose."""

from typing import Any

import pytest
from django.test import Client, RequestFactory

from logsite.accounts.models import User
from logsite.client_address import client_address
from tests.conftest import PASSWORD

LOGIN = "/admin/login/"


def address(forwarded: str | None = None, **environ: Any) -> str:
    headers = {"x-forwarded-for": forwarded} if forwarded is not None else {}
    return client_address(RequestFactory().get("/", headers=headers, **environ))


def test_default_is_the_connections_own_address() -> None:
    assert address(REMOTE_ADDR="203.0.113.7") == "203.0.113.7"
    assert address("10.0.0.1", REMOTE_ADDR="203.0.113.7") == "203.0.113.7"
    assert address("10.0.0.1", REMOTE_ADDR="") == ""


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "10.0.0.1, 203.0.113.7", "203.0.113.7"),
        (2, "10.0.0.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (2, "203.0.113.7", "127.0.0.1"),
        (1, "", "127.0.0.1"),
        (1, "10.0.0.1, ", "127.0.0.1"),
        (1, None, "127.0.0.1"),
    ],
)
def test_trusted_proxy_names_the_address(
    settings: Any, proxies: int, forwarded: str | None, expected: str
) -> None:
    settings.TRUSTED_PROXY = proxies
    assert address(forwarded) == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"requestContext": {"identity": {"sourceIp": "203.0.113.7"}}}, "203.0.113.7"),
        ({"requestContext": {"identity": {"sourceIp": 7}}}, ""),
        ({"requestContext": {"identity": None}}, ""),
        ({"requestContext": None}, ""),
        ({}, ""),
    ],
)
def test_api_gateway_names_the_address(event: Any, expected: str) -> None:
    environ = {"lambda.event": event, "REMOTE_ADDR": "10.0.0.1"}  # Zappa's: chosen by the client
    assert address("10.0.0.1, 203.0.113.7", **environ) == expected


def post_behind_proxy(viewer: User) -> Any:
    """Sign in as through a proxy that ends TLS."""
    client = Client(enforce_csrf_checks=True)
    headers = {"host": "testserver", "x-forwarded-proto": "https", "origin": "https://testserver"}
    client.get(LOGIN, headers=headers)
    form = {
        "username": viewer.username,
        "password": PASSWORD,
        "csrfmiddlewaretoken": client.cookies["csrftoken"].value,
    }
    return client.post(LOGIN, form, headers=headers)


def test_sign_in_behind_a_trusted_proxy_works(viewer: User, settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    response = post_behind_proxy(viewer)
    assert response.status_code == 302
    assert response["Strict-Transport-Security"] == "max-age=31536000"


def test_sign_in_behind_an_unknown_proxy_is_403(viewer: User) -> None:
    response = post_behind_proxy(viewer)
    assert response.status_code == 403
    assert "Strict-Transport-Security" not in response
