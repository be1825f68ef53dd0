"""The site's addresses: the admin, the JSON API, and `/` that leads to the listing."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from logsite.api import api_urls

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:logs_log_changelist"), name="home"),
    path("admin/", admin.site.urls),
    path("api/", api_urls),
]
