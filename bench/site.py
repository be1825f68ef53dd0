"""The site in this process, with a user who is signed in."""

import os
from typing import Any

from bench.visitor import Visitor

LISTING = "/admin/logs/log/"


def sign_in(rows: int) -> Visitor:
    """Create the site's tables and a user. Return the user, whose pages have this number of rows.

    The page size is the user's preference. Static files are not collected, and responses are not compressed.
    """
    os.environ.update(
        DJANGO_SETTINGS_MODULE="logsite.settings",
        SECRET_KEY="the key of a benchmark, long enough for production",
        DEBUG="off",
        ALLOWED_HOSTS="localhost",
    )
    # These read the environment above.
    from django.conf import settings  # as above
    from django.core.management import call_command  # as above
    from django.test import Client  # as above

    settings.STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]
    settings.LOGGING = {"version": 1}
    # It reads the settings when it is imported.
    from logsite.wsgi import application

    handler: Any = application
    call_command("create_tables", verbosity=0)
    # Django must be set up first.
    from logsite.accounts.models import User

    client = Client()
    client.force_login(User.objects.create_superuser("bench", "bench@example.com", "bench"))
    name = settings.SESSION_COOKIE_NAME
    cookie = f"{name}={client.cookies[name].value}; logs_view=limit={rows}"
    return Visitor(handler.get_response, cookie)
