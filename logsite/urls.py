"""The site's addresses: the admin, the JSON API, and `/` that leads to the listing."""

from django.contrib import admin
from django.urls import URLResolver, path
from django.urls.resolvers import RoutePattern
from django.views.generic import RedirectView


class Later(URLResolver):
    """An include with a namespace, loaded with the first request to it."""

    def _populate(self) -> None:
        """Do nothing: it would load the include for every link of every page, to find only its namespace."""


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:logs_log_changelist"), name="home"),
    path("admin/", admin.site.urls),
    # ninja and pydantic would be a quarter of the site's cold start.
    Later(RoutePattern("api/"), "logsite.api", app_name="ninja", namespace="logs-api"),
]
