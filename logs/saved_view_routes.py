"""The addresses of the pages of saved views, below that of the listing."""

from collections.abc import Callable

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from logs import saved_view_views
from logs.frame import Admin

View = Callable[..., HttpResponse]
FORM, ACTION = ("GET", "HEAD", "POST"), ("POST",)


def patterns(admin: Admin) -> list[URLPattern]:
    """Return the patterns, for users who may view logs."""

    def view(handler: View, methods: tuple[str, ...] = FORM) -> View:
        def checked(request: HttpRequest, **arguments: str) -> HttpResponse:
            if not admin.has_view_permission(request):
                raise PermissionDenied
            return handler(request, admin, **arguments)

        return admin.admin_site.admin_view(require_http_methods(methods)(checked))

    name = f"{admin.opts.app_label}_{admin.opts.model_name}"
    views = saved_view_views
    return [
        path("views/", view(views.index), name=f"{name}_views"),
        path("views/add/", view(views.add), name=f"{name}_view_add"),
        path("views/<slug:view_id>/change/", view(views.change), name=f"{name}_view_change"),
        path("views/<slug:view_id>/replace/", view(views.replace, ACTION), name=f"{name}_view_replace"),
        path("views/<slug:view_id>/delete/", view(views.delete), name=f"{name}_view_delete"),
    ]
