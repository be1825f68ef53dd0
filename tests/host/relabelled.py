"""The host project with its own app `logs`, so that ours has another label."""

from tests.host.settings import *  # noqa: F403  the same project but for its apps
from tests.host.settings import INSTALLED_APPS as SHARED_APPS

INSTALLED_APPS = [
    *(app for app in SHARED_APPS if app != "logs"),
    "tests.host.own_logs.apps.OwnLogsConfig",
    "tests.host.apps.SystemLogsConfig",
]
