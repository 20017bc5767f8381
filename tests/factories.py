"""Makes what tests need. Names are the cast; nothing is made that was not asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from crm import queries
from crm.enums import Role
from crm.models import Membership, Organization, Team, TeamMember, User
from crm.tenancy.context import Actor, elevated, org_context
from crm.tenancy.fields import new_id

PASSWORD = "correct horse battery"


def make_user(name: str = "Ada Lind", email: str = "", **fields: Any) -> User:
    """A user with a verified address; the password is PASSWORD."""
    from allauth.account.models import EmailAddress  # noqa: PLC0415 -- apps are ready by then

    user = User(name=name, email=email or f"{uuid4().hex[:10]}@example.org", **fields)
    user.set_password(PASSWORD)
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@dataclass
class Org:
    """An organisation and ways into it."""

    organization: Organization

    @property
    def id(self) -> UUID:
        return self.organization.id

    @property
    def slug(self) -> str:
        return self.organization.slug

    @contextmanager
    def system(self) -> Iterator[Actor]:
        """Inside, as the system."""
        with org_context(Actor.system(self.id)) as actor:
            yield actor

    @contextmanager
    def acting(self, member: Membership) -> Iterator[Actor]:
        """Inside, as a member with the reach their role and teams give them now."""
        with org_context(self.actor(member)) as actor:
            yield actor

    def actor(self, member: Membership) -> Actor:
        """The actor that stands for a member."""
        with self.system():
            found = queries.member_by_id(member.id)
        assert found is not None
        return found.actor

    def member(self, role: str = Role.REP, name: str = "", **user: Any) -> Membership:
        """A new active member."""
        person = make_user(name=name or f"{role.title()} {uuid4().hex[:4]}", **user)
        with self.system():
            return Membership.objects.create(user=person, role=role)

    def team(
        self, name: str, *members: Membership, parent: Team | None = None, managers: tuple[Membership, ...] = ()
    ) -> Team:
        """A team with members; `managers` are members who manage it."""
        with self.system():
            team = Team.objects.create(name=name, parent=parent)
            for member in (*members, *managers):
                TeamMember.objects.create(team=team, member=member, is_manager=member in managers)
            return team


def make_org(name: str = "Northwind", **fields: Any) -> Org:
    """An empty organisation, without members or pipeline."""
    org_id = new_id()
    with org_context(Actor.system(org_id)):
        organization = Organization.objects.create(
            id=org_id, name=name, slug=fields.pop("slug", f"org-{uuid4().hex[:8]}"), **fields
        )
    return Org(organization)


__all__ = ["PASSWORD", "Org", "elevated", "make_org", "make_user"]
