"""Settings for `manage.py runlocal`, which starts the stack that the site's own settings need."""

import secrets

SECRET_KEY = secrets.token_urlsafe()  # signs nothing, but Django requires one
INSTALLED_APPS = ["logsite"]
TIME_ZONE = "UTC"
