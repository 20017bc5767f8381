"""`migrate`, as the role that owns the schema: the application's role may not change tables."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections
from environ import Env


class Command(migrate.Command):
    """Django's command, connected by DATABASE_OWNER_URL."""

    def handle(self, *args: Any, **options: Any) -> str | None:
        if not settings.DATABASE_OWNER_URL:
            raise CommandError("DATABASE_OWNER_URL is missing: migrations run as the schema's owner, keel_owner.")
        connection = connections[options["database"]]
        application = dict(connection.settings_dict)
        owner = Env.db_url_config(settings.DATABASE_OWNER_URL)
        connection.close()
        for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME", "OPTIONS"):
            connection.settings_dict[name] = owner.get(name, "" if name != "OPTIONS" else {})
        try:
            return super().handle(*args, **options)
        finally:
            connection.close()
            connection.settings_dict.update(application)
