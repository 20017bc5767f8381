"""Clearing what has expired. It belongs to no organisation, so nobody acts."""

from django.db import transaction
from django.utils import timezone

from crm.lib import ratelimit
from crm.models import Session


@transaction.atomic
def clear_expired() -> tuple[int, int]:
    """Removes sessions and counters of tries that have ended; says how many of each."""
    sessions, _ = Session.objects.filter(expire_date__lt=timezone.now()).delete()
    return sessions, ratelimit.sweep()
