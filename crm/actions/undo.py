"""Taking a change set back, whole or some records of it; that is a change set of its own."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from crm import access, rules
from crm.actions.base import action
from crm.actions.bulk import begin
from crm.audit import change_set as new_change_set
from crm.enums import BulkKind, BulkStatus, ChangeSetKind
from crm.lib.errors import Conflict, Forbidden, Invalid
from crm.models import AuditEntry, BulkRun, ChangeSet
from crm.records import hooks
from crm.records.bin import follows
from crm.records.registry import registry
from crm.tenancy.context import Actor, elevated

SOME = {"only": True}  # what the run of an undo of some records holds as its values
# What was deleted for good can't be taken back, a merged tag is gone, and the recycle bin has its own way back.
UNDOABLE = frozenset(set(ChangeSetKind) - {ChangeSetKind.PURGE, ChangeSetKind.MERGE, ChangeSetKind.RESTORE})


def get_change_set(change_set_id: UUID | str) -> ChangeSet:
    """A change set of the organisation. Raises NotFound."""
    found = ChangeSet.objects.filter(pk=change_set_id).first() if access.is_uuid(change_set_id) else None
    if found is None:
        raise access.absent(ChangeSet)
    return found


def may_undo(made: ChangeSet, actor: Actor) -> bool:
    """Whether the actor may take a change set back: who made it, while they may write at all, and admins."""
    if made.kind not in UNDOABLE or not rules.may_edit_anything(actor) or actor.member_id is None:
        return False
    return rules.may_administer(actor) or made.made_by_id == actor.member_id


def undone_by(made: ChangeSet) -> ChangeSet | None:
    """The change set that has taken this one back, or is at it. One of some records only, one that was broken off, or
    found nothing to take back, is no hindrance to another: what is back already stays as it is."""
    at_work = Q(status__in=(BulkStatus.QUEUED, BulkStatus.RUNNING))
    with elevated("whether a colleague has taken it back"):
        runs = BulkRun.objects.filter(at_work | Q(status=BulkStatus.DONE, changed__gt=0), undoes=made, values={})
        return ChangeSet.objects.filter(pk__in=runs.values("change_set_id")).order_by("id").first()


def is_under_way(made: ChangeSet) -> bool:
    """Whether something is still being written under a change set: by a run, or by a job of an app."""
    runs = BulkRun.objects.filter(change_set=made, status__in=(BulkStatus.QUEUED, BulkStatus.RUNNING))
    return runs.exists() or any(writes(made.pk) for writes in hooks.writers)


def records_of(made: ChangeSet) -> list[tuple[str, list[UUID]]]:
    """The records that a change set wrote, by the key of their type, in the order of their ids. What it added to a
    record, such as an entry of its timeline, comes and goes with that."""
    types = {t.model._meta.db_table: t.key for t in registry}
    written = AuditEntry.objects.filter(change_set_id=made.pk)
    following = [table for table in types if follows(table)]
    # By IN, which is found once: an EXISTS would look through the change set anew for each of its entries.
    added = written.filter(table_name__in=following, operation="I").values("row_id")
    entries = written.filter(table_name__in=types).exclude(row_id__in=added).order_by("table_name", "row_id")
    found: dict[str, list[UUID]] = {}
    for table, pk in entries.values_list("table_name", "row_id").distinct():
        found.setdefault(types[table], []).append(pk)
    return list(found.items())


@action
def undo_change_set(change_set_id: UUID | str, *, acting: Actor, only: Collection[UUID] | None = None) -> BulkRun:
    """Takes back what a change set did, where nobody has changed it since: a little at once, much by a job.

    With `only` (ids of records) the others stay as they are. Raises NotFound; Forbidden for somebody else's; Invalid
    where `only` names none of its records; Conflict for one that was taken back already, or goes on still.
    """
    made = get_change_set(change_set_id)
    if not may_undo(made, acting):
        raise Forbidden(_("Only who made these changes, or an administrator, can undo them."))
    ChangeSet.objects.select_for_update(no_key=True).get(pk=made.pk)  # two clicks at once undo it once
    if undone_by(made) is not None:
        raise Conflict(_("These changes were undone already."))
    if is_under_way(made):
        raise Conflict(_("These changes are still being made. Cancel them first, or wait until they are done."))
    chosen = records_of(made)
    if only is not None:
        chosen = [(key, left) for key, ids in chosen if (left := [pk for pk in ids if pk in only])]
        if not chosen:
            raise Invalid(_("Choose the records that are to go back."))
    types = {key for key, _ids in chosen}
    came_from = BulkRun.objects.filter(change_set=made).values_list("came_from", flat=True).first()
    with new_change_set(ChangeSetKind.UNDO, made.label, acting=acting, undoes=made) as undo:
        run = BulkRun(
            record_type=types.pop() if len(types) == 1 else "", kind=BulkKind.UNDO, label=made.label, change_set=undo,
            undoes=made, total=sum(len(ids) for _key, ids in chosen), values={} if only is None else SOME,
            came_from=came_from or "",
        )  # fmt: skip
        return begin(run, chosen, acting)
