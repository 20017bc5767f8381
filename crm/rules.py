"""Who may do what: predicates over an actor, the same for pages, API, imports and jobs. The matrix stands in
docs/permissions.md; which *rows* an actor reaches is crm.access."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from crm.enums import Role, ViewScope
from crm.tenancy.context import Actor


def may_edit_anything(actor: Actor) -> bool:
    """Whether the actor may create and change records at all: everybody but read-only members."""
    return actor.write != "none"


def may_own_for(actor: Actor, owner_id: UUID) -> bool:
    """Whether the actor may make somebody the owner of a record they may edit: of their own, everybody may."""
    return may_edit_anything(actor)


def may_configure(actor: Actor) -> bool:
    """Pipelines and stages: admins and managers."""
    return actor.kind == "system" or actor.role in (Role.ADMIN, Role.MANAGER)


def may_administer(actor: Actor) -> bool:
    """Users, teams, settings of the organisation, permanent deletion: admins."""
    return actor.kind == "system" or actor.role == Role.ADMIN


def may_purge(actor: Actor) -> bool:
    """Delete for good what lies in the recycle bin, and read the receipts: admins, and the job that empties it."""
    return may_administer(actor)


def may_manage_tags(actor: Actor) -> bool:
    """Rename, recolour, merge and delete the organisation's tags: admins and managers."""
    return may_configure(actor)


def may_export(actor: Actor, readonly_may_export: bool) -> bool:
    """Exports of what one sees: everybody, read-only members where the organisation allows it."""
    return actor.role != Role.READONLY or readonly_may_export


def may_share(actor: Actor, owner_id: UUID) -> bool:
    """Who decides who else sees a record: its owner, their managers, admins; not those it was only shared with."""
    return actor.write == "all" or (actor.write == "own" and owner_id in actor.members)


def may_manage_people(actor: Actor) -> bool:
    """Invite, change roles, deactivate, arrange teams: admins."""
    return may_administer(actor)


def may_save_view(actor: Actor, scope: str, team_id: UUID | None, led: Collection[UUID]) -> bool:
    """Save a view of a list for oneself: everybody. For a team: whoever belongs to it or manages it and may edit, and
    admins. For everybody: managers and admins. `led` are the teams that the actor manages, and those below."""
    if scope == ViewScope.PRIVATE:
        return True
    if scope == ViewScope.ORGANIZATION:
        return may_configure(actor)
    return may_edit_anything(actor) and (may_administer(actor) or team_id in actor.teams or team_id in led)


def may_change_view(
    actor: Actor, owner_id: UUID | None, scope: str, team_id: UUID | None, led: Collection[UUID]
) -> bool:
    """Change and delete a saved view: its owner; of a shared one managers of its team, and admins."""
    if owner_id == actor.member_id:
        return scope == ViewScope.PRIVATE or may_edit_anything(actor)
    if scope == ViewScope.PRIVATE:
        return False
    return may_administer(actor) or (scope == ViewScope.TEAM and team_id in led)
