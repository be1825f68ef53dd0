"""No page and no command of the site uses an SQL database. A query would raise, because there is none."""

import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    """Yield the address of each route, with a dummy value for every parameter."""
    for pattern in patterns:
        if not isinstance(pattern.pattern, RoutePattern):
            continue  # MORE_ADDRESSES has the admin's two regular expressions.
        address = prefix + re.sub("<.+?>", "1", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, address)
        else:
            yield address


MORE_ADDRESSES = [
    "/admin/logs/",
    "/admin/accounts/",
    "/admin/nothing/of/that/name/",
    "/admin/r/1/1/",
    "/admin/r/logs.log/1/",
    "/admin/autocomplete/?app_label=admin&model_name=logentry&field_name=user",
    "/admin/logs/log/1/history/",
    "/admin/logs/log/1/delete/",
    "/admin/logs/log/add/",
    "/admin/auth/user/",
    "/admin/jsi18n/",
]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("address", sorted({*addresses(get_resolver().url_patterns), *MORE_ADDRESSES}))
def test_page_uses_no_sql(address: str, method: str, superuser_client: Client) -> None:
    assert getattr(superuser_client, method)(address).status_code < 500


@pytest.mark.parametrize(
    "address", ["", "password_change/", "password_change/done/", "jsi18n/", "login/?next=/admin/"]
)
def test_admin_page_loads(address: str, superuser_client: Client) -> None:
    response = superuser_client.get(f"/admin/{address}", follow=True)

    assert response.status_code == 200


def test_view_on_site_is_not_found(superuser_client: Client) -> None:
    assert superuser_client.get("/admin/r/1/1/").status_code == 404


def test_index_has_no_recent_actions(superuser_client: Client) -> None:
    assert "recent-actions" not in superuser_client.get("/admin/logs/").content.decode()


def test_deployment_commands_use_no_sql() -> None:
    assert settings.DATABASES == {} or settings.DATABASES["default"]["ENGINE"].endswith("dummy")

    call_command("check")
    call_command("check", "--deploy")
    call_command("makemigrations", "--check", "--dry-run")
