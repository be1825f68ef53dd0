"""The site's settings in an environment that cannot reach AWS."""

import os

CLEARED = ("AWS_", "LOGS_", "LOGSITE_AUDIT", "LOGSITE_SIGN_", "LOGSITE_SESSION_", "DJANGO_SUPERUSER_")
for name in [name for name in os.environ if name.startswith(CLEARED)]:
    del os.environ[name]

os.environ.update(
    SECRET_KEY="a key for the tests, long enough for production",
    DEBUG="off",
    ALLOWED_HOSTS="testserver,127.0.0.1,localhost",
    AWS_ACCESS_KEY_ID="tests",
    AWS_SECRET_ACCESS_KEY="tests",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    AWS_EC2_METADATA_DISABLED="true",
    # All tests sign in from one address.
    LOGSITE_SIGN_IN_FAILURES_PER_ADDRESS="1000000",
)
# A closed port until a fixture sets the engine's endpoint, so that no test reaches AWS.
os.environ.setdefault("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

from logsite.settings import *  # noqa: E402, F403  it reads the environment above

# A fast hasher, because the tests sign in often.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Static files are served from their apps. Only tests/test_static.py collects them.
MIDDLEWARE = [name for name in MIDDLEWARE if name != "whitenoise.middleware.WhiteNoiseMiddleware"]  # noqa: F405  from logsite.settings
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
SESSION_COOKIE_SECURE = False
CSRF_COOKIE_SECURE = False
