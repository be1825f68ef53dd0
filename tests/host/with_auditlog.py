"""The host project with django-auditlog, and the capture of its changes and of Django's logins."""

from tests.host.settings import *  # noqa: F403  the same project with more apps
from tests.host.settings import DATABASES as SHARED_DATABASES
from tests.host.settings import INSTALLED_APPS as SHARED_APPS
from tests.host.settings import MIDDLEWARE as SHARED_MIDDLEWARE

INSTALLED_APPS = [
    *SHARED_APPS,
    "auditlog",
    "tests.host.shop",
    "ingest.capture.auditlog",
    "ingest.capture.auth",
]
MIDDLEWARE = [
    "ingest.django.LogContextMiddleware",
    *SHARED_MIDDLEWARE,
    "auditlog.middleware.AuditlogMiddleware",
]
ROOT_URLCONF = "tests.host.shop.urls"
DATABASES = {**SHARED_DATABASES, "other": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Each model of each app, also those that must not become logs.
AUDITLOG_INCLUDE_ALL_MODELS = True
