"""The admin of a site without an SQL database."""

from django.apps import apps
from django.contrib.admin import AdminSite, site
from django.contrib.admin.apps import AdminConfig
from django.urls import URLPattern, URLResolver


class LogsiteAdminSite(AdminSite):
    """Django's admin with Logsite's name, without the page that queries SQL."""

    site_header = "Logsite"
    site_title = "Logsite"
    site_url = None
    # There is one app with one model, and the rows need the width.
    enable_nav_sidebar = False

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Return Django's patterns without "view on site" (`r/…`), which queries content types."""
        return [url for url in super().get_urls() if getattr(url, "name", None) != "view_on_site"]


class LogsiteAdminConfig(AdminConfig):
    """Django's admin app with LogsiteAdminSite as the default site."""

    default_site = "logsite.admin.LogsiteAdminSite"

    def ready(self) -> None:
        """Unregister Django's pages of groups, because groups are SQL rows."""
        super().ready()
        site.unregister(apps.get_model("auth", "Group"))
