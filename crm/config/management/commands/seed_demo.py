"""`manage.py seed_demo`: two invented organisations to look at."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crm import queries
from crm.config.demo.seed import seed
from crm.models import User


class Command(BaseCommand):
    """Makes the demo data: the same for everybody who runs it on the same day, with dates relative to that day."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="do nothing where any organisation exists already")

    def handle(self, *, if_empty: bool, **_options: Any) -> None:
        if queries.due_orgs("all"):
            if if_empty:
                return
            if User.objects.filter(is_demo=True).exists():
                raise CommandError("The demo data is there already.")
        self.stdout.write(seed(timezone.now()))
