"""Settings that hold everywhere. Values that differ between machines come from the environment (twelve-factor)."""

from pathlib import Path

import environ

from crm.config.settings.helpers import broker_url, logging_config

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parents[3]
VAR_DIR = Path(env("KEEL_VAR", default=str(BASE_DIR / "var")))

SECRET_KEY = env("SECRET_KEY", default="")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# Wraps each organisation's data key: `id:base64` pairs, the first one is used for new keys (crm/lib/crypto.py).
MASTER_KEYS = env.list("MASTER_KEYS", default=[])
DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
BASE_URL = env("BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[BASE_URL])
# Where browsers reach the live stream: an absolute URL on another port, or a path behind the same proxy.
LIVE_URL = env("LIVE_URL", default="http://127.0.0.1:8001").rstrip("/")

INSTALLED_APPS = [
    "crm.apps.CrmConfig",
    "contacts.apps.ContactsConfig",
    "deals.apps.DealsConfig",
    "activities.apps.ActivitiesConfig",
    "crm.config.apps.ConfigConfig",
    "allauth",
    "allauth.account",
    "guardian",
    "django_htmx",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "crm.web.logging.RequestLogMiddleware",
    "crm.views.health.HealthMiddleware",
    "crm.web.security.SecurityHeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "crm.tenancy.middleware.TransactionMiddleware",
    "crm.web.sessions.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "crm.web.sessions.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "crm.tenancy.middleware.OrganizationMiddleware",
    "crm.web.errors.ErrorMiddleware",
]

ROOT_URLCONF = "crm.config.urls_global"
ORG_URLCONF = "crm.config.urls_org"
WSGI_APPLICATION = "crm.config.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "crm.web.jinja.environment",
            "context_processors": ["crm.web.context.shell"],
        },
    },
    {
        # Libraries' own templates only (allauth's subject lines and the like); ours come first.
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    },
]
FORM_RENDERER = "crm.web.forms.FieldRenderer"

# The application's role owns nothing; `migrate`, the test database and nothing else use the owner's.
DATABASES = {
    "default": {
        **env.db_url("DATABASE_URL", default="postgres:///keel"),
        "ENGINE": "crm.tenancy.backend",
        "CONN_MAX_AGE": None,
        "DISABLE_SERVER_SIDE_CURSORS": True,  # safe behind PgBouncer's transaction pooling
    },
}
# Statements that every request makes are prepared once per connection. Off behind a PgBouncer older than 1.21.
DATABASE_PREPARE = env.bool("DATABASE_PREPARE", default=True)
DATABASE_OWNER_URL = env("DATABASE_OWNER_URL", default="")
# `forced`: every tenant table has FORCE ROW LEVEL SECURITY and a BYPASSRLS role owns the definer functions.
# `owner`: for managed services that grant no BYPASSRLS; the functions belong to the table owner and FORCE is off.
RLS_MODE = env("RLS_MODE", default="forced")
# Seconds that a statement with a filter of somebody's own making may run.
FILTER_TIMEOUT = env.float("FILTER_TIMEOUT", default=5.0)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env("REDIS_URL", default="redis://127.0.0.1:6379/0")

AUTH_USER_MODEL = "crm.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_ENGINE = "crm.web.sessions"
SESSION_COOKIE_NAME = "keel_session"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "keel_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "crm.views.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
LOGIN_URL = "/auth/login/"
LOGIN_REDIRECT_URL = "/orgs/"
LOGOUT_REDIRECT_URL = "/auth/login/"

ACCOUNT_ADAPTER = "crm.web.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_RATE_LIMITS = False  # ours holds when Valkey is down too (crm/lib/ratelimit.py)
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True  # only in the browser that signed up
ACCOUNT_CHANGE_EMAIL = True  # one address a person; a new one replaces it once it is verified
ACCOUNT_EMAIL_NOTIFICATIONS = True  # of a changed password or address
ACCOUNT_FORMS = {
    "login": "crm.forms.auth.LoginForm",
    "signup": "crm.forms.auth.SignUpForm",
    "reset_password": "crm.forms.auth.ResetForm",
    "reset_password_from_key": "crm.forms.auth.NewPasswordForm",
}
# Proxies of ours, as addresses or networks: only what they say of the client is believed (crm/lib/clients.py).
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])

ANONYMOUS_USER_NAME = None  # guardian: no anonymous user row
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]  # its checker is used, its log-in backend is not
GUARDIAN_MONKEY_PATCH_USER = False

LANGUAGE_CODE = "en"
# What people can choose: the languages that pages are written in. The two differ in how dates and times are written.
LANGUAGES = [("en", "English"), ("en-us", "English (United States)")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env("STATIC_ROOT", default=str(VAR_DIR / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "crm.web.storage.StaticStorage"},
}
MEDIA_ROOT = VAR_DIR / "media"

# Mail goes to a file by default; pages that send mail say where the file is (crm.lib.mail.delivery_note).
_email = env.email_url("EMAIL_URL", default="filemail:///")
vars().update(_email)
EMAIL_FILE_PATH = str(VAR_DIR / "mail")
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=10)  # seconds a mail server may take
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="Keel <keel@localhost>")

CELERY_MODULE = "crm.config.celery"  # for the kernel, which doesn't import this package
CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"*.mail.*": {"queue": "mail"}, "*.bulk.*": {"queue": "bulk"}}
CELERY_TASK_TIME_LIMIT = 30 * 60
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}

# What crm/lib/http.py may call beside the public internet: `host`, `host:port`, `address:port`, `network/prefix`.
OUTBOUND_ALLOW = env.list("OUTBOUND_ALLOW", default=[])

LOGGING = logging_config(level=env("LOG_LEVEL", default="INFO"), form=env("LOG_FORMAT", default="json"))
REFUSE_DEMO_USERS = False  # preflight: demo passwords are known to everybody
METRICS_ADDRESS = env("METRICS_ADDRESS", default="")  # host:port of the private metrics listener; empty = off
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", default=200 * 1024 * 1024)
