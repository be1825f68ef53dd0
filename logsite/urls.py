"""The site's URLs: the admin, the JSON API, and a redirect to the listing."""

from django.contrib import admin
from django.urls import URLResolver, path
from django.urls.resolvers import RoutePattern
from django.views.generic import RedirectView


class LazyURLResolver(URLResolver):
    """An include with a namespace that is imported at the first request to it."""

    def _populate(self) -> None:
        """Do nothing. Django would import the include to resolve the links of every page."""


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:logs_log_changelist"), name="home"),
    path("admin/", admin.site.urls),
    # Importing ninja and pydantic would take a quarter of the cold start.
    LazyURLResolver(RoutePattern("api/"), "logsite.api", app_name="ninja", namespace="logs-api"),
]
