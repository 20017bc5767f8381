"""Sorting lists by an organisation's own fields: which field has a column for it, and filling that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils.translation import gettext as _

from crm import rules
from crm.actions.base import action
from crm.events import enqueue_on_commit
from crm.lib.errors import Forbidden, Invalid
from crm.models import CustomField, Organization
from crm.records.registry import registry
from crm.records.slot_queries import fill_slot, wait_for_writers
from crm.records.sortslots import has_slots, slots_for
from crm.tenancy.context import Actor
from crm.tenancy.fields import BEFORE_ALL

TASK = "crm.bulk.fill_sorting"
PART = 1000  # records of one transaction

Options = Sequence[Mapping[str, str]]


def can_sort(record_type: str, kind: str, *, encrypted: bool) -> bool:
    """Whether lists of a type can be sorted by fields of a FieldType."""
    return bool(slots_for(kind)) and not encrypted and has_slots(registry.get(record_type))


def arrange(row: CustomField, *, wanted: bool, former: Options = ()) -> None:
    """Gives a field a column to sort lists by, or takes it away, on the object; `start` after it was saved does the
    rest. `former` are its choices so far. Raises Invalid where all columns for such values are given away."""
    if not wanted:
        row.sort_slot, row.sort_ready, row.sort_filled_to = "", False, None
    elif not row.sort_slot or _moved(former, row.options):
        row.sort_slot = row.sort_slot or _free_slot(row)
        row.sort_ready, row.sort_filled_to = False, None


def start(row: CustomField) -> None:
    """Has the column of a field filled that has just got it, or whose choices are in another order."""
    if row.sort_slot and not row.sort_ready and row.sort_filled_to is None:
        enqueue_on_commit(TASK, field_id=row.pk)


@action
def fill_part(field_id: UUID, *, acting: Actor) -> bool:
    """Fills the column of a field in the next 1,000 records; whether there are more. With the last ones lists can be
    sorted by it. The first part waits for who was writing before there was the column. A field that is gone, or not
    sorted by any more, has none."""
    if not rules.may_administer(acting):
        raise Forbidden
    # In the order in which changes of fields lock them (crm.actions.fields).
    Organization.objects.select_for_update(no_key=True).get(pk=acting.org_id)
    waiting = CustomField.objects.filter(pk=field_id, sort_ready=False).exclude(sort_slot="")
    row = waiting.select_for_update(no_key=True).first()
    if row is None:
        return False
    if row.sort_filled_to is None:
        # A part of its own, without a row of the table: who writes holds rows, and waits for this transaction in turn.
        wait_for_writers(acting.org_id, row.record_type)
        row.sort_filled_to = BEFORE_ALL
        row.save(update_fields=["sort_filled_to"])
        return True
    model = registry.get(row.record_type).model
    rows = model._base_manager.filter(org_id=acting.org_id, pk__gt=row.sort_filled_to).order_by("pk")
    ids = list(rows.values_list("pk", flat=True)[:PART])
    fill_slot(model, row.sort_slot, row.key, row.kind, row.options, ids)
    more = len(ids) == PART
    row.sort_filled_to, row.sort_ready = ids[-1] if more else None, not more
    row.save(update_fields=["sort_filled_to", "sort_ready"])
    if row.sort_ready:
        Organization.objects.filter(pk=acting.org_id).update(schema_version=F("schema_version") + 1)
    return more


def _moved(former: Options, options: Options) -> bool:
    """Whether choices that were there before have another place now."""
    places = {option["value"]: place for place, option in enumerate(options)}
    return any(places.get(option["value"], place) != place for place, option in enumerate(former))


def _free_slot(row: CustomField) -> str:
    slots: Any = slots_for(row.kind)
    others = CustomField.objects.filter(record_type=row.record_type).exclude(sort_slot="").exclude(pk=row.pk)
    taken = {field.sort_slot: field.label for field in others.order_by("position", "pk") if field.sort_slot in slots}
    for slot in slots:
        if slot not in taken:
            return str(slot)
    text = _("Lists are sorted by %(fields)s already. At most %(max)d such fields are possible: take one of them out.")
    raise Invalid(fields={"sortable": text % {"fields": ", ".join(taken.values()), "max": len(slots)}})
