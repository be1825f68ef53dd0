"""The URLs of the stock admins, with their one model: the table of logs."""

import csv

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path

from bench.mariadb import TABLE
from bench.stock_admin import LIST_DISPLAY, ROWS_PER_PAGE


class Log(models.Model):
    """A row of the table of `bench.mariadb`."""

    id = models.CharField(primary_key=True, max_length=32)
    account_id = models.CharField(max_length=64)
    user_id = models.CharField(max_length=64)
    type = models.CharField(max_length=64)
    sub_type = models.CharField(max_length=64)
    url = models.CharField(max_length=1024)
    payload = models.TextField(null=True)
    user_name = models.CharField(max_length=200, null=True)
    submitter_ip = models.CharField(max_length=45, null=True)
    request_id = models.CharField(max_length=200, null=True)
    submitter_country = models.CharField(max_length=64, null=True)
    submitter_city = models.CharField(max_length=64, null=True)
    submitter_platform = models.CharField(max_length=64, null=True)
    submitter_browser = models.CharField(max_length=64, null=True)
    created_at = models.DateTimeField()

    class Meta:
        app_label = "bench"
        db_table = TABLE
        managed = False

    def __str__(self) -> str:
        return str(self.pk)


EXPORTED = [field.name for field in Log._meta.fields if field.name != "payload"]


@admin.action(description="Export as CSV")
def export_csv(model_admin: "PlainAdmin", request: HttpRequest, queryset: QuerySet[Log]) -> HttpResponse:
    """Return the selected logs as a file: the usual action of a project."""
    response = HttpResponse(content_type="text/csv")
    writer = csv.writer(response)
    writer.writerow(EXPORTED)
    for log in queryset.iterator():
        writer.writerow([getattr(log, name) for name in EXPORTED])
    return response


class PlainAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs alone
    """A list of logs that nobody may change."""

    list_display = LIST_DISPLAY
    list_per_page = ROWS_PER_PAGE
    ordering = ["-created_at"]
    search_fields = ["payload"]
    actions = [export_csv]
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class FilterAdmin(PlainAdmin):
    """The list with filters beside it, and with links to years, months and days."""

    list_filter = ["type", "created_at"]
    date_hierarchy = "created_at"


class LogAdmin(FilterAdmin):
    """The list as a project declares it, with Django's defaults."""

    show_full_result_count = True


def site(name: str, model_admin: type[PlainAdmin]) -> admin.AdminSite:
    """Return an admin with the list of logs."""
    site = admin.AdminSite(name)
    site.register(Log, model_admin)
    return site


# The names are those of `bench.stock_admin.Variant`. Templates of Django need one with the name "admin".
urlpatterns = [
    path("admin/", site("admin", LogAdmin).urls),
    path("uncounted/", site("uncounted", FilterAdmin).urls),
    path("plain/", site("plain", PlainAdmin).urls),
]
