"""Reads about people: members, teams, invitations, sessions."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.account.models import EmailAddress
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.enums import Role
from crm.lib.errors import NotFound
from crm.models import ExchangeRate, Invitation, Membership, Session, Team, TeamMember, User
from crm.queries import members, team_names
from crm.records.registry import registry


def owned_counts(member_id: UUID) -> dict[str, int]:
    """How many records of each type a member owns, the recycle bin's too; types without any are left out.

    Only where a record must have an owner: a note keeps the name of who wrote it.
    """
    counts = {}
    for record_type in registry:
        model = record_type.model
        if any(field.name == "owner" and not field.null for field in model._meta.get_fields()):
            found = model.everything.filter(owner_id=member_id).count()
            if found:
                counts[record_type.key] = found
    return counts


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A browser that a person is signed in with. `key` is the secret in its cookie; pages name it by `public_id`."""

    key: str
    public_id: str
    ip_address: str
    user_agent: str
    since: datetime


def sessions_of(user_id: UUID) -> list[SignedIn]:
    """Where a person is signed in, the latest first."""
    rows = Session.objects.filter(user_id=user_id, expire_date__gt=timezone.now())
    return [
        SignedIn(
            key=row.session_key,
            public_id=hashlib.sha256(row.session_key.encode()).hexdigest()[:32],
            ip_address=row.ip_address or "",
            user_agent=row.user_agent,
            since=row.created_at,
        )
        for row in rows.order_by("-created_at", "session_key")
    ]


def pending_address(user: User) -> str:
    """The address somebody wants to change to and has not verified yet, or ""."""
    rows = EmailAddress.objects.filter(user=user, verified=False).exclude(email=user.email)
    return rows.values_list("email", flat=True).last() or ""


@dataclass(frozen=True, slots=True)
class InvitationMail:
    """What the mail of an open invitation says, and what its link is made of."""

    email: str
    role: str
    inviter: str
    organization: str
    locale: str
    token_id: UUID
    digest: bytes
    until: datetime


def open_invitation(invitation_id: UUID | str) -> InvitationMail | None:
    """An invitation that can still be accepted, or None."""
    row = (
        Invitation.objects.select_related("token", "invited_by__user", "org")
        .filter(id=invitation_id, accepted_at=None, revoked_at=None, token__used_at=None)
        .filter(token__expires_at__gt=timezone.now())
        .first()
    )
    if row is None:
        return None
    return InvitationMail(
        email=row.email,
        role=row.role,
        inviter=row.invited_by.name if row.invited_by else "",
        organization=row.org.name,
        locale=row.org.locale,
        token_id=row.token_id,
        digest=bytes(row.token.digest),
        until=row.token.expires_at,
    )


@dataclass(frozen=True, slots=True)
class Person:
    """A member as the list of people shows them. `teams` are names."""

    id: UUID
    name: str
    email: str
    role: str
    active: bool
    since: datetime
    teams: tuple[str, ...]


def people(*, search: str = "", role: str = "", active: bool = True) -> list[Person]:
    """The organisation's members, by name; `search` finds part of a name or address."""
    rows = Membership.objects.select_related("user").filter(active=active)
    if role:
        rows = rows.filter(role=role)
    names: dict[UUID, list[str]] = defaultdict(list)
    for member_id, team in TeamMember.objects.order_by("team__name").values_list("member_id", "team__name"):
        names[member_id].append(team)
    found = [
        Person(row.id, row.name, row.user.email, row.role, row.active, row.created_at, tuple(names[row.id]))
        for row in rows
    ]
    wanted = search.strip().casefold()
    return sorted(
        (one for one in found if wanted in one.name.casefold() or wanted in one.email),
        key=lambda one: (one.name.casefold(), one.id),
    )


def person(member_id: UUID) -> Person:
    """One active member. Raises NotFound."""
    found = next((one for one in people() if one.id == member_id), None)
    if found is None:
        raise NotFound(_("This person is not an active member. Reload the page."))
    return found


def teams_of(member_id: UUID) -> dict[UUID, bool]:
    """The teams of a member: id to whether they manage it."""
    return dict(TeamMember.objects.filter(member_id=member_id).values_list("team_id", "is_manager"))


def team(team_id: UUID) -> Team:
    """One team. Raises NotFound."""
    found = Team.objects.filter(id=team_id).first()
    if found is None:
        raise NotFound(_("This team is gone already. Reload the page."))
    return found


def team_people(team_id: UUID) -> dict[UUID, bool]:
    """The active members of a team: id to whether they manage it."""
    rows = TeamMember.objects.filter(team_id=team_id, member__active=True)
    return dict(rows.values_list("member_id", "is_manager"))


def people_counts() -> dict[str, int]:
    """How many active and deactivated members, teams and open invitations there are."""
    return {
        "active": Membership.objects.filter(active=True).count(),
        "inactive": Membership.objects.filter(active=False).count(),
        "teams": Team.objects.count(),
        "invitations": Invitation.objects.filter(accepted_at=None, revoked_at=None).count(),
    }


def heirs(member_id: UUID) -> list[tuple[UUID, str]]:
    """Who can take over a member's records: (id, name) of the other active members who may edit."""
    writers = Membership.objects.filter(active=True).exclude(role=Role.READONLY).values_list("id", flat=True)
    may = set(writers) - {member_id}
    return [(pk, name) for pk, name in members() if pk in may]


@dataclass(frozen=True, slots=True)
class TeamNode:
    """A team in the tree: how deep it stands, and who is in it, managers apart."""

    id: UUID
    name: str
    depth: int
    managers: tuple[str, ...]
    members: tuple[str, ...]


def team_tree() -> list[TeamNode]:
    """The teams as the tree is read: every team before those below it, neighbours by name."""
    children: dict[UUID | None, list[Team]] = defaultdict(list)
    teams = {team.id: team for team in Team.objects.order_by("name")}
    for team in teams.values():
        children[team.parent_id if team.parent_id in teams else None].append(team)
    inside: dict[UUID, list[TeamMember]] = defaultdict(list)
    for row in TeamMember.objects.select_related("member__user").filter(member__active=True):
        inside[row.team_id].append(row)

    def walk(parent: UUID | None, depth: int) -> Iterator[TeamNode]:
        for team in children[parent]:
            names = sorted(
                ((row.member.name, row.is_manager) for row in inside[team.id]), key=lambda n: n[0].casefold()
            )
            managers = tuple(name for name, leads in names if leads)
            yield TeamNode(team.id, team.name, depth, managers, tuple(name for name, leads in names if not leads))
            yield from walk(team.id, depth + 1)

    return list(walk(None, 0))


@dataclass(frozen=True, slots=True)
class Invited:
    """An open invitation as its list shows it; `role` is in words."""

    id: UUID
    email: str
    role: str
    inviter: str
    sent: datetime
    expired: bool
    teams: tuple[str, ...]


def invitations() -> list[Invited]:
    """The open invitations, the latest first, those whose link has expired among them."""
    names = team_names()
    rows = Invitation.objects.select_related("token", "invited_by__user").filter(accepted_at=None, revoked_at=None)
    return [
        Invited(
            row.id,
            row.email,
            str(Role(row.role).label),
            row.invited_by.name if row.invited_by else "",
            row.token.created_at,
            row.token.expires_at <= timezone.now(),
            tuple(names[pk] for pk in row.teams if pk in names),
        )
        for row in rows.order_by("-token__created_at", "id")
    ]


def exchange_rates() -> list[ExchangeRate]:
    """The dated rates, by currency, the latest first."""
    return list(ExchangeRate.objects.order_by("currency", "-valid_from"))
