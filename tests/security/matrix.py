"""The machinery of the permission matrix: a world that could leak, actors, and a fingerprint of everything stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from django.test import Client
from django.utils import timezone

from activities.actions.log import NewActivity, log_activity
from contacts.actions.accounts import create_account
from contacts.actions.contacts import create_contact
from contacts.models import Account, Contact
from contacts.values import EmailValue, NewAccount, NewContact
from crm.models import Membership, Team
from deals.actions.deals import create_deal
from deals.actions.pipelines import create_default_pipeline
from deals.models import Deal, Pipeline, Stage
from tests.factories import Org, make_org
from tests.support.web import client_for
from tests.vessels.models import Vessel

ANONYMOUS, STRANGER, COLLEAGUE = "anonymous", "stranger", "colleague"
ADMIN, MANAGER, REP, READONLY = "admin", "manager", "rep", "readonly"
# colleague: a rep of the same private organisation who sees none of the rep's records.
INSIDE = (ADMIN, MANAGER, REP, READONLY, COLLEAGUE)
EVERYBODY = (ANONYMOUS, STRANGER, *INSIDE)


@dataclass
class World:
    """Two organisations; in the first, records of `rep` in a team that `manager` manages."""

    org: Org
    other: Org
    members: dict[str, Membership]
    stranger: Membership
    team: Team
    pipeline: Pipeline
    stages: dict[str, Stage]
    account: Account
    contact: Contact
    deal: Deal
    activity: Any
    vessel: Vessel
    extra: dict[str, Any] = field(default_factory=dict)

    def client(self, actor: str) -> Client:
        """A browser of the actor."""
        if actor == ANONYMOUS:
            return Client(raise_request_exception=False)
        return client_for(self.stranger if actor == STRANGER else self.members[actor])

    def get(self, model: Any, pk: UUID) -> Any:
        """A row as it is now, or None."""
        with self.org.system():
            return model._base_manager.filter(pk=pk).first()

    def count(self, model: Any, **filters: Any) -> int:
        """How many rows of the first organisation fit."""
        with self.org.system():
            return model._base_manager.filter(**filters).count()


def make_world() -> World:
    """Everything that a route may touch."""
    org, other = make_org("Northwind"), make_org("Contoso")
    members = {role: org.member(role, name=f"{role.title()} Member") for role in (ADMIN, MANAGER, REP, READONLY)}
    members[COLLEAGUE] = org.member(REP, name="Other Rep")
    stranger = other.member(ADMIN, name="Stranger")
    team = org.team("North", members[REP], managers=(members[MANAGER],))
    with other.system() as system:
        create_default_pipeline(acting=system)
    with org.system() as system:
        pipeline = create_default_pipeline(acting=system)
        stages = {stage.name: stage for stage in Stage.objects.filter(pipeline=pipeline)}
    with org.acting(members[REP]) as rep:
        account = create_account(NewAccount(name="Halden Logistics", domains=("halden.example",)), acting=rep)
        contact = create_contact(
            NewContact(first_name="Ines", last_name="Marchetti", emails=(EmailValue("ines@halden.example"),)),
            acting=rep,
        )
        deal = create_deal({"name": "Yard crane", "stage": stages["Lead"].pk, "account": account.pk}, acting=rep)
        activity = log_activity(NewActivity(type="note", body="Met at the fair", contact_id=contact.pk), acting=rep)
        vessel = Vessel.objects.create(name="Aurora", owner=members[REP])
    return World(org, other, members, stranger, team, pipeline, stages, account, contact, deal, activity, vessel)


@dataclass(frozen=True)
class Route:
    """What one route and method do, for whom.

    `allowed` are the actors that succeed with `status`; everybody else is answered with `denied` (anonymous visitors
    of organisation pages are sent to the log-in page). `effect(world, response, actor)` is true when the request did
    what it is for; `arrange(world)` prepares something before anybody asks.
    """

    name: str
    method: str
    allowed: tuple[str, ...]
    args: Callable[[World], list[Any]] = lambda world: []
    body: Callable[[World], dict[str, Any]] = lambda world: {}
    query: str = ""
    status: int = 200
    denied: int = 404
    effect: Callable[[World, Any, str], bool] = lambda world, response, actor: True
    arrange: Callable[[World], None] = lambda world: None
    is_global: bool = False
    json: bool = False
    sets: str = ""  # which of several expectations of one route and method this is


def fingerprint(url: str) -> dict[str, Any]:
    """A digest of every table, seen by a superuser. Sessions, counters of tries and last-seen marks are left out."""
    with psycopg.connect(url, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname NOT IN"
            " ('crm_session', 'crm_ratelimit', 'django_migrations')"
        ).fetchall()
        union = " UNION ALL ".join(
            f"SELECT '{name}', count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {name} t"
            for (name,) in tables
        )
        return {name: (count, digest) for name, count, digest in connection.execute(union).fetchall()}


def soon() -> str:
    """Tomorrow, as a form writes it."""
    return (timezone.localdate() + timedelta(days=1)).isoformat()
