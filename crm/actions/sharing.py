"""Sharing single records, of any type that has a share table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm import access, rules
from crm.actions.base import action
from crm.actions.notifications import notify, notify_all
from crm.enums import ShareLevel
from crm.events import Event, emit
from crm.lib.errors import Forbidden, Invalid, NotFound
from crm.models import Membership, Share, Team, TeamMember
from crm.records.permissions import permission_for
from crm.records.registry import registry
from crm.tenancy.context import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordShared(Event):
    """A record was shared with a member or a team, or that share changed."""

    name: ClassVar[str] = "record.shared"
    record_type: str
    member: UUID | None
    team: UUID | None
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordUnshared(Event):
    """A share was taken back."""

    name: ClassVar[str] = "record.unshared"
    record_type: str
    member: UUID | None
    team: UUID | None


@action
def share_record(
    record_type: str,
    pk: UUID,
    *,
    member: UUID | None = None,
    team: UUID | None = None,
    level: str = ShareLevel.READ,
    until: datetime | None = None,
    acting: Actor,
) -> Share:
    """Shares a record with a member or a team, until a moment or for good; an earlier share with them is replaced.

    Raises NotFound for a record the actor may not change, Forbidden where it was only shared with them, Invalid for
    somebody it can't be shared with.
    """
    record = _sharable(record_type, pk, acting)
    if level not in ShareLevel.values:
        raise Invalid(fields={"level": _("Choose whether they may view or edit.")})
    if until is not None and until <= timezone.now():
        raise Invalid(fields={"until": _("Choose a day that is still to come.")})
    grantee = _grantee(record, member, team)
    model = type(record)
    shares: Any = model._meta.get_field("shares").related_model
    share = shares.objects.filter(content_object_id=record.pk, member_id=member, team_id=team).first()
    if share is None:
        share = shares(content_object=record, member_id=member, team_id=team)
    share.user_id = grantee.user_id if isinstance(grantee, Membership) else None
    share.level, share.until, share.granted_by_id = level, until, acting.member_id
    share.permission = permission_for(model, level)
    share.save()
    _tell(grantee, record_type, record, acting)
    emit(RecordShared(record=record.pk, record_type=record_type, member=member, team=team, level=level))
    return share


def _tell(grantee: Membership | Team, record_type: str, record: Any, acting: Actor) -> None:
    """Notifies whom a record is shared with: of a team everybody in it now, without who shares or owns the record."""
    about = {"record_type": record_type, "record": record.pk, "name": str(record), "by": acting.name}
    if isinstance(grantee, Team):
        people = TeamMember.objects.filter(team=grantee, member__active=True)
        others = people.exclude(member_id__in=[acting.member_id, record.owner_id]).order_by("member_id")
        notify_all(list(others.values_list("member_id", flat=True)), "record.shared", team=grantee.name, **about)
    elif grantee.pk != acting.member_id:
        notify(grantee.pk, "record.shared", **about)


@action
def unshare_record(record_type: str, pk: UUID, share_id: UUID, *, acting: Actor) -> None:
    """Takes a share back. Raises NotFound for a record the actor may not change or a share that is gone."""
    record = _sharable(record_type, pk, acting)
    share = record.shares.filter(id=share_id).first()
    if share is None:
        raise NotFound(_("This share is gone already. Reload the page."))
    share.delete()
    emit(RecordUnshared(record=record.pk, record_type=record_type, member=share.member_id, team=share.team_id))


def _sharable(record_type: str, pk: UUID, acting: Actor) -> Any:
    """The record, locked, whose owner the actor is or stands for: what was only shared can't be shared on."""
    try:
        model = registry.get(record_type).model
    except KeyError as error:
        raise NotFound from error
    if not access.is_shareable(model):
        raise NotFound
    record = access.get_writable(model, pk, acting)
    if not rules.may_share(acting, record.owner_id):
        raise Forbidden(_("This was shared with you. Only its owner, their manager or an admin can share it further."))
    return record


def _grantee(record: Any, member: UUID | None, team: UUID | None) -> Membership | Team:
    if (member is None) == (team is None):
        raise Invalid(fields={"grantee": _("Choose a person or a team.")})
    if team is not None:
        found_team = Team.objects.filter(id=team).first()
        if found_team is None:
            raise Invalid(fields={"grantee": _("This team is gone. Choose another one.")})
        return found_team
    found = Membership.objects.filter(id=member, active=True).first()
    if found is None:
        raise Invalid(fields={"grantee": _("This person is not active here any more. Choose another one.")})
    if found.id == record.owner_id:
        raise Invalid(fields={"grantee": _("This person owns the record and has full access already.")})
    return found
