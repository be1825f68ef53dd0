"""The admin of a site without SQL."""

from django.apps import apps
from django.contrib.admin import AdminSite, site
from django.contrib.admin.apps import AdminConfig
from django.urls import URLPattern, URLResolver


class LogsiteAdminSite(AdminSite):
    """Django's admin, under our name and without the page that asks SQL."""

    site_header = "Logsite"
    site_title = "Logsite"
    site_url = None
    # One app with one model: the rows want the width.
    enable_nav_sidebar = False

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Leave out "view on site" (`r/…`): it looks up the content type of an object."""
        return [url for url in super().get_urls() if getattr(url, "name", None) != "view_on_site"]


class LogsiteAdminConfig(AdminConfig):
    """Makes the site above the default one, which `admin.register` fills."""

    default_site = "logsite.admin.LogsiteAdminSite"

    def ready(self) -> None:
        """Take Django's pages of groups out again: groups are rows of SQL."""
        super().ready()
        site.unregister(apps.get_model("auth", "Group"))
