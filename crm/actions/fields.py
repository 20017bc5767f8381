"""Custom fields of an organisation, and who sees and edits which field. Admins only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import queries, rules
from crm.actions import field_choices, field_sorting
from crm.actions.base import action
from crm.actions.field_choices import Messages, Option, check_options
from crm.enums import FieldLevel
from crm.lib.errors import Forbidden, Invalid, NotFound
from crm.models import CustomField, FieldAccess, Organization
from crm.records import custom, formulas, schema, stored
from crm.records.listquery import OWN
from crm.records.registry import Field, FieldType, RecordType, registry
from crm.tenancy.context import Actor

MOST = 100  # fields of one record type
KEPT_DAYS = 30  # a deleted field can be restored
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PICKLISTS = (FieldType.CHOICE, FieldType.MULTI_CHOICE)
_UNIQUE = (FieldType.TEXT, FieldType.NUMBER, FieldType.EMAIL, FieldType.PHONE, FieldType.URL)
NO_DEFAULT = (FieldType.FORMULA, FieldType.LOOKUP)
_RESULTS = (FieldType.TEXT, FieldType.NUMBER, FieldType.PERCENT, FieldType.CHECKBOX)
_RESERVED = frozenset({"id", "org", "custom", "version", "name", *OWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSettings:
    """What an admin says about a custom field. `key` and `kind` count for a new one only."""

    label: str
    kind: str = FieldType.TEXT
    key: str = ""  # made of the label when empty
    help: str = ""
    group: str = ""
    required: bool = False
    unique: bool = False
    encrypted: bool = False
    sortable: bool = False  # whether lists can be sorted by it
    default: Any = None
    options: Sequence[Option] = field(default_factory=tuple)
    instead: Mapping[str, str] = field(default_factory=dict)  # what records get for choices that are gone; "" for none
    target: str = ""
    formula: str = ""
    result: str = ""


def takes_custom_fields(record_type: RecordType) -> bool:
    """Whether records of a type can have fields of an organisation's own."""
    return record_type.takes_fields and any(f.name == "custom" for f in record_type.model._meta.get_fields())


@action
def create_field(record_type: str, given: FieldSettings, *, acting: Actor) -> CustomField:
    """Adds a field to a record type, behind the others.

    Raises Forbidden, NotFound, and Invalid naming what is wrong.
    """
    kind = _type_for(record_type, acting)
    errors = _check(record_type, given)
    taken = {f.key for f in kind.fields} | _columns(kind)
    taken |= set(CustomField.everything.filter(record_type=record_type).values_list("key", flat=True))
    key = given.key.strip() or _key_of(given.label, taken | formulas.WORDS)
    if not KEY.fullmatch(key) or key in _RESERVED:
        errors["key"] = _("Use small letters, digits and underscores; begin with a letter.")
    elif key in formulas.WORDS:
        errors["key"] = _("This is a word of formulas, which could not name the field then. Use another one.")
    elif key in taken:
        errors["key"] = _("There is a field with this key already.")
    if _is_full(record_type):
        errors["label"] = _TOO_MANY % {"max": MOST}
    if given.kind not in stored.KINDS:
        errors["kind"] = _("Choose a type.")
    _refuse(errors)
    made = CustomField(record_type=record_type, key=key, kind=given.kind, position=_next_position(record_type))
    _put(made, given, kind, acting)
    made.save(force_insert=True)
    field_sorting.start(made)
    _changed(acting)
    return made


@action
def update_field(field_id: UUID | str, given: FieldSettings, *, acting: Actor) -> CustomField:
    """Changes a field; its key and type stay. Raises Forbidden, NotFound, and Invalid naming what is wrong.

    A new name of a choice is its records' at once. One that records hold is taken away where `given.instead` says what
    they get: at once, or by a job while the choice stays; else ChoicesInUse. Raises Conflict while such a job runs.
    """
    row = _field(field_id, acting)
    field_choices.refuse_while_replacing(row)
    given = replace(given, kind=row.kind, target=row.target or given.target)
    errors = _check(row.record_type, given)
    instead: dict[str, str] = {}
    if row.kind in _PICKLISTS and "options" not in errors:
        instead = field_choices.replaced(row, given.options, given.instead, required=given.required, errors=errors)
        kept = [Option(o["label"], o["tone"], o["value"]) for o in row.options if o["value"] in instead]
        given = replace(given, options=[*given.options, *kept], default=_instead_of(given.default, instead))
    if row.encrypted != given.encrypted:
        errors["encrypted"] = _("This can be chosen for a new field only.")
    if row.unique != given.unique:
        errors["unique"] = _("This can be chosen for a new field only.")
    _refuse(errors)
    _put(row, given, _type_for(row.record_type, acting), acting)
    row.version += 1
    row.save()
    field_sorting.start(row)
    field_choices.begin_replacing(row, instead, acting)
    _changed(acting)
    return row


@action
def delete_field(field_id: UUID | str, *, acting: Actor) -> CustomField:
    """Hides a field with all its values; it can be restored for 30 days. Lists that are sorted by it can be sorted by
    another one. Raises Forbidden, NotFound, and Invalid while a formula is made of it."""
    row = _field(field_id, acting)
    for other in CustomField.objects.filter(record_type=row.record_type, kind=FieldType.FORMULA):
        if row.key in formulas.names_of(other.formula):
            raise Invalid(_("“%(field)s” is computed from this field. Change it first.") % {"field": other.label})
    field_sorting.arrange(row, wanted=False)
    row.deleted_at = timezone.now()
    row.version += 1
    row.save()
    _changed(acting)
    return row


@action
def restore_field(field_id: UUID | str, *, acting: Actor) -> CustomField:
    """Shows a deleted field again, with its values. Raises Forbidden, NotFound after 30 days, Invalid for a label that
    another field has by now."""
    _administer(acting)
    since = timezone.now() - timedelta(days=KEPT_DAYS)
    row = CustomField.everything.select_for_update().filter(pk=field_id, deleted_at__gt=since).first()
    if row is None:
        raise NotFound(_("This field is gone for good."))
    _refuse_taken_label(row)
    if _is_full(row.record_type):
        raise Invalid(_TOO_MANY % {"max": MOST})
    if row.kind == FieldType.FORMULA:
        formulas.check(row.formula, _parts(_type_for(row.record_type, acting), row.key))
    row.deleted_at = None
    row.version += 1
    row.save(update_fields=["deleted_at", "version", "updated_at"])
    field_choices.go_on_replacing(row, acting)
    _changed(acting)
    return row


@action
def order_fields(record_type: str, field_ids: Sequence[UUID], *, acting: Actor) -> None:
    """Puts a type's custom fields into an order; ones that are not named come after those.

    Raises Forbidden, and NotFound when one that is named is no field of the type.
    """
    _type_for(record_type, acting)
    place = {pk: number for number, pk in enumerate(field_ids)}
    rows = list(CustomField.objects.select_for_update().filter(record_type=record_type).order_by("position", "pk"))
    if not set(place) <= {row.pk for row in rows}:
        raise NotFound(_("This field was deleted. Reload the page."))
    rows.sort(key=lambda row: place.get(row.pk, len(place)))
    for number, row in enumerate(rows):
        row.position = number
    CustomField.objects.bulk_update(rows, ["position"])
    _changed(acting)


@action
def set_field_access(record_type: str, field_key: str, levels: Mapping[str, str], *, acting: Actor) -> None:
    """Says what each role may do with a field: {"rep": "hidden"}; a role that is not named keeps what it has.
    Admins see and edit everything.

    Raises Forbidden, NotFound (also for a built-in field that must stay), and Invalid for an unknown role or level.
    """
    kind = _type_for(record_type, acting)
    if field_key not in {f.key for f in kind.fields if schema.may_limit(kind, f)}:
        raise NotFound(_("There is no such field."))
    if not set(levels) <= set(schema.LIMITED_ROLES) or not set(levels.values()) <= set(FieldLevel.values):
        raise Invalid(_("Choose what each role may do."))
    rows = FieldAccess.objects.filter(record_type=record_type, field_key=field_key)
    rows.filter(role__in=levels).delete()
    FieldAccess.objects.bulk_create(
        FieldAccess(record_type=record_type, field_key=field_key, role=role, level=level)
        for role, level in levels.items()
        if level != FieldLevel.EDIT
    )
    _changed(acting)


_TOO_MANY = gettext_lazy("A record type has at most %(max)d fields of its own. Delete one first.")


def _administer(acting: Actor) -> None:
    """Raises Forbidden. Changes of an organisation's fields come one after the other: a formula is never saved over a
    field that somebody deletes at that moment."""
    if not rules.may_administer(acting):
        raise Forbidden(_("Only admins change fields. Ask one of them."))
    Organization.objects.select_for_update(no_key=True).get(pk=acting.org_id)


def _is_full(record_type: str) -> bool:
    return CustomField.objects.filter(record_type=record_type).count() >= MOST


def _columns(kind: RecordType) -> set[str]:
    """The names of a type's columns: a few, such as an amount's currency, are no fields, and written like ones."""
    return {name for column in kind.model._meta.concrete_fields for name in (column.name, column.attname)}


def _type_for(record_type: str, acting: Actor) -> RecordType:
    _administer(acting)
    try:
        kind = schema.record_type(record_type, replace(acting, schema=None))  # as it is now, under the lock
    except KeyError:
        raise NotFound(_("There is no such type of record.")) from None
    if not takes_custom_fields(kind):
        raise NotFound(_("There is no such type of record."))
    return kind


def _field(field_id: UUID | str, acting: Actor) -> CustomField:
    _administer(acting)
    row = CustomField.objects.select_for_update().filter(pk=field_id).first()
    if row is None:
        raise NotFound(_("This field was deleted. Reload the page."))
    return row


def _changed(acting: Actor) -> None:
    """Every process reads the fields anew with its next request."""
    Organization.objects.filter(pk=acting.org_id).update(schema_version=F("schema_version") + 1)


def _next_position(record_type: str) -> int:
    last = CustomField.everything.filter(record_type=record_type).order_by("-position").first()
    return last.position + 1 if last else 0


def _key_of(label: str, taken: set[str]) -> str:
    """A key made of a label: "Contract end (2026)" gives "contract_end_2026"."""
    base = re.sub(r"[^a-z0-9]+", "_", label.casefold()).strip("_")
    base = (base if re.match(r"[a-z]", base) else f"field_{base}")[:36].rstrip("_")
    number, key = 2, base
    while key in taken or key in _RESERVED:
        key, number = f"{base}_{number}", number + 1
    return key


def _check(record_type: str, given: FieldSettings) -> Messages:
    errors: Messages = {}
    if not given.label.strip():
        errors["label"] = _("Give the field a name.")
    for name, longest in (("label", 80), ("help", 200), ("group", 60)):
        if len(getattr(given, name)) > longest:
            errors[name] = _("Too long: %(limit)s characters at most.") % {"limit": longest}
    _check_uses(record_type, given, errors)
    if given.kind in _PICKLISTS:
        check_options(given.options, errors)
    if given.kind == FieldType.LOOKUP and given.target not in {kind.key for kind in registry}:
        errors["target"] = _("Choose a type of record.")
    if given.kind == FieldType.FORMULA and given.result not in _RESULTS:
        errors["result"] = _("Choose what comes out.")
    if given.kind == FieldType.FORMULA and (given.required or given.unique or given.encrypted):
        errors["formula"] = _("A computed field can't be required, unique or encrypted.")
    return errors


def _check_uses(record_type: str, given: FieldSettings, errors: Messages) -> None:
    """Whether fields of the type can be unique, encrypted, sorted by."""
    if given.unique and (given.kind not in _UNIQUE or given.encrypted):
        errors["unique"] = _("A field of this type can't be unique.")
    if given.encrypted and given.kind not in (FieldType.TEXT, FieldType.LONG_TEXT, FieldType.NUMBER):
        errors["encrypted"] = _("Only texts and numbers can be encrypted.")
    if given.default not in (None, "", []) and (given.unique or given.encrypted):
        errors["default"] = _("A field that is unique or encrypted has no default.")
    if given.sortable and not field_sorting.can_sort(record_type, given.kind, encrypted=given.encrypted):
        errors["sortable"] = _("Lists can't be sorted by such a field.")


def _put(row: CustomField, given: FieldSettings, kind: RecordType, acting: Actor) -> None:
    """Sets what `given` says. Raises Invalid for what only shows against the other fields."""
    row.label, row.help, row.group = given.label.strip(), given.help.strip(), given.group.strip()
    row.required, row.unique, row.encrypted = given.required, given.unique, given.encrypted
    former = row.options
    if row.kind in _PICKLISTS:
        row.options = _options(row.options, given.options)
    field_sorting.arrange(row, wanted=given.sortable, former=former)
    if row.kind == FieldType.LOOKUP:
        row.target = row.target or given.target
    if row.kind == FieldType.FORMULA:
        row.formula, row.result = given.formula.strip(), given.result
        formulas.check(row.formula, _parts(kind, row.key))
    row.default = _default(row, given.default, acting)
    _refuse_taken_label(row)


def _parts(kind: RecordType, key: str) -> set[str]:
    """The keys of the fields that the formula of a field may use."""
    return {f.key for f in kind.fields if _computes(f) and f.key != key}


def _computes(candidate: Field) -> bool:
    """Whether formulas may use a field. Not another formula: there are no circles, and no order to find."""
    return not (candidate.secret or candidate.encrypted or candidate.type in (FieldType.FORMULA, FieldType.TAGS))


def _options(present: Sequence[Mapping[str, str]], given: Sequence[Option]) -> list[dict[str, str]]:
    known = {option["value"] for option in present}
    made, taken = [], set(known)
    for option in given:
        value = option.value if option.value in known else _key_of(option.label, taken)
        taken.add(value)
        made.append({"value": value, "label": option.label.strip(), "tone": option.tone})
    return made


def _instead_of(default: Any, instead: Mapping[str, str]) -> Any:
    """A default without choices that are taken away."""
    if isinstance(default, list):
        return list(dict.fromkeys(value for each in default if (value := instead.get(each, each))))
    return instead.get(default, default) if isinstance(default, str) else default


def _default(row: CustomField, value: Any, acting: Actor) -> Any:
    if row.kind in NO_DEFAULT or row.unique or row.encrypted:
        return None
    own = schema.field_of(row)
    currency = ""
    if own.type == FieldType.MONEY:
        currency = custom.base_currency(acting)
    try:
        found = stored.stored(own, _by_name(row, value) if row._state.adding else value, acting, currency=currency)
    except stored.BadValueError as error:
        raise Invalid(fields={"default": str(error)}) from None
    if found and own.type == FieldType.MEMBER and not queries.active_members([found]):
        raise Invalid(fields={"default": _("Choose an active member.")})
    return found


def _by_name(row: CustomField, value: Any) -> Any:
    """A default of a new field with values in place of the names of its choices."""
    values = {option["label"]: option["value"] for option in row.options}
    if isinstance(value, list | tuple):
        return [values.get(name, name) for name in value]
    return values.get(value, value) if isinstance(value, str) else value


def _refuse_taken_label(row: CustomField) -> None:
    others = CustomField.objects.filter(record_type=row.record_type).exclude(pk=row.pk)
    built_in = (str(f.label) for f in registry.get(row.record_type).fields)
    if row.label.casefold() in {label.casefold() for label in (*built_in, *others.values_list("label", flat=True))}:
        raise Invalid(fields={"label": _("There is a field with this name already.")})


def _refuse(errors: Messages) -> None:
    if errors:
        raise Invalid(fields=errors)
