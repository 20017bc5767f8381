"""The organisation's tags: making, renaming, recolouring, merging and deleting them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm import access, queries, rules
from crm.actions.base import action
from crm.actions.tags import LONGEST
from crm.audit import change_set
from crm.enums import ChangeSetKind
from crm.events import Event, emit, enqueue_on_commit
from crm.lib.errors import Conflict, Forbidden, Invalid, NotFound
from crm.models import Tag
from crm.records.tagged import retag
from crm.tenancy import context
from crm.tenancy.context import Actor
from crm.web.formats import TONES

TASK = "crm.tags.merge"
BATCH = 1000  # records that one transaction re-points; a merge of more goes on in the background
MERGING = "merging_into"  # key of a tag's `custom` while a merge of it goes on


@dataclass(frozen=True, slots=True, kw_only=True)
class TagChanged(Event):
    """A tag was made, renamed, recoloured, deleted or restored; `record` is the tag."""

    name: ClassVar[str] = "tag.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TagMerged(Event):
    """Whatever had the tag `record` has the tag `into` now."""

    name: ClassVar[str] = "tag.merged"
    into: UUID


class TagTaken(Invalid):
    """Another tag has the name; `tag_id` is that one, which the tag could be merged into."""

    code = "tag_taken"

    def __init__(self, tag_id: UUID) -> None:
        super().__init__(fields={"name": _("There is a tag of this name already.")})
        self.tag_id = tag_id


@dataclass(frozen=True, slots=True)
class Merged:
    """How many records were re-pointed so far, and whether those were all."""

    moved: int
    is_done: bool


@action
def create_tag(name: str, tone: str, *, acting: Actor) -> Tag:
    """Makes a tag. Raises Forbidden for who may not arrange tags, Invalid, TagTaken."""
    _require(acting)
    tag = Tag(**_checked(name, tone))
    tag.save(force_insert=True)
    emit(TagChanged(record=tag.pk))
    return tag


@action
def update_tag(tag_id: UUID | str, name: str, tone: str, *, acting: Actor) -> Tag:
    """Renames and recolours a tag, everywhere at once: records hold its id.

    Raises NotFound and what create_tag does.
    """
    _require(acting)
    tag = _locked(tag_id)
    values = _checked(name, tone, apart_from=tag.pk)
    if (tag.name, tag.tone) != (values["name"], values["tone"]):
        tag.name, tag.tone = values["name"], values["tone"]
        _save(tag, "name", "tone")
    return tag


@action
def delete_tag(tag_id: UUID | str, *, acting: Actor) -> Tag:
    """Deletes a tag. Records keep its id, which says nothing any more, so restoring it brings it back to all of them.

    Raises Forbidden and NotFound.
    """
    _require(acting)
    tag = _locked(tag_id)
    tag.deleted_at = timezone.now()
    _save(tag, "deleted_at")
    return tag


@action
def restore_tag(tag_id: UUID | str, *, acting: Actor) -> Tag:
    """Takes back the deletion of a tag. Raises Forbidden, NotFound, and Conflict where its name was given anew."""
    _require(acting)
    tag = Tag.everything.filter(pk=tag_id, deleted_at__isnull=False).select_for_update(of=("self",)).first()
    if tag is None:
        raise NotFound(_("This tag is not deleted. Reload the page."))
    if queries.tag_ids([tag.name]):
        raise Conflict(_("There is another tag of this name by now. Rename that one first."))
    tag.deleted_at = None
    _save(tag, "deleted_at")
    return tag


@action
def merge_tags(tag_id: UUID | str, into_id: UUID | str, *, acting: Actor) -> Merged:
    """Gives every record of every type that has one tag another one instead, and deletes the first; one change set.

    What is more than a batch goes on in the background. Raises Forbidden, NotFound, Invalid for one and the same tag.
    """
    _require(acting)
    if str(tag_id) == str(into_id):
        raise Invalid(fields={"into": _("Choose another tag.")})
    tag, into = _both(tag_id, into_id)
    if MERGING in into.custom:
        raise Conflict(_("The other tag is being merged itself. Wait until that is done."))
    label = _("“%(tag)s” into “%(into)s”") % {"tag": tag.name, "into": into.name}
    with change_set(ChangeSetKind.MERGE, label, acting=acting) as made:
        merged = _merge_some(tag, into)
        if not merged.is_done:
            tag.custom = {**tag.custom, MERGING: str(into.pk)}
            _save(tag, "custom")
            enqueue_on_commit(TASK, tag_id=tag.pk, into_id=into.pk, change_set_id=made.pk, member_id=acting.member_id)
    return merged


@action
def go_on_merging(tag_id: UUID, into_id: UUID, change_set_id: UUID, *, acting: Actor) -> bool:
    """The next batch of a merge that was begun; whether there is more to do. Nothing is left where a tag is gone."""
    try:
        tag, into = _both(tag_id, into_id)
    except NotFound:
        Tag.objects.filter(pk=tag_id).update(custom={})
        return False
    with context.recorded_under(change_set_id):
        return not _merge_some(tag, into).is_done


def _merge_some(tag: Tag, into: Tag) -> Merged:
    moved = retag(tag.pk, into.pk, BATCH)
    if moved == BATCH:
        return Merged(moved, is_done=False)
    tag.deleted_at, tag.custom = timezone.now(), {}
    _save(tag, "deleted_at", "custom")
    emit(TagMerged(record=tag.pk, into=into.pk))
    return Merged(moved, is_done=True)


def _require(acting: Actor) -> None:
    if not rules.may_manage_tags(acting):
        raise Forbidden(_("Only managers and admins can arrange tags."))


def _checked(name: str, tone: str, *, apart_from: UUID | None = None) -> dict[str, str]:
    name = " ".join(name.replace("\x00", "").split())
    if not name:
        raise Invalid(fields={"name": _("Give the tag a name.")})
    if len(name) > LONGEST:
        raise Invalid(fields={"name": _("A tag has at most %(max)d characters.") % {"max": LONGEST}})
    if tone not in TONES:
        raise Invalid(fields={"tone": _("Choose one of the colours.")})
    taken = queries.tag_ids([name]).get(name)
    if taken and taken != apart_from:
        raise TagTaken(taken)
    return {"name": name, "tone": tone}


def _locked(tag_id: UUID | str) -> Tag:
    rows = Tag.objects.filter(pk=tag_id) if access.is_uuid(tag_id) else Tag.objects.none()
    tag = rows.select_for_update(of=("self",)).first()
    if tag is None:
        raise _gone()
    if MERGING in tag.custom:
        raise Conflict(_("This tag is being merged into another one. Wait until that is done."))
    return tag


def _both(tag_id: UUID | str, into_id: UUID | str) -> tuple[Tag, Tag]:
    """Two live tags, locked in the order of their ids. Raises NotFound."""
    ids = [pk for pk in (tag_id, into_id) if access.is_uuid(pk)]
    found = {str(tag.pk): tag for tag in Tag.objects.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",))}
    if len(found) != 2:
        raise _gone()
    return found[str(tag_id)], found[str(into_id)]


def _gone() -> NotFound:
    return NotFound(_("This tag is gone: it was deleted or merged. Reload the page."))


def _save(tag: Tag, *columns: str) -> None:
    tag.version += 1
    tag.save(update_fields=[*columns, "version", "updated_at"])
    emit(TagChanged(record=tag.pk))
