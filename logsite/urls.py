"""The site's addresses: the admin, and `/` that leads to the listing."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

admin.site.site_header = "Logsite"
admin.site.site_title = "Logsite"
admin.site.site_url = None

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:logs_log_changelist"), name="home"),
    path("admin/", admin.site.urls),
]
