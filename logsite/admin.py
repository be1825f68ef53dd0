"""The admin of a site without an SQL database."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.admin import AdminSite, site
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import Resolver404, URLPattern, URLResolver, get_script_prefix, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from logsite.accounts import throttle
from logsite.client_address import client_address
from logsite.dead_letters import routes

MAX_ADDRESS = 2000


class LogsiteAdminSite(AdminSite):
    """Django's admin with Logsite's name, without its index and the page that queries SQL."""

    site_header = "Logsite"
    site_title = "Logsite"
    site_url = None
    # There is one app with one model, and the rows need the width.
    enable_nav_sidebar = False

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """Return the app of its own page. No other page lists apps, because there is no sidebar."""
        return super().get_app_list(request, app_label) if app_label else []

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Return Django's patterns, and those of the dead letters.

        "View on site" (`r/…`) is left out, because it queries content types.
        """
        urls = [url for url in super().get_urls() if getattr(url, "name", None) != "view_on_site"]
        # Before the admin's last pattern, which matches every address.
        return [*routes.patterns(self), *urls]

    def index(  # type: ignore[override]  # a redirect is no template
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect to the listing. It names the missing permission to users who may not read it."""
        return HttpResponseRedirect(reverse(settings.LOGIN_REDIRECT_URL))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Return the login page. A `next` that is not a page of this site becomes the listing."""
        for parameters in ("GET", "POST"):
            values = getattr(request, parameters)
            if REDIRECT_FIELD_NAME in values and not _is_page(request, values[REDIRECT_FIELD_NAME]):
                values = values.copy()
                values[REDIRECT_FIELD_NAME] = reverse(settings.LOGIN_REDIRECT_URL)
                setattr(request, parameters, values)
        return super().login(request, extra_context)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Return Django's page, which checks the old password. Raise TooManyAttempts before hashing it."""
        if request.method in ("GET", "HEAD", "OPTIONS"):
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
        """Set the login form. Unregister Django's pages of groups, because groups are SQL rows."""
        super().ready()
        # It needs the models of all apps, which are loaded by now.
        from logsite.accounts.forms import LoginForm

        site.login_form = LoginForm
        site.unregister(apps.get_model("auth", "Group"))


def _is_page(request: HttpRequest, address: str) -> bool:
    """Return whether an address is a page of this site that a login can lead to."""
    prefix = get_script_prefix()
    if (
        not address.startswith(prefix)
        or len(address) > MAX_ADDRESS
        or not url_has_allowed_host_and_scheme(address, {request.get_host()}, request.is_secure())
    ):
        return False
    try:
        match = resolve("/" + address.removeprefix(prefix).partition("?")[0].partition("#")[0])
    except Resolver404:
        return False
    # The admin's page for unknown addresses has no name. The logout page accepts only POST.
    return match.url_name not in (None, "logout")
