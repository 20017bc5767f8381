"""`relay`: the process that delivers events to their receivers and jobs to the broker."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crm.events.relay import SWEEP, Relay
from crm.tenancy import selfcheck
from crm.web.metrics import serve_metrics


class Command(BaseCommand):
    """Runs until SIGTERM. Any number of them may run."""

    help = "Delivers events of the outbox to their receivers, and asks Celery for background jobs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sweep", type=float, default=SWEEP, help="seconds between two looks when nobody nudges")
        parser.add_argument("--heartbeat", type=Path, help="a file to touch while all is well, for health checks")

    def handle(self, *args: Any, **options: Any) -> None:
        selfcheck.require()
        relay = Relay(sweep=options["sweep"], heartbeat=options["heartbeat"])
        relay.watch_signals()
        serve_metrics()
        relay.run()
