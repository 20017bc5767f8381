"""Small translations that settings need."""

from typing import Any
from urllib.parse import parse_qs, urlsplit


def broker_url(redis_url: str) -> str:
    """The REDIS_URL as Celery writes it: a unix socket is `redis+socket://` there, its database `virtual_host`."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    number = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={number}"


def logging_config(*, level: str, form: str) -> dict[str, Any]:
    """Django's LOGGING: `form` is "json", one object a line, or "text" for people at a terminal."""
    fields = ("asctime", "levelname", "name", "message", "request_id", "organization", "member")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"context": {"()": "crm.web.logging.ContextFilter"}},
        "formatters": {
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "fmt": " ".join(f"%({name})s" for name in fields),
                "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
            },
            "text": {"format": "%(levelname)s %(name)s %(message)s"},
        },
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "filters": ["context"],
                "formatter": form,
            }
        },
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            # Answers of 4xx are in our request line; Django's warning would say them twice.
            "django.request": {"level": "ERROR"},
            "django.server": {"handlers": [], "propagate": True},
            # It would log whole addresses, which may hold somebody's token.
            "httpx": {"level": "WARNING"},
        },
    }
