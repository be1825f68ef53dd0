"""The app `logsite`: the site's own commands, templates and static files."""

from django.apps import AppConfig


class LogsiteConfig(AppConfig):
    """Commands, templates and static files of the site; it has no models."""

    name = "logsite"
