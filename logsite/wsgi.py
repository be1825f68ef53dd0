"""The WSGI application, for Zappa and for Django's development server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "logsite.settings")

application = get_wsgi_application()
