"""Deleting for good: by an admin, or because the time in the recycle bin is over. Each record leaves a receipt."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import rules
from crm.actions.base import action
from crm.actions.bin import MOST
from crm.audit import change_set
from crm.enums import ChangeSetKind, PurgeReason
from crm.lib.errors import Conflict, Forbidden, NotFound
from crm.models import BinEntry, ChangeSet, DeletionReceipt, ExternalId, Notification, SealedValue, UniqueValue
from crm.records import hooks, retention_queries
from crm.records.bin import KEEP, bin_type
from crm.tenancy.context import Actor
from crm.tenancy.fields import new_id

# What names a record of any type by its id alone, so that no foreign key takes it along.
NAMING = (Notification, ExternalId, SealedValue, UniqueValue)


@action
def purge_entries(entry_ids: Collection[UUID], *, acting: Actor) -> int:
    """Deletes records of the recycle bin for good, with their children and what the log says of them; how many.

    Raises Forbidden for anybody but an admin, NotFound when one of them is not there any more, and Conflict where
    something else needs one.
    """
    if not rules.may_purge(acting):
        raise Forbidden(_("Only an admin can delete for good."))
    entries = _locked(BinEntry.objects.filter(pk__in=list(entry_ids)[:MOST]))
    if not entries or len(entries) != len(set(entry_ids)):
        raise NotFound(_("One of these records is not in the recycle bin any more. Reload the page."))
    return _purge(entries, PurgeReason.ADMIN, acting)


@action
def purge_expired(*, acting: Actor) -> int:
    """Deletes the oldest records whose time in the recycle bin is over, a batch of them; how many there were."""
    if not rules.may_purge(acting):
        raise Forbidden
    over = BinEntry.objects.filter(created_at__lt=timezone.now() - KEEP).order_by("created_at", "pk")
    entries = _locked(over[:MOST])
    return _purge(entries, PurgeReason.RETENTION, acting) if entries else 0


def _locked(found: Collection[BinEntry]) -> list[BinEntry]:
    """Those of the entries that are still there, after their records were locked: restoring locks in the same order."""
    wanted = list(found)
    for key in sorted({entry.record_type for entry in wanted}):
        rows = bin_type(key).model._base_manager.filter(pk__in=[e.record for e in wanted if e.record_type == key])
        list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    rows = BinEntry.objects.filter(pk__in=[entry.pk for entry in wanted])
    return list(rows.select_for_update(of=("self",)).order_by("pk"))


def _purge(entries: Sequence[BinEntry], reason: PurgeReason, acting: Actor) -> int:
    with change_set(ChangeSetKind.PURGE, _("Deleted for good"), acting=acting) as made:
        for key in sorted({entry.record_type for entry in entries}):
            _remove(key, [entry.record for entry in entries if entry.record_type == key])
        _write_receipts(entries, reason, made, acting)
        BinEntry.objects.filter(pk__in=[entry.pk for entry in entries]).delete()
        retention_queries.erase_subjects(made.pk)
    return len(entries)


def _remove(key: str, ids: Sequence[UUID]) -> None:
    """Removes locked rows and all that names them and can't be without them."""
    for detach in hooks.purging:
        detach(key, ids)
    for model in NAMING:
        model.objects.filter(record__in=ids).delete()
    try:
        bin_type(key).model._base_manager.filter(pk__in=ids, deleted_at__isnull=False).delete()
    except ProtectedError as error:
        raise Conflict(
            _("Something else still needs one of these records. Restore it, and take it off there.")
        ) from error


def _write_receipts(entries: Sequence[BinEntry], reason: PurgeReason, made: ChangeSet, acting: Actor) -> None:
    receipts = [
        DeletionReceipt(
            id=new_id(), record_type=entry.record_type, record=entry.record, reason=reason,
            binned_at=entry.created_at, purged_by_id=acting.member_id, change_set=made,
        )
        for entry in entries
    ]  # fmt: skip
    DeletionReceipt.objects.bulk_create(receipts)
