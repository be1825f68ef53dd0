"""The URLs of the stock admin, with its one model: the table of logs."""

from django.contrib import admin
from django.db import models
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


@admin.register(Log)
class LogAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs alone
    """The listing as a project would declare it."""

    list_display = LIST_DISPLAY
    list_per_page = ROWS_PER_PAGE
    ordering = ["-created_at"]


urlpatterns = [path("admin/", admin.site.urls)]
