"""Saved views of lists: making, changing, deleting, copying them; a member's defaults and pins."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import access, queries, rules
from crm.actions.base import action
from crm.enums import ViewScope
from crm.lib.errors import Conflict, Forbidden, Invalid, NotFound
from crm.models import SavedView, Team, ViewMark
from crm.records import savedviews, schema
from crm.records.listquery import ListQuery
from crm.records.registry import RecordType
from crm.tenancy.context import Actor

LONGEST = 80  # characters of a name
MOST = 200  # views that one member has of one record type
PINS = 20  # views that one member has in the sidebar


@action
def create_view(
    record_type: str,
    name: str,
    query: ListQuery,
    *,
    acting: Actor,
    scope: str = ViewScope.PRIVATE,
    team: UUID | None = None,
) -> SavedView:
    """Saves what a list shows. Raises Forbidden for a scope that is not for the actor, Invalid for a name or a list
    that makes no sense, NotFound for an unknown type or team."""
    if acting.member_id is None:
        raise Forbidden(_("Views are saved by members."))
    view = SavedView(record_type=record_type, owner_id=acting.member_id)
    _put(view, name, scope, team, acting)
    view.arrangement = savedviews.text_of(query, _type(record_type, acting), acting)
    if SavedView.objects.filter(record_type=record_type, owner_id=acting.member_id).count() >= MOST:
        raise Invalid(_("You have %(most)d views of this list. Delete one first.") % {"most": MOST})
    view.save(force_insert=True)
    return view


@action
def update_view(
    view_id: UUID | str, name: str, scope: str, team: UUID | None, *, acting: Actor, version: int
) -> SavedView:
    """Renames a view and says who sees it. Raises NotFound, Forbidden, Invalid, and Conflict for an older version."""
    view = _changeable(view_id, acting, version)
    if scope == ViewScope.PRIVATE and view.owner_id != acting.member_id:
        raise Forbidden(_("Only its owner can keep a view to themselves."))
    if (scope, team) == (view.scope, view.team_id):
        view.name = _name(name)
    else:
        _put(view, name, scope, team, acting)
    _save(view, "name", "scope", "team")
    return view


@action
def arrange_view(view_id: UUID | str, query: ListQuery, *, acting: Actor, version: int) -> SavedView:
    """Makes a view say what a list shows now. Raises NotFound, Forbidden, Invalid, and Conflict for an older version.

    A part of the view that is not for the actor would be lost: that is refused.
    """
    view = _changeable(view_id, acting, version)
    record_type = _type(view.record_type, acting)
    if savedviews.opened(record_type, view, acting).lost:
        raise Forbidden(_("This view names something that you can't see. Save a copy of it instead."))
    view.arrangement = savedviews.text_of(query, record_type, acting)
    _save(view, "arrangement")
    return view


@action
def delete_view(view_id: UUID | str, *, acting: Actor) -> SavedView:
    """Deletes a view; restore_view takes that back. Raises NotFound and Forbidden."""
    view = _changeable(view_id, acting)
    view.deleted_at = timezone.now()
    _save(view, "deleted_at")
    return view


@action
def restore_view(view_id: UUID | str, *, acting: Actor) -> SavedView:
    """Takes back the deletion of a view. Raises NotFound, Forbidden."""
    rows = SavedView.everything.filter(access.views_q(acting), pk=view_id, deleted_at__isnull=False)
    view = rows.select_for_update(of=("self",)).first() if _may_change(rows.first(), acting) else None
    if view is None:
        raise NotFound(_("This view is not deleted. Reload the page."))
    view.deleted_at = None
    _save(view, "deleted_at")
    return view


@action
def copy_view(view_id: UUID | str, *, acting: Actor) -> SavedView:
    """A private copy of a view for the actor, as far as they see its parts. Raises NotFound, Invalid."""
    view = access.get_any_view(view_id, acting)
    record_type = _type(view.record_type, acting)
    name = _("Copy of %(name)s") % {"name": view.name}
    return create_view(view.record_type, name[:LONGEST], savedviews.opened(record_type, view, acting), acting=acting)


# ---------------------------------------------------------------- a member's own marks


@action
def set_default_view(record_type: str, view_id: UUID | str | None, *, acting: Actor) -> None:
    """Makes a view what the actor's list of a type opens with; None for the plain list. Raises NotFound."""
    marks = ViewMark.objects.filter(member_id=acting.member_id, record_type=_type(record_type, acting).key)
    marks.filter(is_default=True).update(is_default=False)
    if view_id is not None:
        mark = _mark(access.get_view(view_id, record_type, acting), acting)
        mark.is_default = True
        mark.save(update_fields=["is_default"])
    _sweep(acting)


@action
def pin_view(view_id: UUID | str, *, acting: Actor) -> SavedView:
    """Puts a view into the actor's sidebar, below the others. Raises NotFound, and Invalid where that is full."""
    view = access.get_any_view(view_id, acting)
    pins = ViewMark.objects.filter(member_id=acting.member_id, pin__isnull=False)
    mark = _mark(view, acting)
    if mark.pin is None:
        if pins.count() >= PINS:
            raise Invalid(_("Your sidebar has %(most)d views. Unpin one first.") % {"most": PINS})
        mark.pin = (pins.aggregate(last=Max("pin"))["last"] or 0) + 1
        mark.save(update_fields=["pin"])
    return view


@action
def unpin_view(view_id: UUID | str, *, acting: Actor) -> None:
    """Takes a view out of the actor's sidebar."""
    ViewMark.objects.filter(member_id=acting.member_id, view_id=view_id).update(pin=None)
    _sweep(acting)


@action
def order_pins(view_ids: Sequence[UUID], *, acting: Actor) -> None:
    """Puts the views in the actor's sidebar into an order; ones that are not named come after those.

    Raises NotFound when one that is named is not pinned.
    """
    place = {pk: number for number, pk in enumerate(view_ids)}
    marks = list(ViewMark.objects.filter(member_id=acting.member_id, pin__isnull=False).order_by("pin", "pk"))
    if not set(place) <= {mark.view_id for mark in marks}:
        raise NotFound(_("This view is not in your sidebar any more. Reload the page."))
    marks.sort(key=lambda mark: place.get(mark.view_id, len(place)))
    for number, mark in enumerate(marks, 1):
        mark.pin = number
    ViewMark.objects.bulk_update(marks, ["pin"])


def _mark(view: SavedView, acting: Actor) -> ViewMark:
    found, _made = ViewMark.objects.get_or_create(
        member_id=acting.member_id, view_id=view.pk, defaults={"record_type": view.record_type}
    )
    return found


def _sweep(acting: Actor) -> None:
    """Takes away marks that say nothing any more."""
    ViewMark.objects.filter(member_id=acting.member_id, is_default=False, pin__isnull=True).delete()


# ---------------------------------------------------------------- checks


def _type(record_type: str, acting: Actor) -> RecordType:
    try:
        return schema.record_type(record_type, acting)
    except KeyError:
        raise NotFound(_("There is no such list.")) from None


def _name(name: str) -> str:
    name = " ".join(name.replace("\x00", "").split())
    if not name:
        raise Invalid(fields={"name": _("Give the view a name.")})
    if len(name) > LONGEST:
        raise Invalid(fields={"name": _("A name has at most %(most)d characters.") % {"most": LONGEST}})
    return name


def _put(view: SavedView, name: str, scope: str, team: UUID | None, acting: Actor) -> None:
    view.name = _name(name)
    if scope not in ViewScope.values:
        raise Invalid(fields={"scope": _("Choose who sees the view.")})
    view.scope, view.team_id = scope, team if scope == ViewScope.TEAM else None
    if scope == ViewScope.TEAM and (team is None or not Team.objects.filter(pk=team).exists()):
        raise Invalid(fields={"team": _("Choose a team.")})
    if not rules.may_save_view(acting, scope, team, queries.led_teams(acting)):
        raise Forbidden(_("You can't save views for these people. Choose somebody else, or keep it to yourself."))


def _may_change(view: SavedView | None, acting: Actor) -> bool:
    return view is not None and rules.may_change_view(
        acting, view.owner_id, view.scope, view.team_id, queries.led_teams(acting)
    )


def _changeable(view_id: UUID | str, acting: Actor, version: int | None = None) -> SavedView:
    """A view, locked. Raises NotFound, Forbidden for who sees it but may not change it, Conflict."""
    view = access.get_any_view(view_id, acting)
    if not _may_change(view, acting):
        raise Forbidden(_("Only its owner, managers of its team and admins can change this view. Save a copy instead."))
    view = access.get_any_view(view_id, acting, lock=True)
    if version is not None and view.version != version:
        raise Conflict(_("Not saved: somebody else changed this view meanwhile. Reload to see it as it is now."))
    return view


def _save(view: SavedView, *columns: str) -> None:
    view.version += 1
    view.save(update_fields=[*columns, "version", "updated_at"])
