"""Whether old values that go back to records by an undo are values that their fields take today.

Since they were changed, a choice may have been taken away, a member may have left, a record may have been deleted, and
a field may have become required. Asked of all records at once, in a statement for each type that is pointed at. Deleted
tags go back: records keep their ids anyway, which say nothing until the tag is restored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from django.utils.translation import gettext as _

from crm import access, queries
from crm.lib.errors import Conflict
from crm.records.bulk import Edit
from crm.records.registry import Field, FieldType, RecordType, registry


def refuse_unfit(kind: RecordType, edits: Sequence[Edit]) -> None:
    """Refuses records that would get a value which one of their fields doesn't take any more. Encrypted values are in
    no log, so they never go back."""
    own = [f for f in kind.fields if f.custom and not f.encrypted]
    moved = [(edit, f) for edit in edits if edit.open and edit.moved("custom") for f in own if _differs(edit, f)]
    there = _there([(f, edit.record.custom.get(f.key)) for edit, f in moved])
    for edit, own_field in moved:
        text = _unfit(own_field, edit.record.custom.get(own_field.key), there)
        if text and edit.open:
            edit.error = Conflict(text % {"field": own_field.label})


def _differs(edit: Edit, own_field: Field) -> bool:
    return bool(edit.record.custom.get(own_field.key) != edit.before["custom"].get(own_field.key))


def _unfit(own_field: Field, value: Any, there: dict[str, set[str]]) -> str:
    """Why a field does not take a value any more, with a place for the field's name; "" where it does."""
    if value is None:
        return _("“%(field)s” was empty, and is required by now") if own_field.required else ""
    match own_field.type:
        case FieldType.CHOICE | FieldType.MULTI_CHOICE:
            known = {key for key, _label in own_field.options()}
            lost = not known.issuperset(_listed(value))
            return _("Its former value in “%(field)s” is not one of the choices any more") if lost else ""
        case FieldType.MEMBER:
            lost = str(value) not in there[FieldType.MEMBER]
            return _("Who was in “%(field)s” is not an active member any more") if lost else ""
        case FieldType.LOOKUP:
            lost = str(value) not in there[own_field.target]
            return _("Its former value in “%(field)s” was deleted") if lost else ""
    return ""


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _there(values: Sequence[tuple[Field, Any]]) -> dict[str, set[str]]:
    """Of the members and records that values point at those that are there: by type, as text."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for own_field, value in values:
        if value is not None and own_field.type in (FieldType.MEMBER, FieldType.LOOKUP):
            wanted[own_field.target or FieldType.MEMBER].add(str(value))
    return defaultdict(set, {kind: _found(kind, ids) for kind, ids in wanted.items()})


def _found(kind: str, ids: Collection[str]) -> set[str]:
    ids = [pk for pk in ids if access.is_uuid(pk)]
    if kind == FieldType.MEMBER:
        return set(map(str, queries.active_members(ids)))
    rows = registry.get(kind).model._base_manager.filter(pk__in=ids, deleted_at__isnull=True)
    return {str(pk) for pk in rows.values_list("pk", flat=True)}
