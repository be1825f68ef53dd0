"""The logs in the Django admin: one model without a table, and the way to its pages."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from logs import views


class Log(models.Model):
    """What the admin's menu and permissions know of a log; the logs themselves are in DynamoDB."""

    id = models.CharField(primary_key=True, max_length=32)

    class Meta:
        app_label = "logs"
        managed = False
        default_permissions = ("view",)
        verbose_name = "log"
        verbose_name_plural = "logs"

    def __str__(self) -> str:
        return self.pk


@admin.register(Log)
class LogAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs alone
    """Read-only for everybody: a superuser holds every permission, so it is said here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Logs come in through the queue alone."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Log | None = None) -> bool:
        """A log is never changed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Log | None = None) -> bool:
        """A log goes when its retention ends."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Route the listing and the detail; the admin's other pages would ask an SQL database."""
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="logs_log_changelist"),
            path("export/", view(self.export_view), name="logs_log_export"),
            path("choices/", view(self.choices_view), name="logs_log_choices"),
            path("<path:object_id>/json/", view(self.json_view), name="logs_log_json"),
            path("<path:object_id>/change/", view(self.change_view), name="logs_log_change"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the listing. Raises PermissionDenied without `logs.view_log`."""
        self._check_permission(request)
        return views.listing(request, self.admin_site)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Send a file. Raises PermissionDenied without `logs.view_log`."""
        self._check_permission(request)
        return views.export(request, self.admin_site)

    def choices_view(self, request: HttpRequest) -> HttpResponse:
        """Send what the filter suggests. Raises PermissionDenied without `logs.view_log`."""
        self._check_permission(request)
        return views.choices(request)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one log, or say in the admin's own words that there is none."""
        self._check_permission(request)
        return self._of_one(views.detail, request, object_id)

    def json_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send one log as a file, or say in the admin's own words that there is none."""
        self._check_permission(request)
        return self._of_one(views.file, request, object_id)

    def _of_one(
        self,
        view: Callable[[HttpRequest, AdminSite, str], HttpResponse | None],
        request: HttpRequest,
        object_id: str,
    ) -> HttpResponse:
        log_id = unquote(object_id)
        response = view(request, self.admin_site, log_id)
        if response is None:
            # A method of Django's ModelAdmin that its stubs leave out.
            return self._get_obj_does_not_exist_redirect(request, self.opts, log_id)  # type: ignore[attr-defined,no-any-return]
        return response

    def _check_permission(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied
