"""The app `ingest.capture.auth`: logins and logouts become logs."""

from django.apps import AppConfig


class AuthCaptureConfig(AppConfig):
    """Connects to the signals of `django.contrib.auth`."""

    name = "ingest.capture.auth"
    label = "logsite_capture_auth"

    def ready(self) -> None:
        """Connect the receivers. Raise ImproperlyConfigured if a setting is invalid."""
        from ingest.capture.auth import receivers  # It needs the models of all apps.

        receivers.connect()
