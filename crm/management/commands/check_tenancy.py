"""`check_tenancy`: does this database keep organisations apart? Every process asks the same when it starts."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from crm.tenancy.selfcheck import TenancyUnsafe, require


class Command(BaseCommand):
    """Ends with an error that lists what to mend."""

    help = "Checks that the application's role owns nothing and bypasses nothing, and that every table is fenced."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            require()
        except TenancyUnsafe as error:
            raise CommandError(str(error)) from error
        user = connection.settings_dict["USER"]
        self.stdout.write(f"Organisations are kept apart (RLS_MODE={settings.RLS_MODE}, as {user}).")
