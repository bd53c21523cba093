"""Django's settings, composed from the environment."""

from __future__ import annotations

import os

from muhafiz.accounts.rules import LONGEST_SESSION
from muhafiz.config.database import database_settings, portal_settings
from muhafiz.config.environment import Environment, hosts
from muhafiz.config.secret import secret_key
from muhafiz.config.signin import sign_in_settings

ENVIRONMENT = Environment.read(os.environ)

VAR = ENVIRONMENT.folder("MUHAFIZ_VAR", ".")
LAKE = ENVIRONMENT.folder("MUHAFIZ_LAKE", "lake")
KEYS = ENVIRONMENT.folder("MUHAFIZ_KEYS", "keys")
REPORTS = VAR / "reports"
DROP_FOLDER = ENVIRONMENT.folder("MUHAFIZ_DROP_FOLDER", "drop")
BUILT = VAR / "built"  # fonts and catalogs: the package's own folder may be read-only
EXPORTS = VAR / "exports"  # files that people asked for, for a day
LETTERS = VAR / "letters"  # where the demonstration lane lays its .eml files
# Once a demonstration, a folder stays one: its invented recipients must never be written to.
DEMONSTRATION = ENVIRONMENT.flag("MUHAFIZ_DEMONSTRATION") or (VAR / "demonstration").exists()
BATCH_ROWS = ENVIRONMENT.whole("MUHAFIZ_BATCH_ROWS")
SPARK_REMOTE = ENVIRONMENT.text("MUHAFIZ_SPARK_REMOTE")
LAKE_MEMORY_MIB = ENVIRONMENT.whole("MUHAFIZ_LAKE_MEMORY_MIB")
FREE_DISK_PERCENT = ENVIRONMENT.whole("MUHAFIZ_FREE_DISK_PERCENT")
PUBLIC_URL = ENVIRONMENT.address("MUHAFIZ_PUBLIC_URL")
BIND = ENVIRONMENT.bind("MUHAFIZ_BIND")
WEB_THREADS = ENVIRONMENT.whole("MUHAFIZ_WEB_THREADS")
WORKERS = ENVIRONMENT.whole("MUHAFIZ_WORKERS")
LOG_LEVEL = ENVIRONMENT.choice("MUHAFIZ_LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOG_JSON = ENVIRONMENT.flag("MUHAFIZ_LOG_JSON")
SMTP_URL = ENVIRONMENT.text("MUHAFIZ_SMTP_URL")
MAIL_FROM = ENVIRONMENT.text("MUHAFIZ_MAIL_FROM")
IMAP_URL = ENVIRONMENT.text("MUHAFIZ_IMAP_URL")
REGION_MAP = ENVIRONMENT.file("MUHAFIZ_REGION_MAP")
PROXIES = ENVIRONMENT.count("MUHAFIZ_PROXIES")

SECRET_KEY = secret_key(KEYS)
DEBUG = False
ALLOWED_HOSTS = hosts(ENVIRONMENT.text("MUHAFIZ_HOSTS"), PUBLIC_URL)
ROOT_URLCONF = "muhafiz.config.urls"
WSGI_APPLICATION = "muhafiz.config.wsgi.application"
DATABASES = {"default": database_settings(ENVIRONMENT.text("DATABASE_URL"), VAR)}
DATABASES["portal"] = portal_settings(
    DATABASES["default"], ENVIRONMENT.text("MUHAFIZ_PORTAL_DATABASE_URL")
)
DATABASE_ROUTERS = ["muhafiz.tenancy.router.TenantRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "muhafiz.tenancy",
    "muhafiz.audit",
    "muhafiz.health",
    "muhafiz.accounts",
    "muhafiz.jobs",
    "muhafiz.rulebook",
    "muhafiz.keyring",
    "muhafiz.release",
    "muhafiz.publications",
    "muhafiz.notifications",
    "muhafiz.mandates",
    "muhafiz.constituency",
    "muhafiz.lake",
    "muhafiz.feeds",
    "muhafiz.detection",
    "muhafiz.triage",
    "muhafiz.search",
    "muhafiz.statistics",
    "muhafiz.web",
    "muhafiz.web.desk",
]

MIDDLEWARE = [
    "muhafiz.web.transport.PublicScheme",
    "muhafiz.web.headers.SecurityHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "muhafiz.web.transport.SizeLimit",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "muhafiz.web.viewer.ViewerMiddleware",
    "muhafiz.web.tenant.TenantMiddleware",
    "muhafiz.web.signin.gate.EntryGate",
    "muhafiz.web.signin.gate.SetUpGate",
    "allauth.account.middleware.AccountMiddleware",
    "muhafiz.web.refusals.RefusalPages",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "muhafiz.web.chrome.chrome",
            ],
        },
    },
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ur", "اردو")]
LOCALE_PATHS = [BUILT / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BUILT / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}

AUTH_USER_MODEL = "accounts.Person"
globals().update(sign_in_settings(ENVIRONMENT))

_HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
if _HTTPS:  # a browser takes such names from this very host only, not from a neighbor's page
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
SESSION_COOKIE_AGE = int(LONGEST_SESSION.total_seconds())
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "muhafiz.web.refusals.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
LOGGING_CONFIG = None  # config.logs sets structlog up
