"""Members: their role, their teams, leaving and coming back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm import people, queries, rules
from crm.actions.base import action
from crm.actions.notifications import notify
from crm.audit import change_set
from crm.enums import ChangeSetKind, Role
from crm.events import Event, emit
from crm.lib.errors import Conflict, Forbidden, Invalid, NotFound
from crm.models import BinEntry, Membership, TeamMember
from crm.records import hooks
from crm.tenancy.context import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChanged(Event):
    """A member's role, teams or activity changed; `record` is the membership."""

    name: ClassVar[str] = "member.changed"
    role: str
    active: bool


@action
def change_role(member_id: UUID, role: str, *, acting: Actor) -> Membership:
    """Gives a member another role; it holds from their next request on.

    Raises Forbidden for anybody but an admin, Conflict where no admin would be left.
    """
    admins = _lock_admins(acting)
    member = _active(member_id)
    if role not in Role.values:
        raise Invalid(fields={"role": _("Choose a role.")})
    if role == member.role:
        return member
    if member.role == Role.ADMIN:
        _keep_an_admin(admins, member)
    member.role = role
    _save(member)
    if member.id != acting.member_id:
        notify(member.id, "member.role_changed", role=role, by=acting.name)
    return member


@action
def deactivate_member(member_id: UUID, *, reassign_to: UUID | None = None, acting: Actor) -> int:
    """Ends a member's access at once; says how many records were handed to `reassign_to`, all in one change set.

    The membership stays, so that history keeps its names. Raises Conflict for the last admin, for oneself, and where
    the member owns records and nobody is named to take them.
    """
    admins = _lock_admins(acting)
    member = _active(member_id)
    if member.id == acting.member_id:
        raise Conflict(_("You cannot deactivate yourself. Ask another admin to do it."))
    if member.role == Role.ADMIN:
        _keep_an_admin(admins, member)
    moved = _hand_over(member, reassign_to, acting)
    member.active, member.deactivated_at = False, timezone.now()
    _save(member)
    return moved


@action
def reactivate_member(member_id: UUID, *, acting: Actor) -> Membership:
    """Lets a member in again, with the role and teams they had."""
    _require_admin(acting)
    member = Membership.objects.select_for_update(no_key=True).filter(id=member_id).first()
    if member is None:
        raise NotFound
    if member.active:
        return member
    member.active, member.deactivated_at = True, None
    _save(member)
    return member


@action
def set_member_teams(member_id: UUID, teams: set[UUID], managed: set[UUID], *, acting: Actor) -> None:
    """Puts a member into exactly these teams; of those in `managed` they are a manager."""
    _require_admin(acting)
    member = _active(member_id)
    known = set(queries.team_names())
    if not teams <= known or not managed <= teams:
        raise Invalid(fields={"teams": _("One of these teams is gone. Reload the page.")})
    TeamMember.objects.filter(member=member).exclude(team_id__in=teams).delete()
    there = {row.team_id: row for row in TeamMember.objects.select_for_update(no_key=True).filter(member=member)}
    for team_id in teams:
        row = there.get(team_id)
        if row is None:
            TeamMember.objects.create(team_id=team_id, member=member, is_manager=team_id in managed)
        elif row.is_manager != (team_id in managed):
            row.is_manager = team_id in managed
            row.save(update_fields=["is_manager"])
    emit(MemberChanged(record=member.id, role=member.role, active=True))


def _hand_over(member: Membership, to: UUID | None, acting: Actor) -> int:
    """Moves every record of the member, and makes sure that none was forgotten."""
    if not people.owned_counts(member.id):
        return 0
    if to is None:
        raise Conflict(_("%(name)s still owns records. Choose who takes them over.") % {"name": member.name})
    heir = Membership.objects.filter(id=to, active=True).exclude(id=member.id).exclude(role=Role.READONLY).first()
    if heir is None:
        raise Invalid(fields={"reassign_to": _("Choose an active member who can edit records.")})
    label = _("Records of %(old)s handed to %(new)s") % {"old": member.name, "new": heir.name}
    with change_set(ChangeSetKind.REASSIGN, label, acting=acting):
        moved = sum(reassign(member.id, heir.id, acting) for reassign in hooks.reassigners)
        BinEntry.objects.filter(owner=member).update(owner=heir)
    left = people.owned_counts(member.id)
    if left:
        raise RuntimeError(f"No app hands over records of type {', '.join(left)}: see crm.records.hooks.reassigners.")
    if heir.id != acting.member_id:
        notify(heir.id, "member.records_received", name=member.name, count=moved, by=acting.name)
    return moved


def _require_admin(acting: Actor) -> None:
    if not rules.may_manage_people(acting):
        raise Forbidden


def _lock_admins(acting: Actor) -> list[UUID]:
    """The active admins, locked, so that two of them can't remove each other at the same moment."""
    _require_admin(acting)
    rows = Membership.objects.filter(role=Role.ADMIN, active=True).order_by("id")
    return list(rows.select_for_update(no_key=True).values_list("id", flat=True))


def _keep_an_admin(admins: list[UUID], leaving: Membership) -> None:
    if not set(admins) - {leaving.id}:
        raise Conflict(_("%(name)s is the only admin. Make somebody else an admin first.") % {"name": leaving.name})


def _active(member_id: UUID) -> Membership:
    # Only the membership is locked: a person's own row belongs to no organisation.
    rows = Membership.objects.select_related("user").select_for_update(of=("self",), no_key=True)
    member = rows.filter(id=member_id, active=True).first()
    if member is None:
        raise NotFound(_("This person is not an active member. Reload the page."))
    return member


def _save(member: Membership) -> None:
    member.version += 1
    member.save()
    emit(MemberChanged(record=member.id, role=member.role, active=member.active))
