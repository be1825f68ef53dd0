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
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from logs import export_views, live_views, log_views, number_views, saved_view_routes, views
from logs.plan import Direction

# Which methods a page accepts.
SAFE, STARTS, POST = require_safe, require_http_methods(["GET", "HEAD", "POST"]), require_POST


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
        """Route the pages of logs, which accept GET and HEAD. Exports are started and cancelled by POST.

        The admin's other pages need an SQL database.
        """

        def view(
            handler: Callable[..., HttpResponseBase],
            methods: Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]] = SAFE,
        ) -> Callable[..., HttpResponseBase]:
            return self.admin_site.admin_view(methods(handler))

        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("", view(self.changelist_view), name=f"{name}_changelist"),
            path("export/", view(self.export_view, STARTS), name=f"{name}_export"),
            path("export/<slug:export_id>/", view(self.export_job_view), name=f"{name}_export_job"),
            path("export/<slug:export_id>/file/", view(self.export_file_view), name=f"{name}_export_file"),
            path(
                "export/<slug:export_id>/cancel/",
                view(self.export_cancel_view, POST),
                name=f"{name}_export_cancel",
            ),
            path("numbers/", view(self.numbers_view), name=f"{name}_numbers"),
            path("groups/", view(self.groups_view), name=f"{name}_groups"),
            path("live/", view(self.live_view), name=f"{name}_live"),
            path("freshness/", view(self.freshness_view), name=f"{name}_freshness"),
            path("overview/", view(self.overview_view), name=f"{name}_overview"),
            *saved_view_routes.patterns(self),
            path("choices/", view(self.choices_view), name=f"{name}_choices"),
            path("<path:object_id>/row/", view(self.row_view), name=f"{name}_row"),
            path("<path:object_id>/json/", view(self.json_view), name=f"{name}_json"),
            path("<path:object_id>/change/", view(self.change_view), name=f"{name}_change"),
            path("<path:object_id>/timelines/", view(self.timelines_view), name=f"{name}_timelines"),
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
        """Return the page that starts an export.

        With `format` it is the listing as a file. Raises PermissionDenied without the view permission.
        """
        self._check_permission(request)
        return export_views.export(request, self)

    def export_job_view(self, request: HttpRequest, export_id: str) -> HttpResponse:
        """Return the page of an export. Raises PermissionDenied without the view permission."""
        self._check_permission(request)
        return export_views.job(request, self, export_id)

    def export_file_view(self, request: HttpRequest, export_id: str) -> HttpResponseBase:
        """Return the file of an export. Raises PermissionDenied without the view permission."""
        self._check_permission(request)
        return export_views.file(request, self, export_id)

    def export_cancel_view(self, request: HttpRequest, export_id: str) -> HttpResponse:
        """Cancel an export. Raises PermissionDenied without the view permission."""
        self._check_permission(request)
        return export_views.cancel(request, self, export_id)

    def numbers_view(self, request: HttpRequest) -> HttpResponse:
        """Return the histogram and the facets. Raises PermissionDenied without the view permission."""
        self._check_permission(request)
        return number_views.numbers(request, self)

    def groups_view(self, request: HttpRequest) -> HttpResponse:
        """Return the groups of a field. Raises PermissionDenied without the view permission."""
        self._check_permission(request)
        return number_views.groups(request, self)

    def live_view(self, request: HttpRequest) -> HttpResponse:
        """Return the rows after a cursor. Raises PermissionDenied without the view permission."""
        self._check_permission(request)
        return live_views.live(request, self)

    def freshness_view(self, request: HttpRequest) -> HttpResponse:
        """Return how fresh the logs are. Raises PermissionDenied without the view permission."""
        self._check_permission(request)
        return live_views.freshness(request, self)

    def overview_view(self, request: HttpRequest) -> HttpResponse:
        """Return the overview of all logs. Raises PermissionDenied without the view permission."""
        self._check_permission(request)
        return number_views.overview(request, self)

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

    def timelines_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return the timelines of one log, or a 404. Raises PermissionDenied without the view permission."""
        self._check_permission(request)
        return log_views.timelines(request, self, unquote(object_id))

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
