"""Teams, as a tree: a manager of a team sees the records of every team below it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import rules
from crm.actions.base import action
from crm.lib.errors import Conflict, Forbidden, Invalid, NotFound
from crm.models import Membership, Team, TeamMember
from crm.tenancy.context import Actor


@action
def create_team(
    name: str,
    *,
    parent: UUID | None = None,
    members: Collection[UUID] = (),
    managers: Collection[UUID] = (),
    acting: Actor,
) -> Team:
    """Makes a team. Raises Forbidden for anybody but an admin, Invalid for a name that is taken."""
    teams = _lock_teams(acting)
    team = Team(name=_name(name), parent_id=_parent(parent, teams))
    _save(team)
    _set_people(team, members, managers)
    return team


@action
def update_team(
    team_id: UUID,
    name: str,
    *,
    parent: UUID | None,
    members: Collection[UUID],
    managers: Collection[UUID],
    acting: Actor,
) -> Team:
    """Renames a team, moves it in the tree, and sets who is in it. A team can't stand below itself (Invalid)."""
    teams = _lock_teams(acting)
    team = _team(team_id, teams)
    team.name = _name(name)
    team.parent_id = _parent(parent, teams, below=team.id)
    team.version += 1
    _save(team)
    _set_people(team, members, managers)
    return team


@action
def delete_team(team_id: UUID, *, acting: Actor) -> None:
    """Removes a team: its people are in it no more, what was shared with it is not, teams below it move up."""
    teams = _lock_teams(acting)
    team = _team(team_id, teams)
    Team.objects.filter(parent_id=team.id).update(parent_id=team.parent_id, updated_at=timezone.now())
    TeamMember.objects.filter(team=team).delete()
    team.deleted_at = timezone.now()
    team.parent_id = None
    team.version += 1
    team.save()


def _lock_teams(acting: Actor) -> dict[UUID, Team]:
    """All teams, locked in one order: two moves at the same moment must not make a circle together."""
    if not rules.may_manage_people(acting):
        raise Forbidden
    return {team.id: team for team in Team.objects.order_by("id").select_for_update(no_key=True)}


def _team(team_id: UUID, teams: dict[UUID, Team]) -> Team:
    if team_id not in teams:
        raise NotFound(_("This team is gone already. Reload the page."))
    return teams[team_id]


def _name(name: str) -> str:
    name = name.strip()
    if not name:
        raise Invalid(fields={"name": _("Give the team a name.")})
    return name[:80]


def _parent(parent: UUID | None, teams: dict[UUID, Team], below: UUID | None = None) -> UUID | None:
    if parent is None:
        return None
    if parent not in teams:
        raise Invalid(fields={"parent": _("This team is gone. Choose another one.")})
    above: UUID | None = parent
    while above is not None:
        if above == below:
            raise Invalid(fields={"parent": _("A team cannot stand below itself. Choose another one.")})
        above = teams[above].parent_id if above in teams else None
    return parent


def _save(team: Team) -> None:
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError as error:
        if "crm_team_org_name" not in str(error):
            raise
        raise Invalid(fields={"name": _("There is a team of this name. Choose another one.")}) from error


def _set_people(team: Team, members: Collection[UUID], managers: Collection[UUID]) -> None:
    people = set(members) | set(managers)
    active = set(Membership.objects.filter(id__in=people, active=True).values_list("id", flat=True))
    if active != people:
        raise Conflict(_("Somebody you chose is not active any more. Reload the page."))
    # Members who were deactivated keep their place, for the day they come back.
    TeamMember.objects.filter(team=team, member__active=True).exclude(member_id__in=people).delete()
    there = {row.member_id: row for row in TeamMember.objects.select_for_update(no_key=True).filter(team=team)}
    TeamMember.objects.bulk_create(
        TeamMember(team=team, member_id=pk, is_manager=pk in managers) for pk in people if pk not in there
    )
    for pk in people & there.keys():
        if there[pk].is_manager != (pk in managers):
            there[pk].is_manager = pk in managers
            there[pk].save(update_fields=["is_manager"])
