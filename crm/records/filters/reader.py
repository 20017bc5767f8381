"""Who reads a filtered list, and what they mean by "me", "my team", "this month" and an amount of money."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from django.utils import timezone

from crm import queries
from crm.records.filters.dates import Calendar
from crm.tenancy.context import Actor

ME, MY_TEAM = "me", "my_team"


class Reader:
    """An actor at a moment, in the time zone that is active. What a filter needs is read when it is first asked for."""

    def __init__(self, actor: Actor, now: datetime | None = None) -> None:
        self.actor = actor
        self.calendar = Calendar(now or timezone.now(), timezone.get_current_timezone(), queries.fiscal_year_start)

    @cached_property
    def team(self) -> frozenset[UUID]:
        """The members of the actor's teams; for a manager those of all teams below, too. Oneself among them."""
        own = () if self.actor.member_id is None else (self.actor.member_id,)
        return frozenset({*own, *self.actor.members, *queries.members_of_teams(self.actor.teams)})

    @cached_property
    def rates(self) -> dict[str, Decimal]:
        """What a unit of each currency is worth in the base currency today; the base currency among them."""
        rates = {code: rate.value for code, rate in queries.exchange_rates(self.calendar.today).items()}
        return {**rates, queries.base_currency(): Decimal(1)}
