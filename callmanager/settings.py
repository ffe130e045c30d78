"""Environment -> settings. Every variable is optional and described in docs/operations.md."""

import os
import re
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import phonenumbers
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from callmanager.environment import env, fernet_keys, flag, read, seconds, stored_secret
from callmanager.worker_queue import huey_settings

BASE_DIR = Path(__file__).resolve().parent.parent

# --- The installation ---------------------------------------------------------------------------
VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
DEBUG = flag("DEBUG")
DEMO = flag("DEMO")
DATA_DIR = Path(read("DATA_DIR", env.str, str(BASE_DIR / "var"))).absolute()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
_secret_key = read("SECRET_KEY", env.str, "")
# Each file of a key may have several, a line each: a restored backup brings its own along.
SECRET_KEY, *SECRET_KEY_FALLBACKS = (
    [_secret_key] if _secret_key else stored_secret(DATA_DIR / "secret_key").split() or [""]
)
# What opens the providers' secrets: the first encrypts, any of them decrypts.
_field_keys: list[str] = read("FIELD_ENCRYPTION_KEY", fernet_keys, [])
FIELD_ENCRYPTION_KEYS = _field_keys or [
    f"{key}=" for key in stored_secret(DATA_DIR / "field_encryption_key", 32).split()
]
PUBLIC_BASE_URL = read("PUBLIC_BASE_URL", env.str, "").rstrip("/")
_public = urlsplit(PUBLIC_BASE_URL)
if PUBLIC_BASE_URL and not (_public.scheme in {"http", "https"} and _public.hostname):
    raise ImproperlyConfigured(
        f"PUBLIC_BASE_URL={PUBLIC_BASE_URL!r} cannot be read: write https://your.host"
    )
ALLOWED_HOSTS = read(
    "ALLOWED_HOSTS",
    env.list,
    ["localhost", "127.0.0.1", "[::1]"] + ([_public.hostname] if _public.hostname else []),
)
if PUBLIC_BASE_URL:
    CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
# Proxies of ours between the client and us: so many of what they tell, from our side, is believed.
TRUSTED_PROXIES = seconds("TRUSTED_PROXIES", 0, least=0)
REQUEST_TIMEOUT_SECONDS = seconds("REQUEST_TIMEOUT_SECONDS", 30)
# What lies below the site's own host name; nothing of the company's beside or above it.
SECURE_HSTS_INCLUDE_SUBDOMAINS = flag("HSTS_SUBDOMAINS", True)
# Only who owns a whole domain can put it on the browsers' own lists, and comes off them in years.
SECURE_HSTS_PRELOAD = flag("HSTS_PRELOAD")
SILENCED_SYSTEM_CHECKS = ["security.W021"]
if _public.scheme == "https":
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 3600 * 24 * 30
    # Without a proxy that says how it was asked, every request would be sent on, for ever. Programs
    # follow no redirection of what they send, and some stand beside us where there is no TLS.
    SECURE_SSL_REDIRECT = TRUSTED_PROXIES > 0
    SECURE_SSL_HOST = _public.netloc
    SECURE_REDIRECT_EXEMPT = [r"^(api|hooks)/", r"^(healthz|readyz|metrics)$"]
SESSION_COOKIE_AGE = 3600 * 24 * 14
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

# --- Language and time --------------------------------------------------------------------------
LANGUAGES = [("es", _("Spanish")), ("en", _("English"))]
LANGUAGE_CODE = read("LANGUAGE_CODE", env.str, "es")
if LANGUAGE_CODE not in dict(LANGUAGES):
    raise ImproperlyConfigured(f"LANGUAGE_CODE={LANGUAGE_CODE!r} cannot be read: write es or en")
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "common.formats"
TIME_ZONE = read("TIME_ZONE", env.str, "UTC")
try:
    ZoneInfo(TIME_ZONE)
except Exception as error:
    raise ImproperlyConfigured(
        f"TIME_ZONE={TIME_ZONE!r} cannot be read: write a name such as America/Costa_Rica"
    ) from error
USE_TZ = True
USE_I18N = True

# --- Calls --------------------------------------------------------------------------------------
TIMER_AMBER_SECONDS = seconds("TIMER_AMBER_SECONDS", 120)
TIMER_RED_SECONDS = seconds("TIMER_RED_SECONDS", 300)
LONG_CALL_SECONDS = seconds("LONG_CALL_SECONDS", 600)
STALE_CALL_SECONDS = seconds("STALE_CALL_SECONDS", 300)
MAX_CALL_SECONDS = seconds("MAX_CALL_SECONDS", 14400)
# After a call its person is busy with it until ready, and no longer than this; 0: not counted.
WRAP_UP_CAP_SECONDS = seconds("WRAP_UP_CAP_SECONDS", 120, least=0)
# How far back a client may place the start or the end of a call it reports late.
MAX_BACKDATE_SECONDS = seconds("MAX_BACKDATE_SECONDS", 72 * 3600)
DEFAULT_PHONE_REGION = read("DEFAULT_PHONE_REGION", env.str, "CR").upper()
if DEFAULT_PHONE_REGION not in phonenumbers.SUPPORTED_REGIONS:
    raise ImproperlyConfigured(
        f"DEFAULT_PHONE_REGION={DEFAULT_PHONE_REGION!r} cannot be read: "
        "write two letters such as CR"
    )

# --- Applications -------------------------------------------------------------------------------
INSTALLED_APPS = [
    "callmanager.apps.CallManagerAdminConfig",
    "callmanager.apps.CallManagerConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "huey.contrib.djhuey",
    "rest_framework",
    "compat",
    "accounts",
    "calls",
    "metrics",
    "reconciliation",
    "webphone",
    "upkeep",
    "notifications",
]
ROOT_URLCONF = "callmanager.urls"
ASGI_APPLICATION = "callmanager.asgi.application"
WSGI_APPLICATION = "callmanager.wsgi.application"
# Threads that answer HTTP in one process; live sockets do not use them.
WEB_THREADS = seconds("WEB_THREADS", 4)
# Live lines of one session or API key in one process; the oldest makes room for one more.
LIVE_LINES_PER_SESSION = seconds("LIVE_LINES_PER_SESSION", 20)
# So often it is asked whether a live line may go on, whatever was told of it meanwhile.
LIVE_LOOK_SECONDS = seconds("LIVE_LOOK_SECONDS", 300)

MIDDLEWARE = [
    "callmanager.serving.proxies.TrustedProxies",
    "django.middleware.security.SecurityMiddleware",
    "callmanager.middleware.Programs",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "callmanager.middleware.PageCompression",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "callmanager.middleware.Language",
    "callmanager.middleware.PageLogin",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "callmanager.context.site",
                "calls.context.timer",
                "calls.context.dial",
                "notifications.bell.context.bell",
                "webphone.context.phone",
            ]
        },
    }
]
CSRF_FAILURE_VIEW = "callmanager.errors.csrf_failure"

# --- Data ---------------------------------------------------------------------------------------
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Django's own, with a queue for writers, and with statements that are planned once.
SQLITE, POSTGRESQL = "common.databases.sqlite", "common.databases.postgresql"
_OURS = {"django.db.backends.sqlite3": SQLITE, "django.db.backends.postgresql": POSTGRESQL}
DATABASE_URL = read("DATABASE_URL", env.str, "")
if DATABASE_URL:
    DATABASES: dict[str, Any] = {"default": read("DATABASE_URL", env.db_url, {})}
    if DATABASES["default"].get("ENGINE") not in _OURS:
        raise ImproperlyConfigured(
            "DATABASE_URL cannot be read: write postgres://user:password@host:5432/name"
        )
    DATABASES["default"]["ENGINE"] = _OURS[DATABASES["default"]["ENGINE"]]
else:
    DATABASES = {
        "default": {
            "ENGINE": SQLITE,
            "NAME": str(DATA_DIR / "callmanager.sqlite3"),
        }
    }
# NORMAL: a power cut may take the last commits along. FULL: each waits until the disk has it.
SQLITE_SYNCHRONOUS = read("SQLITE_SYNCHRONOUS", env.str, "NORMAL").upper()
if SQLITE_SYNCHRONOUS not in ("FULL", "NORMAL"):
    raise ImproperlyConfigured(
        f"SQLITE_SYNCHRONOUS={SQLITE_SYNCHRONOUS!r} cannot be read: write FULL or NORMAL"
    )
_database = DATABASES["default"]
_database["CONN_MAX_AGE"] = None  # one lasting connection a thread: see docs/architecture.md
_database["CONN_HEALTH_CHECKS"] = True
if _database["ENGINE"] == SQLITE:
    # How long who writes waits for another process that does.
    _lock_seconds = _database.get("OPTIONS", {}).get("timeout", 20)
    if type(_lock_seconds) is not int or _lock_seconds < 1:
        raise ImproperlyConfigured(
            "DATABASE_URL cannot be read: timeout is a whole number of seconds above 0"
        )
    _database["OPTIONS"] = {
        # Writers queue at BEGIN instead of failing at their first write.
        "transaction_mode": "IMMEDIATE",
        "timeout": _lock_seconds,
        "init_command": (
            f"PRAGMA journal_mode=WAL; PRAGMA synchronous={SQLITE_SYNCHRONOUS}; "
            "PRAGMA cache_size=-32000; PRAGMA mmap_size=268435456; "
            # What is removed must not be found in the file: many builds have it on by themselves.
            "PRAGMA secure_delete=ON;"
        ),
    }
    SQLITE_FILE: str = _database["NAME"]
    # A file: the browser and process tests open the test database from other processes.
    _database["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    SQLITE_FILE = ""
    _database["TEST"] = {"NAME": os.environ.get("TEST_DATABASE_NAME", "test_callmanager")}

REDIS_URL = read("REDIS_URL", env.str, "")
if REDIS_URL and not re.match(r"^(rediss?|unix)://", REDIS_URL):
    raise ImproperlyConfigured(f"REDIS_URL={REDIS_URL!r} cannot be read: write redis://host:6379/0")
if REDIS_URL:
    # The layer waits 5 s at a time for a message; the connection's own patience, 5 s too, must not
    # end first, or a quiet line breaks and what happens until it is mended is not reported.
    _redis = {"address": REDIS_URL, "socket_timeout": 30}
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [_redis], "capacity": 10_000, "expiry": 30},
        }
    }
    CACHES: dict[str, Any] = {
        "default": {
            "BACKEND": "common.databases.redis_cache.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "callmanager",
        }
    }
else:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels.layers.InMemoryChannelLayer",
            "CONFIG": {"capacity": 10_000, "expiry": 30},
        }
    }
    CACHES = {
        "default": {
            "BACKEND": "common.databases.memory_cache.MemoryCache",
            # The default of 300 entries would forget in silence.
            "OPTIONS": {"MAX_ENTRIES": 200_000},
        }
    }

# Background and periodic work: a file beside the database, or Redis when outgrown.
HUEY = huey_settings(REDIS_URL, DATA_DIR)

# --- What is sent, kept and removed -------------------------------------------------------------
# Mail is off until an address of a server is set, such as smtp+tls://user:password@host:587.
EMAIL_URL = read("EMAIL_URL", env.str, "")
if EMAIL_URL:
    vars().update(read("EMAIL_URL", env.email_url, {}))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = read("DEFAULT_FROM_EMAIL", env.str, "callmanager@localhost")
# Messages and webhooks go to no loopback and no private address, unless this is on.
OUTGOING_PRIVATE_ADDRESSES = flag("OUTGOING_PRIVATE_ADDRESSES")
# Telegram's, or a Bot API server of one's own.
TELEGRAM_API_URL = read("TELEGRAM_API_URL", env.str, "https://api.telegram.org").rstrip("/")
BACKUP_EVERY_MINUTES = seconds("BACKUP_EVERY_MINUTES", 30, least=0)  # 0: none by themselves
BACKUP_DIR = Path(read("BACKUP_DIR", env.str, str(DATA_DIR / "backups"))).absolute()
# Another place for a copy of each: a folder, or s3://bucket/prefix.
BACKUP_COPY_TO = read("BACKUP_COPY_TO", env.str, "")
# Numbers, names and notes of older calls are removed every night; 0: they stay.
PERSONAL_DATA_DAYS = seconds("PERSONAL_DATA_DAYS", 0, least=0)

# --- People -------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.PasswordBackend"]
LOGIN_URL = "login"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- Programs -----------------------------------------------------------------------------------
API_RATE_LIMIT = read("API_RATE_LIMIT", env.str, "1000/h")
if not re.fullmatch(r"[1-9]\d*/[1-9]?\d*[smhd]", API_RATE_LIMIT):
    raise ImproperlyConfigured(
        f"API_RATE_LIMIT={API_RATE_LIMIT!r} cannot be read: write a number and s, m, h or d, "
        "such as 1000/h"
    )
API_MAX_BODY_BYTES = 64 * 1024
# The addresses and the Socket.IO feed of the first system's desktop program: docs/desktop.md.
DESKTOP_COMPAT = flag("DESKTOP_COMPAT")
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.ApiKeyAuthentication",
        "accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttling.KeyRateThrottle"],
    "DEFAULT_PARSER_CLASSES": ["callmanager.parsers.BoundedJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "callmanager.parsers.OneFormat",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "callmanager.errors.api_exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "CallManager API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "PREPROCESSING_HOOKS": ["callmanager.schema.paths_without_slash"],
    "POSTPROCESSING_HOOKS": [],
}

# --- Pages --------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = Path(read("STATIC_ROOT", env.str, str(BASE_DIR / "staticfiles"))).absolute()
STATICFILES_DIRS = [BASE_DIR / "static"]
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o755  # of static files, which a proxy may serve
# Before the first `collectstatic` the files are served as they lie in the sources.
_hashed = not DEBUG and ((STATIC_ROOT / "staticfiles.json").exists() or "collectstatic" in sys.argv)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "callmanager.storage.StaticFiles"
        if _hashed
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not _hashed
# Nothing but this host, and nothing inline.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- Log ----------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.channels.server": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "weasyprint": {"level": "ERROR"},
        "fontTools": {"level": "ERROR"},
        # With a handler of its own; otherwise the worker adds one and says everything twice.
        "huey": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}
