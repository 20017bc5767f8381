"""`rotate_master_key`: wraps every organisation's data key by the first of MASTER_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.lib import crypto
from crm.tenancy.orgs import for_each_org


class Command(BaseCommand):
    """Safe to run again, and while Keel runs: values stay as they are, only the wrapping changes."""

    help = (
        "Wraps every organisation's data key by the first master key. Put the new key first into MASTER_KEYS, keep the"
        " old one behind it, restart, run this, then take the old one out."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        rewrapped = 0
        failures: list[str] = []
        for actor in for_each_org():
            try:
                rewrapped += crypto.rewrap_data_key(actor.org_id)
            except crypto.CryptoError as error:
                failures.append(str(error))
        self.stdout.write(f"{rewrapped} data keys wrapped anew.")
        if failures:
            raise CommandError("Some data keys could not be unwrapped:\n" + "\n".join(failures))
