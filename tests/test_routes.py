"""Every route, role and method has its status. A new route must be added to the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, path

from logsite.accounts import tokens
from logsite.accounts.models import User
from tests.api import program
from tests.conftest import client_of, make_user
from tests.items import make_item, store

# POST is last, because it may end the session.
METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "POST")
# The middleware refuses TRACE for every address.
TRACE_STATUS = 405
SIGNED_IN = ("stranger", "staff", "viewer", "superuser")
PROGRAMS = ("token", "expired_token", "revoked_token")
ROLES = ("anonymous", *SIGNED_IN, *PROGRAMS)


def statuses(default: int, **exceptions: int) -> dict[str, int]:
    """Return the status of each role."""
    return {**dict.fromkeys(ROLES, default), **exceptions}


# Nobody but staff passes the admin's login, also with a valid token.
STAFF_PAGE = statuses(302, staff=200, viewer=200, superuser=200)
LOG_PAGE = statuses(302, staff=403, viewer=200, superuser=200)
NO_LOG = statuses(302, staff=403, viewer=404, superuser=404)
SAVED = statuses(302, staff=403)
# The site of these tests has no queue.
DEAD_LETTERS = statuses(302, staff=403, viewer=403, superuser=200)
EMPTY_FORM = statuses(302, staff=403, viewer=400, superuser=400)
LOG_API = statuses(401, stranger=403, staff=403, viewer=200, superuser=200, token=200)

# method → status, or None for the role's status. Other methods are 405.
ANY: dict[str, int | None] = dict.fromkeys(METHODS)
READ: dict[str, int | None] = {"GET": None, "HEAD": None}
# Django's views respond to OPTIONS with the methods that they accept.
VIEW: dict[str, int | None] = {**READ, "OPTIONS": 200}
ACTION: dict[str, int | None] = {**READ, "POST": None}
FORM: dict[str, int | None] = {**VIEW, "POST": None, "PUT": None}


@dataclass(frozen=True)
class Route:
    """An address of a route, and its status for each role and method."""

    address: str
    roles: Mapping[str, int]
    methods: Mapping[str, int | Mapping[str, int] | None]
    # Whether the login comes before the check of the method.
    login_first: bool = False

    def status(self, role: str, method: str) -> int:
        """Return the expected status."""
        if method == "TRACE":
            return TRACE_STATUS
        if self.login_first and self.roles[role] == 302:
            return 302
        status = self.methods.get(method, 405)
        if isinstance(status, Mapping):
            return status[role]
        return self.roles[role] if status is None else status


def admin(
    address: str, roles: Mapping[str, int], methods: Mapping[str, int | Mapping[str, int] | None]
) -> Route:
    """Return a route of the admin, which redirects to the login first."""
    return Route(f"/admin/{address}", roles, methods, login_first=True)


LOG = make_item(1).id
# The pattern of the URLconf → its route
ROUTES = {
    "": Route("/", statuses(302), {method: None for method in METHODS if method != "TRACE"}),
    "admin/": admin("", statuses(302), ANY),
    "admin/login/": Route(
        "/admin/login/",
        statuses(200, staff=302, viewer=302, superuser=302),
        {"GET": None, "HEAD": 200, "POST": 200, "PUT": 200, "OPTIONS": 200},
    ),
    "admin/logout/": admin("logout/", STAFF_PAGE, {"POST": None, "OPTIONS": 200}),
    "admin/password_change/": admin("password_change/", STAFF_PAGE, FORM),
    "admin/password_change/done/": admin("password_change/done/", STAFF_PAGE, VIEW),
    "admin/autocomplete/": admin("autocomplete/", statuses(302, staff=403, viewer=403, superuser=403), VIEW),
    "admin/jsi18n/": admin("jsi18n/", STAFF_PAGE, VIEW),
    "admin/logs/log/": admin("logs/log/", LOG_PAGE, READ),
    "admin/logs/log/export/": admin("logs/log/export/?format=csv", LOG_PAGE, {**READ, "POST": EMPTY_FORM}),
    "admin/logs/log/export/<slug:export_id>/": admin("logs/log/export/0/", NO_LOG, READ),
    "admin/logs/log/export/<slug:export_id>/file/": admin("logs/log/export/0/file/", NO_LOG, READ),
    "admin/logs/log/export/<slug:export_id>/cancel/": admin(
        "logs/log/export/0/cancel/", NO_LOG, {"POST": None}
    ),
    "admin/logs/log/numbers/": admin("logs/log/numbers/", LOG_PAGE, READ),
    "admin/logs/log/groups/": admin("logs/log/groups/?field=user_id", LOG_PAGE, READ),
    "admin/logs/log/live/": admin(
        "logs/log/live/", statuses(302, staff=403, viewer=400, superuser=400), READ
    ),
    "admin/logs/log/freshness/": admin("logs/log/freshness/", LOG_PAGE, READ),
    "admin/logs/log/overview/": admin("logs/log/overview/", LOG_PAGE, READ),
    "admin/logs/log/views/": admin("logs/log/views/", LOG_PAGE, {**READ, "POST": SAVED}),
    "admin/logs/log/views/add/": admin("logs/log/views/add/", LOG_PAGE, ACTION),
    "admin/logs/log/views/<slug:view_id>/change/": admin("logs/log/views/0/change/", NO_LOG, ACTION),
    "admin/logs/log/views/<slug:view_id>/replace/": admin(
        "logs/log/views/0/replace/", NO_LOG, {"POST": None}
    ),
    "admin/logs/log/views/<slug:view_id>/delete/": admin("logs/log/views/0/delete/", NO_LOG, ACTION),
    "admin/logs/log/choices/": admin("logs/log/choices/", LOG_PAGE, READ),
    "admin/logs/log/<path:object_id>/row/": admin(f"logs/log/{LOG}/row/", LOG_PAGE, READ),
    "admin/logs/log/<path:object_id>/json/": admin(f"logs/log/{LOG}/json/", LOG_PAGE, READ),
    "admin/logs/log/<path:object_id>/change/": admin(f"logs/log/{LOG}/change/", LOG_PAGE, READ),
    "admin/logs/log/<path:object_id>/timelines/": admin(f"logs/log/{LOG}/timelines/", LOG_PAGE, READ),
    "admin/logs/log/<path:object_id>/previous/": admin("logs/log/0/previous/", NO_LOG, READ),
    "admin/logs/log/<path:object_id>/next/": admin("logs/log/0/next/", NO_LOG, READ),
    "admin/logs/deadletter/": admin("logs/deadletter/", DEAD_LETTERS, READ),
    "admin/logs/deadletter/run/": admin("logs/deadletter/run/", DEAD_LETTERS, ACTION),
    "admin/logs/deadletter/<str:message_id>/change/": admin(
        "logs/deadletter/0/change/", DEAD_LETTERS, ACTION
    ),
    "admin/^(?P<app_label>logs)/$": admin("logs/", {**STAFF_PAGE, "staff": 404}, ANY),
    "admin/(?P<url>.*)$": admin("nothing/", statuses(302, staff=404, viewer=404, superuser=404), ANY),
    "api/": Route("/api/", statuses(404), ANY),
    "api/docs": Route("/api/docs", statuses(302, stranger=403, staff=403, viewer=200, superuser=200), READ),
    "api/openapi.json": Route("/api/openapi.json", LOG_API, READ),
    "api/logs": Route("/api/logs", LOG_API, READ),
    "api/logs/": Route("/api/logs/", LOG_API, READ),
    "api/logs/counts": Route("/api/logs/counts", LOG_API, READ),
    "api/logs/counts/": Route("/api/logs/counts/", LOG_API, READ),
    "api/logs/groups": Route("/api/logs/groups?field=type", LOG_API, READ),
    "api/logs/groups/": Route("/api/logs/groups/?field=type", LOG_API, READ),
    "api/logs/<log_id>": Route(f"/api/logs/{LOG}", LOG_API, READ),
    "api/logs/<log_id>/": Route(f"/api/logs/{LOG}/", LOG_API, READ),
    "api/<path:rest>": Route("/api/nothing", statuses(404), ANY),
}
# Addresses without a pattern: the middleware's, and one that does not exist.
OTHERS = {
    "healthz": Route("/healthz", statuses(200), READ),
    "nothing": Route("/nothing", statuses(404), ANY),
}


def patterns(entries: Iterable[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    """Yield the patterns of a URLconf, with those that it includes."""
    for entry in entries:
        pattern = f"{prefix}{entry.pattern}"
        if isinstance(entry, URLResolver):
            yield from patterns(entry.url_patterns, pattern)
        else:
            yield pattern


@pytest.fixture(scope="module")
def users() -> dict[str, User]:
    """Return a user of each role."""
    return {
        "stranger": make_user("stranger"),
        "staff": make_user("staff", is_staff=True),
        "viewer": make_user("viewer", is_staff=True, permissions={"logs.view_log"}),
        "superuser": make_user("superuser", is_staff=True, is_superuser=True),
    }


@pytest.fixture(scope="module")
def programs() -> dict[str, Client]:
    """Return a client with a token of each kind."""
    names = {role: f"routes-{uuid4().hex}" for role in PROGRAMS}
    clients = {role: program(tokens.create(name)) for role, name in names.items()}
    expired = tokens.get(names["expired_token"])
    assert expired
    expired.expires_at = datetime.now(UTC) - timedelta(seconds=1)
    expired.save()
    tokens.revoke(names["revoked_token"])
    return clients


@pytest.fixture
def clients(users: dict[str, User], programs: dict[str, Client]) -> dict[str, Client]:
    """Return a client of each role. A test may end their sessions."""
    return {"anonymous": Client(), **programs, **{role: client_of(user) for role, user in users.items()}}


def test_table_names_every_route() -> None:
    assert set(patterns(get_resolver().url_patterns)) == ROUTES.keys()


def test_new_route_is_missing_in_the_table() -> None:
    new = [path("admin/logs/new/", lambda request: HttpResponse())]
    assert set(patterns([*get_resolver().url_patterns, *new])) - ROUTES.keys() == {"admin/logs/new/"}


@pytest.mark.parametrize("name", [*ROUTES, *OTHERS], ids=lambda name: name or "home")
def test_route_has_its_status(clients: dict[str, Client], logs_table: None, name: str) -> None:
    store([make_item(1)])
    route = {**ROUTES, **OTHERS}[name]
    expected = {(role, method): route.status(role, method) for role in ROLES for method in METHODS}
    actual = {
        (role, method): clients[role].generic(method, route.address).status_code for role, method in expected
    }
    assert actual == expected


@pytest.mark.parametrize("name", [name for name, route in ROUTES.items() if route.login_first])
def test_forged_post_is_refused(logs_table: None, name: str, superuser_client: Client) -> None:
    """A POST of another site has no CSRF token."""
    client = Client(enforce_csrf_checks=True)
    client.cookies = superuser_client.cookies
    assert client.post(ROUTES[name].address).status_code == 403
    assert superuser_client.get("/admin/password_change/").status_code == 200
