"""The app `ingest.capture.auditlog`: changes that django-auditlog records become logs."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

MIDDLEWARE = "ingest.django.LogContextMiddleware"


class AuditlogCaptureConfig(AppConfig):
    """Connects to the signals of django-auditlog."""

    name = "ingest.capture.auditlog"
    label = "logsite_capture_auditlog"

    def ready(self) -> None:
        """Connect the receivers. Raise ImproperlyConfigured if a setting is invalid."""
        from ingest.capture.auditlog import receivers  # It needs the models of all apps.

        receivers.connect()
        checks.register(check_middleware)


def check_middleware(**kwargs: Any) -> list[checks.CheckMessage]:
    """Return a warning if the middleware is missing.

    Logs have no address and no request id then.
    """
    if MIDDLEWARE in settings.MIDDLEWARE:
        return []
    text = f"Logs of ingest.capture.auditlog have no address and no request id without {MIDDLEWARE}."
    return [checks.Warning(text, hint=f"Put {MIDDLEWARE} first in MIDDLEWARE.", id="logsite.W001")]
