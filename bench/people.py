"""The people who are measured, signed in, and the records each of them may ask for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import transaction

from bench.scale import Scale
from crm import queries
from crm.models import User
from crm.tenancy import context
from crm.tenancy.context import org_context
from crm.web.sessions import SessionStore

ROLES = ("rep", "manager", "admin")
SLUG = "bench"
POOL = 2000  # records at most of each kind, for each role


@dataclass(frozen=True)
class Person:
    """Somebody signed in: their session's key, and whose records they look after."""

    number: int  # in their role
    session: str
    org_id: UUID
    member_id: UUID
    members: tuple[UUID, ...]
    read: str
    settings: str  # what the database is told when they ask


def sign_in(scale: Scale) -> dict[str, list[Person]]:
    """The measured people by role, each with a session."""
    wanted = {"rep": scale.reps, "manager": scale.managers, "admin": [scale.admin]}
    return {role: [_person(place, number) for place, number in enumerate(wanted[role])] for role in ROLES}


def _person(place: int, number: int) -> Person:
    user = User.objects.get(email=f"member{number}@org0.example")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    with transaction.atomic():
        context.enter_user(user.pk)
        found = queries.member_by_slug(user.pk, SLUG)
    context.leave()
    assert found is not None
    with org_context(found.actor) as actor:
        told = context.begin_settings()
    assert actor.member_id is not None
    return Person(place, str(session.session_key), actor.org_id, actor.member_id, actor.members, actor.read, told)


def write_floor_actors(people: dict[str, list[Person]], path: Path) -> Path:
    """What the floor must know to read as these people do."""
    actors: dict[str, list[dict[str, Any]]] = {}
    for role, persons in people.items():
        actors[role] = [
            {"settings": p.settings, "members": [str(m) for m in p.members], "own": p.read == "own"} for p in persons
        ]
    path.write_text(json.dumps(actors), encoding="utf-8")
    return path


@dataclass(frozen=True)
class Item:
    """A record, and somebody who may open it."""

    person: Person
    row: dict[str, Any]


class Records:
    """Which records a role's people may ask for, in an order that jumps from person to person."""

    def __init__(self, superuser_url: str, people: dict[str, list[Person]]) -> None:
        self.url, self._people = superuser_url, people
        self._known: dict[tuple[str, str], list[Item]] = {}

    def contacts(self, role: str) -> list[Item]:
        """Contacts: id, updated_at, sort_name, version."""
        return self._pool(
            role, "contact", "SELECT id, updated_at, sort_name, version FROM contacts_contact WHERE {own}"
        )

    def deals(self, role: str) -> list[Item]:
        """Open deals: id, stage_id, version, updated_at."""
        text = "SELECT id, stage_id, version, updated_at FROM deals_deal WHERE status = 'open' AND {own}"
        return self._pool(role, "deal", text)

    def accounts(self, role: str) -> list[Item]:
        """Accounts: id."""
        return self._pool(role, "account", "SELECT id FROM contacts_account WHERE {own}")

    def pipeline(self) -> UUID:
        """The measured pipeline."""
        with psycopg.connect(self.url) as connection:
            text = "SELECT id FROM deals_pipeline WHERE org_id = %s"
            return connection.execute(text, [self._people["admin"][0].org_id]).fetchone()[0]  # type: ignore[index]

    def people(self, role: str) -> list[Person]:
        """The people of a role."""
        return self._people[role]

    def stages(self) -> list[UUID]:
        """The open stages of the measured pipeline, in order."""
        text = "SELECT id FROM deals_stage WHERE org_id = %s AND kind = 'open' ORDER BY position"
        with psycopg.connect(self.url) as connection:
            return [row[0] for row in connection.execute(text, [self._people["admin"][0].org_id])]

    def _pool(self, role: str, kind: str, text: str) -> list[Item]:
        if (role, kind) not in self._known:
            persons = self._people[role]
            with psycopg.connect(self.url, row_factory=psycopg.rows.dict_row) as connection:
                found = [self._of(connection, person, text, len(persons)) for person in persons]
            turns = chain.from_iterable(zip_longest(*found))
            self._known[role, kind] = [item for item in turns if item is not None]
        return self._known[role, kind]

    def _of(self, connection: psycopg.Connection[Any], person: Person, text: str, persons: int) -> list[Item]:
        own = "org_id = %(org)s AND owner_id = ANY (%(members)s)" if person.read == "own" else "org_id = %(org)s"
        params = {"org": person.org_id, "members": list(person.members), "limit": max(20, POOL // persons)}
        statement = text.replace("{own}", own) + " ORDER BY md5(id::text) LIMIT %(limit)s"
        return [Item(person, row) for row in connection.execute(statement.encode(), params)]


def facts(people: dict[str, Sequence[Person]]) -> dict[str, int]:
    """How many people stand for each role; for the report."""
    return {role: len(persons) for role, persons in people.items()}


__all__ = ["ROLES", "SLUG", "Item", "Person", "Records", "facts", "sign_in", "write_floor_actors"]
