"""Settings of the site. Every value comes from the environment; docs/settings.md lists them."""

from importlib.metadata import distribution
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from logs import endpoints
from logsite import log_lines, secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()

DEBUG = env.bool("DEBUG", default=False)
ON_LAMBDA = bool(env.str("AWS_LAMBDA_FUNCTION_NAME", default=""))
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

if DEBUG and ON_LAMBDA:
    raise ImproperlyConfigured("DEBUG is on, and this is Lambda: everybody would see stack traces.")
if refusal := endpoints.refusal(debug=DEBUG):
    raise ImproperlyConfigured(refusal)
if "*" in ALLOWED_HOSTS and not DEBUG:
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the site's names: * takes whatever a request says.")

# The first one signs, what the others signed stays good.
SECRET_KEY, *_earlier = secret_key.read(
    env.str("SECRET_KEY", default=""), env.str("SECRET_KEY_PARAMETER", default="")
)
SECRET_KEY_FALLBACKS = [*_earlier, *env.list("SECRET_KEY_FALLBACKS", default=[])]
if not DEBUG and (refusal := secret_key.refusal(SECRET_KEY)):
    raise ImproperlyConfigured(refusal)

# Where the site stands below its host: `/dev` under API Gateway's own name, nothing under one's own.
STAGE_PREFIX = env.str("STAGE_PREFIX", default="")
if STAGE_PREFIX and (not STAGE_PREFIX.startswith("/") or STAGE_PREFIX.endswith("/")):
    raise ImproperlyConfigured(f"STAGE_PREFIX must begin with / and not end with it, unlike {STAGE_PREFIX!r}")
FORCE_SCRIPT_NAME = STAGE_PREFIX or None

INSTALLED_APPS = [
    "logsite.accounts",
    "logsite.letters",
    "logsite.local",
    "logsite.doctor",
    "logs",
    "logsite.admin.LogsiteAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

# Not an installed app, which every start would load: a quarter of a cold one. See logsite/urls.py.
NINJA = Path(str(distribution("django-ninja").locate_file("ninja")))

MIDDLEWARE = [
    "logsite.middleware.RequestLineMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "logsite.middleware.HealthMiddleware",
    # With DEBUG on, Django's own server finds static files where they lie.
    *([] if DEBUG else ["whitenoise.middleware.WhiteNoiseMiddleware"]),
    "logsite.answers.LimitMiddleware",
    # Against BREACH it adds up to 100 random bytes to each answer.
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "logsite.middleware.StoreAwayMiddleware",
]

ROOT_URLCONF = "logsite.urls"
WSGI_APPLICATION = "logsite.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "logsite" / "templates", NINJA / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# No SQL database: users and sessions lie in DynamoDB, as the logs do.
DATABASES: dict[str, dict[str, str]] = {}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["logsite.accounts.backends.UserBackend"]
SESSION_ENGINE = "logsite.accounts.sessions"
LOGIN_URL = "admin:login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# What one API token may do in a minute: requests, and items that DynamoDB looks at for it.
LOGS_API_REQUESTS_PER_MINUTE = env.int("LOGS_API_REQUESTS_PER_MINUTE", default=120)
LOGS_API_EXAMINED_PER_MINUTE = env.int("LOGS_API_EXAMINED_PER_MINUTE", default=500_000)

# UTC in the process too: Django's default zone would change it, and with it the times in log lines.
TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en-us"

STATIC_URL = f"{STAGE_PREFIX}/static/"
STATICFILES_DIRS = [BASE_DIR / "logsite" / "static", NINJA / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # A name with the content's hash in it may be kept for ever. `manage.py collectstatic` makes them.
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_ALLOW_ALL_ORIGINS = False

# Under API Gateway's own name other stages are neighbours on the same host.
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = STAGE_PREFIX or "/"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True

# A search stands in the address: no other site is told of it.
SECURE_REFERRER_POLICY = "same-origin"
if not DEBUG:
    # Of this name alone: those beside and below it may be other people's.
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
if ON_LAMBDA:
    # API Gateway sets it itself; elsewhere anybody could.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    LOGGING = log_lines.LOGGING
