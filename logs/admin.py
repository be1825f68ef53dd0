"""The logs in the Django admin: a model without a table, and its routes."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from logs import log_views, saved_view_routes, views
from logs.plan import Direction


class Log(models.Model):
    """The model behind the admin's menu and permissions. The logs are in DynamoDB.

    The app's label is not repeated here: a project may have given the app another one.
    """

    id = models.CharField(primary_key=True, max_length=32)

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions = [
            ("replay_dead_letters", "Can replay, correct and discard dead letters"),
            ("share_views", "Can share saved views, and change shared ones"),
        ]
        verbose_name = "log"
        verbose_name_plural = "logs"

    def __str__(self) -> str:
        return self.pk


@admin.register(Log)
class LogAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs alone
    """Read-only for everybody. A superuser has every permission, so the methods refuse explicitly."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: logs arrive through the queue only."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Log | None = None) -> bool:
        """Return False: a log never changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Log | None = None) -> bool:
        """Return False: a log is deleted when its retention ends."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Route the pages of logs, which accept GET and HEAD.

        The admin's other pages need an SQL database.
        """

        def view(handler: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
            return self.admin_site.admin_view(require_safe(handler))

        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("", view(self.changelist_view), name=f"{name}_changelist"),
            path("export/", view(self.export_view), name=f"{name}_export"),
            *saved_view_routes.patterns(self),
            path("choices/", view(self.choices_view), name=f"{name}_choices"),
            path("<path:object_id>/row/", view(self.row_view), name=f"{name}_row"),
            path("<path:object_id>/json/", view(self.json_view), name=f"{name}_json"),
            path("<path:object_id>/change/", view(self.change_view), name=f"{name}_change"),
            path("<path:object_id>/previous/", view(self.previous_view), name=f"{name}_previous"),
            path("<path:object_id>/next/", view(self.next_view), name=f"{name}_next"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Return the listing. Raises PermissionDenied without the view permission."""
        self._check_permission(request)
        return views.listing(request, self)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Return the listing as a file. Raises PermissionDenied without the view permission."""
        self._check_permission(request)
        return views.export(request, self)

    def choices_view(self, request: HttpRequest) -> HttpResponse:
        """Return the suggestions of the filter. Raises PermissionDenied without the view permission."""
        self._check_permission(request)
        return views.choices(request)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Return the page of one log, or a 404. Raises PermissionDenied without the view permission."""
        self._check_permission(request)
        return log_views.detail(request, self, unquote(object_id))

    def row_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return the content of an open row. Raises PermissionDenied without the view permission."""
        self._check_permission(request)
        return log_views.row(request, self, unquote(object_id))

    def json_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return one log as a JSON file, or a 404. Raises PermissionDenied without the view permission."""
        self._check_permission(request)
        return log_views.file(request, self, unquote(object_id))

    def previous_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Redirect to the log before this one in the list. Raises PermissionDenied without the permission."""
        self._check_permission(request)
        return log_views.adjacent(request, self, unquote(object_id), Direction.PREVIOUS)

    def next_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Redirect to the log after this one in the list. Raises PermissionDenied without the permission."""
        self._check_permission(request)
        return log_views.adjacent(request, self, unquote(object_id), Direction.NEXT)

    def _check_permission(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied
