"""Settings for `manage.py runlocal` alone, which starts what the site's own settings need."""

import secrets

SECRET_KEY = secrets.token_urlsafe()  # signs nothing; Django asks for one
INSTALLED_APPS = ["logsite"]
TIME_ZONE = "UTC"
