"""The host's own admin site under `/office/`, and Django's default one under `/admin/`."""

from django.contrib import admin
from django.urls import path

from logs.admin import Log, LogAdmin
from logs.api import make_api, urls

back_office = admin.AdminSite(name="back_office")
back_office.site_header = "Back office"
back_office.register(Log, LogAdmin)

urlpatterns = [
    path("office/", back_office.urls),
    path("admin/", admin.site.urls),
    path("logs-api/", urls(make_api())),
]
