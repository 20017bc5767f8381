"""Passwords and keys of one checkout, made at random and kept in `var/secrets.env`."""

import base64
import os
import secrets
import stat
from pathlib import Path

from crm.launch.errors import LaunchError

FILE = "secrets.env"


def make_secrets() -> dict[str, str]:
    """A new set. MASTER_KEYS is `id:base64` of 32 random bytes, as crm/lib/crypto.py reads it."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "MASTER_KEYS": f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "POSTGRES_SUPERUSER_PASSWORD": secrets.token_urlsafe(24),
        "POSTGRES_OWNER_PASSWORD": secrets.token_urlsafe(24),
        "POSTGRES_APP_PASSWORD": secrets.token_urlsafe(24),
        "VALKEY_PASSWORD": secrets.token_urlsafe(24),
    }


def deployment_env() -> str:
    """The `.env` of a docker-compose deployment: new secrets, and the addresses that its owner has to set."""
    made = make_secrets()
    values = {
        "BASE_URL": "https://crm.example.com",
        "LIVE_URL": "https://live.crm.example.com",
        "ALLOWED_HOSTS": "crm.example.com",
        "EMAIL_URL": "filemail:///",
        "DEFAULT_FROM_EMAIL": "Keel <keel@example.com>",
        "SECRET_KEY": made["SECRET_KEY"],
        "MASTER_KEYS": made["MASTER_KEYS"],
        "POSTGRES_PASSWORD": made["POSTGRES_SUPERUSER_PASSWORD"],
        "KEEL_OWNER_PASSWORD": made["POSTGRES_OWNER_PASSWORD"],
        "KEEL_APP_PASSWORD": made["POSTGRES_APP_PASSWORD"],
        "VALKEY_PASSWORD": made["VALKEY_PASSWORD"],
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def ensure_secrets(var: Path, *, data: Path) -> dict[str, str]:
    """Read the checkout's secrets, or make them on the first run.

    `data` is where the databases live. When they are there, a missing file is an error: new keys could not read what
    the old ones encrypted.
    """
    path = var / FILE
    if not path.exists():
        if (data / "postgres").exists():
            raise LaunchError(
                f"{path} is missing, but it holds the keys of the data in {data}: restore it from a backup, "
                f"or remove {data} to begin afresh."
            )
        write_private(path, make_secrets())
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)
    known = read(path)
    if missing := sorted(set(make_secrets()) - set(known)):
        raise LaunchError(f"{path} has no {', '.join(missing)}: restore it, or remove {var} to begin afresh.")
    return known


def read(path: Path) -> dict[str, str]:
    """The NAME=value lines of a file; an absent file has none."""
    if not path.exists():
        return {}
    lines = (line.strip() for line in path.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def write_private(path: Path, values: dict[str, str]) -> None:
    """Write NAME=value lines with mode 0600; a reader sees the old file or the whole new one, never a part."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("".join(f"{name}={value}\n" for name, value in values.items()))
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
