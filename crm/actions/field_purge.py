"""Deleting fields for good: their values in all records, and what stands beside those."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db.models import F, Func, JSONField, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import rules
from crm.actions.base import action
from crm.actions.fields import KEPT_DAYS
from crm.audit import change_set
from crm.enums import ChangeSetKind, PurgeReason
from crm.lib.errors import Forbidden
from crm.models import CustomField, DeletionReceipt, Organization, SealedValue, UniqueValue
from crm.records import retention_queries
from crm.records.registry import registry
from crm.tenancy.context import Actor

RECEIPT = "field"  # what receipts call it
KEEP = timedelta(days=KEPT_DAYS, hours=1)  # a while longer than it can be restored, so that nobody does at that moment
PART = 1000  # records of one transaction


@action
def expired_fields(*, acting: Actor) -> list[UUID]:
    """The fields whose time is over, the longest deleted first. Raises Forbidden."""
    if not rules.may_purge(acting):
        raise Forbidden
    return list(_over().order_by("deleted_at", "pk").values_list("pk", flat=True))


@action
def purge_part(field_id: UUID, after: UUID | None, *, acting: Actor) -> UUID | None:
    """Takes the values of a field that can't be restored any more out of the next 1,000 records after one, the recycle
    bin's too; the last of them. With the last records goes the field, all but its key, and leaves a receipt: None.

    Records keep their version and their place in lists: nobody could see the values. Raises Forbidden.
    """
    if not rules.may_purge(acting):
        raise Forbidden
    # In the order in which changes of fields lock them (crm.actions.fields).
    Organization.objects.select_for_update(no_key=True).get(pk=acting.org_id)
    row = _over().filter(pk=field_id).select_for_update(no_key=True).first()
    if row is None:
        return None
    model = registry.get(row.record_type).model
    rows = model._base_manager.filter(org_id=acting.org_id).order_by("pk")
    ids = list((rows.filter(pk__gt=after) if after else rows).values_list("pk", flat=True)[:PART])
    _take_values(row, ids)
    if len(ids) == PART:
        return ids[-1]
    _remove(row, acting)
    return None


def _over() -> QuerySet[CustomField]:
    return CustomField.everything.filter(deleted_at__lt=timezone.now() - KEEP, purged_at__isnull=True)


def _take_values(row: CustomField, ids: list[UUID]) -> None:
    for kept in (UniqueValue, SealedValue):
        kept.objects.filter(field_id=row.pk, record__in=ids).delete()
    model = registry.get(row.record_type).model
    holding = model._base_manager.filter(pk__in=ids, custom__has_key=row.key).order_by("pk")
    holding_ids = list(holding.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))
    if not holding_ids:
        return
    without = Func(
        F("custom"), Cast(Value(row.key), TextField()), template="%(expressions)s", arg_joiner=" - ",
        output_field=JSONField(),
    )  # fmt: skip
    model._base_manager.filter(pk__in=holding_ids).update(custom=without)
    retention_queries.forget_values(row.pk, model._meta.db_table, holding_ids)


def _remove(row: CustomField, acting: Actor) -> None:
    """Removes the field and what the log says of it. A nameless one keeps its key taken, with who might see it: the log
    of records holds old values under the key, which would be another field's."""
    with change_set(ChangeSetKind.PURGE, _("Deleted for good"), acting=acting) as made:
        DeletionReceipt.objects.create(
            record_type=RECEIPT, record=row.pk, reason=PurgeReason.RETENTION, binned_at=row.deleted_at,
            purged_by_id=acting.member_id, change_set=made,
        )  # fmt: skip
        row.delete()
        retention_queries.erase_subjects(made.pk)
    kept = {name: getattr(row, name) for name in ("record_type", "key", "kind", "deleted_at")}
    CustomField.everything.create(**kept, purged_at=timezone.now())
