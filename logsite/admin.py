"""The admin of a site without an SQL database."""

from typing import Any

from django.apps import apps
from django.contrib.admin import AdminSite, site
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver

from logsite.accounts import throttle
from logsite.client_address import client_address


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

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Return Django's page, which checks the old password. Raise TooManyAttempts before hashing it."""
        if request.method != "POST":
            return super().password_change(request, extra_context)
        attempt = throttle.reserve(request.user.get_username(), client_address(request))
        response = super().password_change(request, extra_context)
        # After a success it is a redirect, unlike the stubs say.
        form = getattr(response, "context_data", {}).get("form")
        if form is None or "old_password" not in form.errors:
            attempt.succeed()
        return response


class LogsiteAdminConfig(AdminConfig):
    """Django's admin app with LogsiteAdminSite as the default site."""

    default_site = "logsite.admin.LogsiteAdminSite"

    def ready(self) -> None:
        """Unregister Django's pages of groups, because groups are SQL rows."""
        super().ready()
        site.unregister(apps.get_model("auth", "Group"))
