"""The host project with django-easy-audit, which captures changes, logins and requests."""

from tests.host.settings import *  # noqa: F403  the same project with more apps
from tests.host.settings import INSTALLED_APPS as SHARED_APPS
from tests.host.settings import MIDDLEWARE as SHARED_MIDDLEWARE

INSTALLED_APPS = [*SHARED_APPS, "easyaudit", "tests.host.shop"]
MIDDLEWARE = [
    "ingest.django.LogContextMiddleware",
    *SHARED_MIDDLEWARE,
    "easyaudit.middleware.easyaudit.EasyAuditMiddleware",
]
ROOT_URLCONF = "tests.host.shop.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DJANGO_EASY_AUDIT_LOGGING_BACKEND = "ingest.capture.easyaudit.LogsiteBackend"
