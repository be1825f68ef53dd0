"""The JSON API: who may use it, its addresses and its docs."""

import json
from collections.abc import Callable, Sequence
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, security
from ninja.errors import AuthorizationError
from ninja.openapi.docs import Swagger

from logs.api_errors import MESSAGES, error, handle_errors, not_found
from logs.api_usage import metered
from logs.api_views import router
from logs.apps import view_permission
from logs.reading.budget import Cost
from logs.requests import check_request

Auth = Callable[[HttpRequest], Any]

TITLE = "Logsite API"
DESCRIPTION = (
    "The logs, as the pages of the admin show them. In a browser, your sign-in to the admin is enough."
)


class SessionAuth(security.SessionAuth):
    """Users who are signed in to the admin and may view the logs there."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        """Return the user, or None if nobody is signed in. Raises AuthorizationError."""
        user = super().authenticate(request, key)
        if user and not user.has_perm(view_permission()):
            raise AuthorizationError(message=MESSAGES[403])
        return user


def make_api(
    auth: Sequence[Auth] = (SessionAuth(),), namespace: str = "logs-api", description: str = DESCRIPTION
) -> NinjaAPI:
    """Return the API, to be mounted in a URLconf: `path("api/", urls(make_api()))`.

    `description` is Markdown at the top of its docs. It says how programs authenticate.

    `auth` authenticates requests: each is tried in turn, as in django-ninja. An object that it returns reads
    the logs of Logsite's own accounts if its attribute `is_superuser` is true. It may limit the requests,
    with two methods:

    - `reserve(examined, read_units)` is called once before anything is read, with the most that the request
      may cost. It raises django-ninja's Throttled to refuse the request.
    - `settle(examined, read_units)` is called after the request with its actual cost. It is not called if
      the request failed.
    """
    api = NinjaAPI(
        title=TITLE,
        version="1",
        description=description,
        openapi_url=None,
        docs_url=None,
        urls_namespace=namespace,
        auth=list(auth),
    )
    api.add_router("/logs", router, tags=["Logs"])
    handle_errors(api)

    @api.api_operation(["GET", "HEAD"], "/openapi.json", include_in_schema=False, url_name="openapi-json")
    def openapi(request: HttpRequest) -> Any:
        with metered(request, Cost()):
            return api.get_openapi_schema()

    return api


def urls(api: NinjaAPI) -> tuple[list[Any], str, str]:
    """Return the argument of `path("api/", …)`: the API, its docs and its 404.

    The docs are for users who may view the logs.
    """
    patterns, app_name, namespace = api.urls
    for pattern in patterns:
        if pattern.callback:
            pattern.callback = _read_only(pattern.callback)

    return (
        [
            path("", not_found),
            *_docs(api),
            *patterns,
            path("<path:rest>", not_found),
        ],
        app_name,
        namespace,
    )


def _docs(api: NinjaAPI) -> list[URLPattern]:
    """Route the docs if ninja's templates are installed: its own page would load scripts from elsewhere."""
    try:
        template = get_template("logs/api_docs.html")
        get_template("ninja/favicons.html")
    except TemplateDoesNotExist:
        return []

    @require_safe
    @login_required
    @permission_required(view_permission(), raise_exception=True)
    def docs(request: HttpRequest) -> HttpResponse:
        address = reverse(f"{api.urls_namespace}:openapi-json")
        # Without a validator: Swagger's own would get the address of the schema.
        settings = {**Swagger.default_settings, "url": address, "validatorUrl": None}
        page = template.render({"api": api, "swagger_settings": json.dumps(settings)}, request)
        return HttpResponse(page, headers={"Cache-Control": "no-store"})

    return [path("docs", docs, name="docs")]


def _read_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Refuse other methods than GET and HEAD with the error body, and forbid caching."""

    @wraps(view)
    def read(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            check_request(request)
        except BadRequest as raised:
            response = error(400, str(raised))
        else:
            response = view(request, *args, **kwargs)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            response = error(405, headers={"Allow": "GET, HEAD"})
        response["Cache-Control"] = "no-store"
        return response

    return read
