"""The site in this process, with a user who is signed in."""

import os
from collections.abc import Callable
from typing import Any


def listing_page(rows: int) -> Callable[[str], bytes]:
    """Create the site's tables and a user. Return a function from a query string to the listing.

    The page size is the user's preference. The page passes through Django's handler: middleware, session and
    templates. Static files are not collected, and the response is not compressed.
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
    from django.core.wsgi import get_wsgi_application  # as above
    from django.test import Client, RequestFactory  # as above

    settings.STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]
    settings.LOGGING = {"version": 1}
    handler: Any = get_wsgi_application()
    call_command("create_tables", verbosity=0)
    # Django must be set up first.
    from logsite.accounts.models import User

    client = Client()
    client.force_login(User.objects.create_superuser("bench", "bench@example.com", "bench"))
    name = settings.SESSION_COOKIE_NAME
    cookie = f"{name}={client.cookies[name].value}; logs_view=limit={rows}"
    requests = RequestFactory(headers={"host": "localhost", "cookie": cookie})

    def page(query: str) -> bytes:
        response = handler.get_response(requests.get(f"/admin/logs/log/?{query}", secure=True))
        content: bytes = response.content
        if response.status_code != 200 or content.count(b"/change/") < rows:
            raise SystemExit(f"the page has the status {response.status_code}, or not {rows} rows")
        return content

    return page
