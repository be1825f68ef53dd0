"""The WSGI application, for Zappa and for Django's development server."""

import gc
import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "logsite.settings")

application = get_wsgi_application()
# Garbage collections take a quarter of the time of an export. Leave the loaded modules out of them, and begin
# one after the objects of a large page instead of 700.
gc.freeze()
gc.set_threshold(20_000)
# A thread with a response of DynamoDB gets its turn after this time in seconds, instead of 5 ms, while
# another one renders: an export takes a seventh less time.
sys.setswitchinterval(0.0005)
