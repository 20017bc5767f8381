"""The choices of picklists: what they may be, and giving records another one instead of one that is taken away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm import rules
from crm.actions.base import action
from crm.audit import change_set
from crm.enums import ChangeSetKind
from crm.events import enqueue_on_commit
from crm.lib.errors import Conflict, Forbidden, Invalid
from crm.models import CustomField, Organization
from crm.records import bulk, schema
from crm.records.bulk import Edit
from crm.records.bulk_queries import write_rows
from crm.records.registry import ALL_ROLES, FieldType, registry
from crm.tenancy import context
from crm.tenancy.context import Actor
from crm.tenancy.fields import BEFORE_ALL
from crm.web.formats import TONES

TASK = "crm.bulk.replace_choices"
MOST = 500  # choices of a field
AT_ONCE = 200  # records that are changed within the request
PART = 1000  # records of one transaction
REPLACING = "replacing"  # key of a field's `custom` while records get other choices
INSTEAD = "instead-"  # what errors about a choice's replacement are named by, with its value

Messages = dict[str, str | Promise]


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of a picklist. `value` is what records hold: fixed once made, so that a new label needs no change of
    theirs; "" for a new choice."""

    label: str
    tone: str = "gray"
    value: str = ""


class ChoicesInUse(Invalid):
    """Records hold choices that are taken away, and nothing says what they get; `labels` of those by value."""

    code = "choices_in_use"

    def __init__(self, labels: Mapping[str, str], fields: Mapping[str, str | Promise]) -> None:
        super().__init__(fields=fields)
        self.labels = dict(labels)


def check_options(options: Sequence[Option], errors: Messages) -> None:
    """Notes what is wrong with choices."""
    labels = [option.label.strip().casefold() for option in options]
    fixed = [option.value for option in options if option.value]
    if not all(labels) or not labels:
        errors["options"] = _("Give at least one choice, and every choice a name.")
    elif len(set(labels)) != len(labels) or len(set(fixed)) != len(fixed):
        errors["options"] = _("Two choices have the same name.")
    elif len(labels) > MOST or any(len(label) > 80 for label in labels):
        errors["options"] = _("At most %(max)d choices, of 80 characters each.") % {"max": MOST}
    elif not {option.tone for option in options} <= set(TONES):
        errors["options"] = _("Choose a colour of the list.")


def refuse_while_replacing(row: CustomField) -> None:
    """Raises Conflict while a job gives records of a field other choices."""
    if REPLACING in row.custom:
        raise Conflict(_("Records are getting other choices of this field. Wait until that is done."))


def replaced(
    row: CustomField, given: Sequence[Option], instead: Mapping[str, str], *, required: bool, errors: Messages
) -> dict[str, str]:
    """What records get instead of the choices that they hold and `given` has no more: values by value, "" for none.

    Raises ChoicesInUse, with `errors`, for those of which `instead` says nothing; notes what can't be got instead.
    """
    left = {option.value for option in given} & {option["value"] for option in row.options}
    labels = {option["value"]: option["label"] for option in row.options if option["value"] not in left}
    numbers = _numbers(row, labels)
    missing = {value: labels[value] for value in numbers if value not in instead}
    if missing:
        texts = [_in_use(label, numbers[value]) for value, label in missing.items()]
        text = " ".join([*texts, _("Say what they get instead.")])
        raise ChoicesInUse(missing, {**errors, "options": text})
    found = {value: instead[value] for value in numbers}
    for value, into in found.items():
        if into not in left | {""}:
            errors[f"{INSTEAD}{value}"] = _("Choose one that stays.")
        elif not into and required:
            errors[f"{INSTEAD}{value}"] = _("“%(field)s” is required. Choose one that stays.") % {"field": row.label}
    return found


def _numbers(row: CustomField, values: Iterable[str]) -> dict[str, int]:
    """How many records hold each of some choices, without those that none holds. One statement."""
    counted = {f"n{place}": (value, _holds(row, value)) for place, value in enumerate(values)}
    if not counted:
        return {}
    rows = registry.get(row.record_type).model._base_manager.all()
    found = rows.aggregate(**{name: Count("pk", filter=holds) for name, (_value, holds) in counted.items()})
    return {value: found[name] for name, (value, _held) in counted.items() if found[name]}


def _holds(row: CustomField, value: str) -> Q:
    return Q(custom__contains={row.key: value if row.kind == FieldType.CHOICE else [value]})


def _in_use(label: str, number: int) -> str:
    text = ngettext("“%(choice)s” is in use by %(n)d record.", "“%(choice)s” is in use by %(n)d records.", number)
    return text % {"choice": label, "n": number}


def begin_replacing(row: CustomField, instead: Mapping[str, str], acting: Actor) -> None:
    """Gives the records of a saved field other choices, and takes the former ones out of it: few at once, many by a
    job. All in one change set."""
    if not instead:
        return
    with change_set(ChangeSetKind.MERGE, _label_of(row, instead, acting), acting=acting) as made:
        ids = list(_holding(row, instead).values_list("pk", flat=True)[: AT_ONCE + 1])
        if len(ids) <= AT_ONCE:
            _replace(row, instead, ids, acting)
            _take_out(row, instead, acting)
            return
        row.custom = {**row.custom, REPLACING: {"into": dict(instead), "change_set": str(made.pk)}}
        row.save(update_fields=["custom"])
        go_on_replacing(row, acting)


def _label_of(row: CustomField, instead: Mapping[str, str], acting: Actor) -> str:
    """What histories call it: not by a field that some roles don't see."""
    if schema.record_type(row.record_type, acting).field(row.key).visible_to < ALL_ROLES:
        return _("Choices of a field")
    names = {option["value"]: option["label"] for option in row.options}
    pairs = [f"“{names[value]}” → “{names.get(into, '—')}”" for value, into in instead.items()]
    return f"{row.label}: {', '.join(pairs)}"


def go_on_replacing(row: CustomField, acting: Actor) -> None:
    """Has a job go on with what was begun, also where a field was deleted meanwhile and is back."""
    if REPLACING in row.custom:
        enqueue_on_commit(TASK, field_id=row.pk, member_id=acting.member_id)


@action
def replace_part(field_id: UUID, after: UUID, *, acting: Actor) -> UUID | None:
    """Gives those of the next 1,000 records after one other choices that hold former ones; the last of them.

    After the last record it begins anew while there are such records; then the former choices are taken out of the
    field: None. Raises Forbidden.
    """
    if not rules.may_administer(acting):
        raise Forbidden
    # In the order in which changes of fields lock them (crm.actions.fields).
    Organization.objects.select_for_update(no_key=True).get(pk=acting.org_id)
    row = CustomField.objects.select_for_update().filter(pk=field_id, custom__has_key=REPLACING).first()
    if row is None:
        return None
    instead = row.custom[REPLACING]["into"]
    rows = registry.get(row.record_type).model._base_manager.filter(org_id=acting.org_id, pk__gt=after)
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:PART])
    with context.recorded_under(UUID(row.custom[REPLACING]["change_set"])):
        _replace(row, instead, list(_holding(row, instead).filter(pk__in=ids).values_list("pk", flat=True)), acting)
        if len(ids) == PART:
            return ids[-1]
        if _holding(row, instead).exists():
            return BEFORE_ALL
        _take_out(row, instead, acting)
    return None


def _holding(row: CustomField, values: Sequence[str] | Mapping[str, str]) -> Any:
    """The records, those in the recycle bin among them, that hold one of some choices."""
    held = Q(pk__in=[])
    for value in values:
        held |= _holds(row, value)
    return registry.get(row.record_type).model._base_manager.filter(held).order_by("pk")


def _replace(row: CustomField, instead: Mapping[str, str], ids: Sequence[UUID], acting: Actor) -> None:
    kind = schema.record_type(row.record_type, acting)
    locked = kind.model._base_manager.filter(pk__in=ids).select_for_update(of=("self",)).order_by("pk")
    edits = [Edit(record, {}) for record in locked]
    for edit in edits:
        edit.record.custom = _with_others(row, instead, edit.record.custom)
    bulk.save(kind, [edit for edit in edits if edit.record.deleted_at is None], acting)
    # What lies in the recycle bin is told to nobody, and keeps the version that it was deleted with.
    binned = [edit.record for edit in edits if edit.record.deleted_at is not None and edit.moved("custom")]
    if binned:
        write_rows(kind.model, ["custom"], [{"id": record.pk, "custom": record.custom} for record in binned])


def _with_others(row: CustomField, instead: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    """A record's values with other choices in them, each once and in the order of the field's."""
    held = values.get(row.key)
    new: Any
    if row.kind == FieldType.CHOICE:
        new = instead.get(held, held) if isinstance(held, str) else held
    else:
        chosen = {instead.get(value, value) for value in held or ()}
        new = [option["value"] for option in row.options if option["value"] in chosen]
    rest = {key: value for key, value in values.items() if key != row.key}
    return {**rest, row.key: new} if new else rest


def _take_out(row: CustomField, instead: Mapping[str, str], acting: Actor) -> None:
    """Ends the former choices: their records have others."""
    row.options = [option for option in row.options if option["value"] not in instead]
    row.custom = {key: value for key, value in row.custom.items() if key != REPLACING}
    row.version += 1
    row.save(update_fields=["options", "custom", "version", "updated_at"])
    Organization.objects.filter(pk=acting.org_id).update(schema_version=F("schema_version") + 1)
