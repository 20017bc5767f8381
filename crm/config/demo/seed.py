"""Puts the demo data together and writes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import models, transaction

from activities.models import Activity
from crm.config.demo.cast import FJORD, TIDEWATER, Cast, Setting, make_cast
from crm.config.demo.companies import Companies, make_companies
from crm.config.demo.dice import Dice
from crm.config.demo.notices import make_notices
from crm.config.demo.sales import Sales, make_sales
from crm.config.demo.tasks import Tasks, make_tasks
from crm.config.demo.timeline import Shares, make_activities, make_shares
from crm.models import Notification, User
from crm.records import timeline
from crm.tenancy.backend.kept import forget_statements
from crm.tenancy.context import Actor, org_context
from deals.models import Deal

PASSWORD = "robots at sea"  # noqa: S105 -- known to everybody; production settings refuse such users
SEED = "keel"
LOGINS_FILE = "demo-logins.txt"
BATCH = 500


@dataclass
class World:
    """One organisation with all its rows, unsaved."""

    setting: Setting
    cast: Cast
    companies: Companies
    sales: Sales
    activities: list[Activity]
    shares: Shares
    notices: list[Notification]
    tasks: Tasks


def build(now: dt.datetime) -> list[World]:
    """The demo data as of `now` (aware, UTC). The same moment gives the same rows, ids included."""
    users: dict[str, User] = {}
    return [_build(setting, Dice(f"{SEED} {setting.slug}", now), users) for setting in (FJORD, TIDEWATER)]


def _build(setting: Setting, dice: Dice, users: dict[str, User]) -> World:
    cast = make_cast(setting, dice, users)
    companies = make_companies(setting, cast, dice)
    sales = make_sales(setting, cast, companies, dice)
    activities = make_activities(setting.activities, cast, companies, sales, dice)
    shares = make_shares(cast, companies, sales, dice)
    notices = make_notices(cast, sales, shares, dice)
    return World(setting, cast, companies, sales, activities, shares, notices, make_tasks(cast, sales, dice))


def seed(now: dt.datetime) -> str:
    """Writes the demo data in one transaction and returns the log-ins, which also go to `var/demo-logins.txt`.

    History is written as it would have come about, but tells nobody: no events, no mails.
    """
    worlds = build(now)
    with transaction.atomic():
        with dates_as_given(*_dated(worlds)):
            for world in worlds:
                _write_users(world.cast.users)
            for world in worlds:
                _write_rows(world)
        for world in worlds:
            _write_entries(world)
    text = logins(worlds)
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    (settings.VAR_DIR / LOGINS_FILE).write_text(text, encoding="utf-8")
    return text


def logins(worlds: Sequence[World]) -> str:
    """Who can sign in, one line each; the password is the same for all."""
    lines = [f"Demo log-ins, all with the password: {PASSWORD}"]
    known: set[str] = set()
    for world in worlds:
        for person in world.setting.people:
            if person.email not in known:
                known.add(person.email)
                lines.append(f"  {person.email:<26} {person.role.label:<10} {world.setting.name}")
    return "\n".join(lines) + "\n"


@contextmanager
def dates_as_given(*kinds: type[models.Model]) -> Iterator[None]:
    """Keeps `created_at` and `updated_at` as the rows carry them: history is not of today.

    Changes the models for the whole process, so it is for a command that does nothing else.
    """
    fields: list[Any] = [field for kind in kinds for field in kind._meta.local_concrete_fields]
    switched = [
        (field, name) for field in fields for name in ("auto_now", "auto_now_add") if getattr(field, name, False)
    ]
    for field, name in switched:
        setattr(field, name, False)
    try:
        yield
    finally:
        for field, name in switched:
            setattr(field, name, True)
        forget_statements()  # they were made of fields that write nothing by themselves


def _write_users(users: Sequence[User]) -> None:
    for user in users:
        user.set_password(PASSWORD)
    User.objects.bulk_create(users)
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users
    )


def _tables(world: World) -> list[Sequence[Any]]:
    """All rows but users, parents before children."""
    cast, companies, sales, shares = world.cast, world.companies, world.sales, world.shares
    return [
        [cast.organization], cast.members, cast.teams, cast.team_members, cast.tags, cast.rates,
        companies.accounts, companies.domains, companies.contacts, companies.emails, companies.phones, companies.links,
        [sales.pipeline], sales.stages, sales.deals, sales.contacts, sales.changes,
        world.activities, shares.contacts, shares.accounts, shares.deals, world.notices,
        world.tasks.tasks, world.tasks.notes,
    ]  # fmt: skip


def _dated(worlds: Sequence[World]) -> list[type[models.Model]]:
    return [type(rows[0]) for rows in _tables(worlds[0])]


def _write_rows(world: World) -> None:
    with org_context(Actor.system(world.cast.organization.id)):
        for rows in _tables(world):
            for owner, owned in _by_owner(rows).items():
                with org_context(_actor(world.cast, owner)):
                    type(owned[0])._default_manager.bulk_create(owned, batch_size=BATCH)


def _write_entries(world: World) -> None:
    for owner, entries in _entries(world).items():
        actor = _actor(world.cast, owner)
        with org_context(actor):
            timeline.write(entries, acting=actor)


def _by_owner(rows: Sequence[Any]) -> dict[UUID | None, list[Any]]:
    """Rows by who made them, so that the audit log names that member."""
    owned: dict[UUID | None, list[Any]] = {}
    for row in rows:
        owned.setdefault(getattr(row, "owner_id", None), []).append(row)
    return owned


def _actor(cast: Cast, member_id: UUID | None) -> Actor:
    system = Actor.system(cast.organization.id)
    if member_id is None:
        return system
    member = next(member for member in cast.members if member.id == member_id)
    return replace(system, kind="member", member_id=member_id, user_id=member.user_id, name=member.user.name)


def _entries(world: World) -> dict[UUID | None, list[timeline.Entry]]:
    """What the actions would have put on timelines, by who did it."""
    made: dict[UUID | None, list[timeline.Entry]] = {}

    def add(owner: UUID, kind: str, at: dt.datetime, data: dict[str, Any], **about: UUID | None) -> None:
        made.setdefault(owner, []).append(timeline.Entry(kind=kind, data=data, occurred_at=at, **about))

    created = {"event": "created"}
    for account in world.companies.accounts:
        add(account.owner_id, "system", account.created_at, created, account_id=account.id)
    for contact in world.companies.contacts:
        add(
            contact.owner_id,
            "system",
            contact.created_at,
            created,
            contact_id=contact.id,
            account_id=contact.account_id,
        )
    for deal in world.sales.deals:
        add(deal.owner_id, "system", deal.created_at, created, deal_id=deal.id, account_id=deal.account_id)
    for change in world.sales.changes:
        if change.from_stage is not None:
            about = {"deal_id": change.deal_id, "account_id": change.deal.account_id}
            add(change.by_id, "stage_change", change.at, _step_data(change), **about)
    return made


def _step_data(change: Any) -> dict[str, Any]:
    """As deals.actions writes it on a step."""
    came_from, stage, deal = change.from_stage, change.to_stage, change.deal
    data: dict[str, Any] = {
        "from": came_from.name, "from_tone": came_from.tone, "to": stage.name, "to_tone": stage.tone,
        "to_kind": str(stage.kind), "seconds": change.seconds_in_stage, "amount": change.amount,
        "currency": change.currency,
    }  # fmt: skip
    if isinstance(deal, Deal) and deal.close_reason and stage.kind != "open":
        data["reason"] = deal.close_reason
    return data
