"""Settings of every process. Only the environment differs between one machine and many.

`PRIVATE_VIEW_*` names are ours; `DATABASE_URL` and `REDIS_URL` are the usual ones.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import environ  # type: ignore[import-untyped]  # it ships no types
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parents[2]
env = environ.Env()


def required(name: str) -> str:
    value: str = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set. `make demo` sets it; README.md, 'For real', lists all of them."
        )
    return value


# --- what this installation is ------------------------------------------------------------------
DEBUG = env.bool("PRIVATE_VIEW_DEBUG", default=False)
SECRET_KEY = required("PRIVATE_VIEW_SECRET_KEY")
BASE_URL = env.str("PRIVATE_VIEW_BASE_URL", default="http://localhost:8000").rstrip("/")
DEPLOYMENT = env.str("PRIVATE_VIEW_DEPLOYMENT", default="private-view")
"""Prefix of queue names and Redis keys: two installations on one broker must not take each other's jobs."""
ALLOWED_HOSTS: list[str] = env.list("PRIVATE_VIEW_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [BASE_URL]
TOKEN_PEPPER = (
    env.str("PRIVATE_VIEW_TOKEN_PEPPER", default="")
    or hashlib.sha256(f"tokens {SECRET_KEY}".encode()).hexdigest()
)
"""Key of the digests under which secrets are stored. Changing it invalidates every token and invitation."""

# --- applications --------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "rest_framework",
    "audit",
    "accounts",
    "roles",
    "programme",
    "access",
    "generation",
    "review",
    "delivery",
    "api",
    "portal",
    "gallery",
    "config",
]
MIDDLEWARE = [
    "api.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.middleware.CallerMiddleware",
    "config.uploads.UploadMiddleware",
    "portal.middleware.TextMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.page",
            ]
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
INSTALLED_APPS.append("django.forms")

# --- database ------------------------------------------------------------------------------------
_database: dict[str, Any] = dict(
    env.db_url_config(required("DATABASE_URL"), engine="django.db.backends.postgresql")
)
# Connections are kept: a new one costs twelve status reads. Statements are prepared at their second use.
_database |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
_database["OPTIONS"] = {
    "server_side_binding": True,
    "prepare_threshold": 1,
    "application_name": "private-view",
} | _database.get("OPTIONS", {})
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- cache, broker, workers ----------------------------------------------------------------------
REDIS_URL = required("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": DEPLOYMENT,
    }
}

WORKER_DRAIN_SECONDS = env.int("PRIVATE_VIEW_DRAIN_SECONDS", default=60)
"""How long a worker that is asked to leave goes on with the render at hand before it hands it back."""
COPY_WAIT_SECONDS = env.float("PRIVATE_VIEW_COPY_WAIT", default=15.0)
"""How long a token's download waits for the copy that is being made for it, before it is told to ask again."""
MARK_KEYS = env.str("PRIVATE_VIEW_MARK_KEYS", default="")
"""File of the forensic marks' keys: for render workers and the tracing queue alone."""
C2PA_CHAIN = env.str("PRIVATE_VIEW_C2PA_CHAIN", default="")
C2PA_KEY = env.str("PRIVATE_VIEW_C2PA_KEY", default="")
C2PA_SIGN = env.str("PRIVATE_VIEW_C2PA_SIGN", default="")
"""Instead of the file of a key: the dotted name of a function, bytes to an ES256 signature (r and s, 64 bytes), which
asks a key service."""
C2PA_ROOTS = env.str("PRIVATE_VIEW_C2PA_ROOTS", default=C2PA_CHAIN)
"""File of the roots to trust, and of the certificates of our own signers, past ones too: theirs alone are told to be
ours, for a root may have signed for others. The one of C2PA_CHAIN counts wherever that is set."""
C2PA_TIMESTAMP_URL = env.str("PRIVATE_VIEW_C2PA_TIMESTAMP_URL", default="")
METRICS_TOKEN = env.str("PRIVATE_VIEW_METRICS_TOKEN", default="")
"""Who sends it may read /metrics, which names queues and machines; without it there is no such page."""

# --- people --------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal:home"
ACCOUNT_ADAPTER = "portal.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # the invitation was mailed to the address: using it is the proof
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_RATE_LIMITS = {
    "login": env.str("PRIVATE_VIEW_LOGIN_RATE", default="30/m/ip"),
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "20/m/ip,5/m/key",
    "signup": "20/m/ip",
    "check": env.str("PRIVATE_VIEW_CHECK_RATE", default="20/m/ip"),  # ours: /check and /v1/verify
}

# --- mail ----------------------------------------------------------------------------------------
MAIL_DIR = env.str("PRIVATE_VIEW_MAIL_DIR", default="")
DEFAULT_FROM_EMAIL = env.str("PRIVATE_VIEW_MAIL_FROM", default="Private View <noreply@localhost>")
if MAIL_DIR:
    EMAIL_BACKEND = "config.mail.ConsoleAndFileBackend"
    EMAIL_FILE_PATH = MAIL_DIR
else:
    vars().update(env.email_url("EMAIL_URL", default="smtp://localhost:25"))

# --- files ---------------------------------------------------------------------------------------
MEDIA_DIR = Path(env.str("PRIVATE_VIEW_MEDIA_DIR", default=str(ROOT / "var" / "media")))
WORKER_CACHE_DIR = Path(env.str("PRIVATE_VIEW_WORKER_CACHE", default=str(MEDIA_DIR.parent / "cache")))
"""Where a worker keeps the pictures and style files that renders start from; it may be emptied at any time."""
WORKER_CACHE_BYTES = env.int("PRIVATE_VIEW_WORKER_CACHE_BYTES", default=8 * 2**30)
ACCEL_PREFIX = env.str("PRIVATE_VIEW_ACCEL_PREFIX", default="")
"""Internal nginx location of MEDIA_DIR (`/_media/`); empty where no nginx stands in front."""
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("PRIVATE_VIEW_STATIC_DIR", default=str(ROOT / "var" / "static")))
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if env.bool("PRIVATE_VIEW_HASHED_STATIC", default=False)
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- what browsers are told ----------------------------------------------------------------------
HTTPS = BASE_URL.startswith("https://")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "pv_session"
CSRF_COOKIE_NAME = "pv_csrf"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "media-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
CSRF_FAILURE_VIEW = "portal.errors.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
LARGEST_UPLOAD_BYTES = 64 * 1024**2
"""Of all files of one form: a picture has at most 20 MB, a LoRA file of a member's own 64 MiB."""

# --- language, time, logs ------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("PRIVATE_VIEW_LOG_LEVEL", default="INFO")},
}

# --- the API -------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.MultiPartParser",
        "rest_framework.parsers.FormParser",
    ],
    "EXCEPTION_HANDLER": "api.errors.handle",
    "UNAUTHENTICATED_USER": None,
}
