"""The addresses of the dead-letter pages, below those of the admin."""

import importlib
from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

PERMISSION = "logs.replay_dead_letters"


def patterns(site: AdminSite) -> list[URLPattern]:
    """Return the patterns of the list, of a run and of one dead letter."""
    return [
        path("logs/deadletter/", _view(site, "changelist", "GET", "HEAD"), name="logs_deadletter_changelist"),
        path("logs/deadletter/run/", _view(site, "run", "GET", "HEAD", "POST"), name="logs_deadletter_run"),
        path(
            "logs/deadletter/<str:message_id>/change/",
            _view(site, "change", "GET", "HEAD", "POST"),
            name="logs_deadletter_change",
        ),
    ]


def _view(site: AdminSite, name: str, *methods: str) -> Callable[..., HttpResponse]:
    """Return a view for users with the permission."""

    def view(request: HttpRequest, **arguments: Any) -> HttpResponse:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied(PERMISSION)
        # It loads pydantic, which would take a third of a cold start.
        views = importlib.import_module("logsite.dead_letters.views")
        handler: Callable[..., HttpResponse] = getattr(views, name)
        return handler(request, **arguments)

    return site.admin_view(require_http_methods(methods)(view))
