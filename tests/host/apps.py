"""The app `logs` under another label, as docs/django.md describes it."""

from logs.apps import LogsConfig


class SystemLogsConfig(LogsConfig):
    """Logsite's logs, in a project that has its own app `logs`."""

    label = "system_logs"
