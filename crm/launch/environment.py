"""The settings that Keel's processes get from the launcher; what is set already always wins."""

import os
from collections.abc import Mapping

from crm.launch.checkout import Checkout
from crm.launch.postgres import SUPERUSER, Postgres
from crm.launch.secrets import write_private
from crm.launch.valkey import Valkey

DATABASE = "keel"
# Written for `manage.py` commands run by hand while `make up` runs (crm/config/settings/dev.py).
RUN_FILE = "run.env"
# Known to the launcher alone: the application's processes never learn the superuser's password.
LAUNCHER_ONLY = ("DATABASE_SUPERUSER_URL", "POSTGRES_SUPERUSER_PASSWORD", "POSTGRES_APP_PASSWORD", "VALKEY_PASSWORD")
OWNER_ONLY = ("DATABASE_OWNER_URL", "POSTGRES_OWNER_PASSWORD")


def wants_embedded_postgres(environ: Mapping[str, str]) -> bool:
    """Whether no real database server was named."""
    return not environ.get("DATABASE_URL")


def wants_embedded_valkey(environ: Mapping[str, str]) -> bool:
    """Whether no real Valkey or Redis was named."""
    return not environ.get("REDIS_URL")


def build(
    checkout: Checkout,
    secrets: Mapping[str, str],
    *,
    postgres: Postgres | None,
    valkey: Valkey | None,
    host: str,
    port: int,
    live_port: int,
) -> dict[str, str]:
    """The whole environment of the launcher's steps, secrets of the superuser and the owner included."""
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 -- compared, not bound
    values = {
        "SECRET_KEY": secrets["SECRET_KEY"],
        "MASTER_KEYS": secrets["MASTER_KEYS"],
        "DJANGO_SETTINGS_MODULE": "crm.config.settings.dev",
        "KEEL_VAR": str(checkout.var),
        "BASE_URL": f"http://{shown}:{port}",
        "LIVE_URL": f"http://{shown}:{live_port}",
    }
    if os.environ.get("METRICS_ADDRESS"):
        values["PROMETHEUS_MULTIPROC_DIR"] = str(checkout.var / "metrics")
    if postgres is not None:
        values |= {
            "DATABASE_SUPERUSER_URL": postgres.url(SUPERUSER, secrets["POSTGRES_SUPERUSER_PASSWORD"], "postgres"),
            "DATABASE_OWNER_URL": postgres.url("keel_owner", secrets["POSTGRES_OWNER_PASSWORD"], DATABASE),
            "DATABASE_URL": postgres.url("keel_app", secrets["POSTGRES_APP_PASSWORD"], DATABASE),
        }
    if valkey is not None:
        values["REDIS_URL"] = valkey.url(secrets["VALKEY_PASSWORD"])
    given = {name: value for name, value in os.environ.items() if value}
    return {**values, **given, "PYTHONUNBUFFERED": "1", "KEEL_SUPERVISED": "1"}


def for_application(environment: Mapping[str, str]) -> dict[str, str]:
    """What web, live, worker, beat and relay may know: nothing that is above the application's role."""
    return {name: value for name, value in environment.items() if name not in {*LAUNCHER_ONLY, *OWNER_ONLY}}


def for_steps(environment: Mapping[str, str]) -> dict[str, str]:
    """What migrations and other commands may know: the owner, not the superuser."""
    return {name: value for name, value in environment.items() if name not in LAUNCHER_ONLY}


def save(checkout: Checkout, environment: Mapping[str, str]) -> None:
    """Write down the addresses of this run, for commands run by hand. Mode 0600."""
    names = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "BASE_URL", "LIVE_URL", "SECRET_KEY", "MASTER_KEYS")
    write_private(checkout.var / RUN_FILE, {name: environment[name] for name in names if name in environment})
