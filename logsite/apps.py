"""The app `logsite`: the site's own commands, templates, static files and audit trail."""

from django.apps import AppConfig


class LogsiteConfig(AppConfig):
    """Commands, templates and static files of the site; it has no models."""

    name = "logsite"

    def ready(self) -> None:
        """Connect the audit trail to the signals of the site."""
        # Its modules import models, which are loaded by now.
        from logsite.audit import receivers

        receivers.connect()
