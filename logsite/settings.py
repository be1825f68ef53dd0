"""Settings of the site. Every value comes from the environment; docs/settings.md lists them."""

import re
from importlib.metadata import distribution
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from ingest.wire import queue_url
from logs.storage import endpoints
from logsite import log_lines, secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()


# A session or a delay of more days has an end that no datetime can hold.
MAX_DAYS = 36_500


def number(name: str, default: int, least: int = 1, most: int = 1_000_000_000) -> int:
    """Return a variable that is a whole number. Raise ImproperlyConfigured with its name and value."""
    text = env.str(name, default="") or str(default)
    value = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(most)) else least - 1
    if not least <= value <= most:
        raise ImproperlyConfigured(f"{name} must be a whole number from {least} to {most}, not {text!r}.")
    return value


def switch(name: str, text: str, *, default: bool) -> bool:
    """Return whether a variable is on. An empty text is the default. Raise ImproperlyConfigured."""
    if text.lower() not in ("", "on", "off", "1", "0", "true", "false", "yes", "no"):
        raise ImproperlyConfigured(f"{name} must be on or off, not {text!r}.")
    return text.lower() in ("on", "1", "true", "yes") if text else default


DEBUG = env.bool("DEBUG", default=False)
ON_LAMBDA = bool(env.str("AWS_LAMBDA_FUNCTION_NAME", default=""))
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

if DEBUG and ON_LAMBDA:
    raise ImproperlyConfigured("DEBUG must be off on Lambda, because it shows stack traces to everybody.")
if refusal := endpoints.refusal(debug=DEBUG):
    raise ImproperlyConfigured(refusal)
if "*" in ALLOWED_HOSTS and not DEBUG:
    raise ImproperlyConfigured("ALLOWED_HOSTS must list the site's host names. * allows any host.")

# The first key signs. Signatures of the others stay valid.
SECRET_KEY, *_earlier = secret_key.read(
    env.str("SECRET_KEY", default=""), env.str("SECRET_KEY_PARAMETER", default="")
)
SECRET_KEY_FALLBACKS = [*_earlier, *env.list("SECRET_KEY_FALLBACKS", default=[])]
if not DEBUG and (weakness := secret_key.weakness(SECRET_KEY)):
    raise ImproperlyConfigured(weakness)

# The path prefix of the site: `/dev` under API Gateway's own host name, empty under a custom one.
STAGE_PREFIX = env.str("STAGE_PREFIX", default="")
# All links begin with it. //host would lead to another site.
if STAGE_PREFIX and not re.fullmatch(r"(/[A-Za-z0-9_-]+)+", STAGE_PREFIX):
    raise ImproperlyConfigured(
        "STAGE_PREFIX must begin with / and not end with /, and its parts have letters, digits, - and _ "
        f"only, not {STAGE_PREFIX!r}."
    )
FORCE_SCRIPT_NAME = STAGE_PREFIX or None

INSTALLED_APPS = [
    "logsite",
    "logsite.accounts",
    "logs",
    "logsite.admin.LogsiteAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

# ninja is not an installed app: importing it would take a quarter of a cold start. See logsite/urls.py.
NINJA = Path(str(distribution("django-ninja").locate_file("ninja")))

MIDDLEWARE = [
    "logsite.middleware.RequestLogMiddleware",
    "logsite.audit.middleware.AuditMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "logsite.middleware.ResponseHeadersMiddleware",
    "logsite.middleware.HealthCheckMiddleware",
    "logsite.middleware.MethodMiddleware",
    "logsite.middleware.BadRequestMiddleware",
    # With DEBUG on, Django's development server serves static files from their apps.
    *([] if DEBUG else ["whitenoise.middleware.WhiteNoiseMiddleware"]),
    "logsite.response_limit.ResponseSizeMiddleware",
    # It adds up to 100 random bytes to each response, against the BREACH attack.
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "logsite.middleware.StoreUnavailableMiddleware",
    "logsite.middleware.TooManyAttemptsMiddleware",
]

ROOT_URLCONF = "logsite.urls"
WSGI_APPLICATION = "logsite.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [NINJA / "templates"],
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

# No SQL database: users and sessions are in DynamoDB, as the logs are.
DATABASES: dict[str, dict[str, str]] = {}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["logsite.accounts.backends.UserBackend"]
SESSION_ENGINE = "logsite.accounts.sessions"
LOGIN_URL = "admin:login"
# After a login with a `next` that is not a page of this site.
LOGIN_REDIRECT_URL = "admin:logs_log_changelist"
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

# Wrong passwords before the delay begins, and the longest delay.
LOGSITE_SIGN_IN_FAILURES = number("LOGSITE_SIGN_IN_FAILURES", 5)
LOGSITE_SIGN_IN_FAILURES_PER_ADDRESS = number("LOGSITE_SIGN_IN_FAILURES_PER_ADDRESS", 20)
LOGSITE_SIGN_IN_MAX_DELAY_SECONDS = number(
    "LOGSITE_SIGN_IN_MAX_DELAY_SECONDS", 900, most=MAX_DAYS * 24 * 3600
)

# The dead-letter pages need both queues. The audit trail needs the first one, and is on if it is set.
LOGS_QUEUE_URL = env.str("LOGS_QUEUE_URL", default="")
LOGS_DEAD_LETTER_QUEUE_URL = env.str("LOGS_DEAD_LETTER_QUEUE_URL", default="")
LOGSITE_AUDIT = switch("LOGSITE_AUDIT", env.str("LOGSITE_AUDIT", default=""), default=bool(LOGS_QUEUE_URL))
if LOGSITE_AUDIT:
    if not LOGS_QUEUE_URL:
        raise ImproperlyConfigured("LOGSITE_AUDIT is on, and needs a queue: set LOGS_QUEUE_URL.")
    try:
        queue_url.parse(LOGS_QUEUE_URL, "LOGS_QUEUE_URL")
    except queue_url.InvalidQueueUrl as error:
        raise ImproperlyConfigured(str(error)) from error

# The numbers of the two queues for the freshness of the logs.
LOGS_QUEUE_COUNTS = "logsite.queue_counts.queue_counts"

# The rate limits of one API token or user: requests, examined items and read units a minute.
LOGS_API_REQUESTS_PER_MINUTE = number("LOGS_API_REQUESTS_PER_MINUTE", 120)
LOGS_API_EXAMINED_PER_MINUTE = number("LOGS_API_EXAMINED_PER_MINUTE", 500_000)
LOGS_API_READ_UNITS_PER_MINUTE = number("LOGS_API_READ_UNITS_PER_MINUTE", 100_000)

# Django sets the time zone of the process, and with it the times in log lines. Keep UTC there too.
TIME_ZONE = "UTC"
USE_TZ = True
# The site's only language: without translations, pages take less time.
LANGUAGE_CODE = "en-us"
USE_I18N = False

STATIC_URL = f"{STAGE_PREFIX}/static/"
STATICFILES_DIRS = [NINJA / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Browsers cache a file for ever if its name holds the content's hash, as collectstatic names them.
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_ALLOW_ALL_ORIGINS = False
# Pages refer only to hashed names.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# Under API Gateway's own host name, other stages share the host.
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = STAGE_PREFIX or "/"
# A session ends after this time, even if it is used.
SESSION_COOKIE_AGE = number("LOGSITE_SESSION_DAYS", 14, most=MAX_DAYS) * 24 * 3600
# Without a request it ends earlier.
SESSION_IDLE_SECONDS = number("LOGSITE_SESSION_IDLE_HOURS", 8, most=MAX_DAYS * 24) * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True

# The address holds the search, which other sites must not see.
SECURE_REFERRER_POLICY = "same-origin"
if not DEBUG:
    # Without subdomains, which may belong to others.
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
# The number of proxies before the site that add to X-Forwarded-For and set X-Forwarded-Proto.
TRUSTED_PROXY = number("TRUSTED_PROXY", 0, least=0, most=100)
if TRUSTED_PROXY and ON_LAMBDA:
    raise ImproperlyConfigured(
        "TRUSTED_PROXY must be unset on Lambda: API Gateway passes the client's address."
    )
if TRUSTED_PROXY or ON_LAMBDA:
    # API Gateway and the trusted proxy set this header. Otherwise any client could.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
LOGGING = log_lines.LAMBDA_LOGGING if ON_LAMBDA else log_lines.TEXT_LOGGING
