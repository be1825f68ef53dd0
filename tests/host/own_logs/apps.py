"""An app of the host project that has the label `logs`."""

from django.apps import AppConfig


class OwnLogsConfig(AppConfig):
    """The host's own logs."""

    name = "tests.host.own_logs"
    label = "logs"
