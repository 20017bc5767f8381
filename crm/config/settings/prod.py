"""Settings of a real server. It does not start with anything that is only fit for a laptop."""

from django.core.exceptions import ImproperlyConfigured

from crm.config.settings.base import *
from crm.config.settings.base import ALLOWED_HOSTS, BASE_URL, MASTER_KEYS, MIDDLEWARE, SECRET_KEY, env

DEBUG = False
REFUSE_DEMO_USERS = True
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", *MIDDLEWARE]

SESSION_COOKIE_SECURE = env.bool("SESSION_COOKIE_SECURE", default=True)
CSRF_COOKIE_SECURE = env.bool("CSRF_COOKIE_SECURE", default=True)
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # probes come from inside, without TLS
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=365 * 24 * 3600)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
# Only where a proxy of ours sets the header on every request; otherwise anybody could claim to have come by TLS.
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")


def problems() -> list[str]:
    """What these settings must not be, one line each."""
    found = []
    if env.bool("DEBUG", default=False):
        found.append("DEBUG is on: unset it.")
    if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 10 or "secret" in SECRET_KEY.lower():
        found.append("SECRET_KEY is missing, short or a default: set 50 random characters.")
    if not MASTER_KEYS or any(":" not in key for key in MASTER_KEYS):
        found.append("MASTER_KEYS is missing: set `k1:` and 32 random bytes in base64.")
    if not (SESSION_COOKIE_SECURE and CSRF_COOKIE_SECURE):
        found.append("Cookies would travel without TLS: do not set SESSION_COOKIE_SECURE or CSRF_COOKIE_SECURE to off.")
    if not BASE_URL.startswith("https://"):
        found.append("BASE_URL does not begin with https://: set the address that people open.")
    if "*" in ALLOWED_HOSTS:
        found.append("ALLOWED_HOSTS allows every name: list the ones that people open.")
    return found + [f"{name} is missing." for name in ("DATABASE_URL", "REDIS_URL") if not env(name, default="")]


if _problems := problems():
    raise ImproperlyConfigured("Production settings refuse to start:\n- " + "\n- ".join(_problems))
