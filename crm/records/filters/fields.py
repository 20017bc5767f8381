"""The fields and relations that a reader may name in a filter. What is hidden from them is not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from crm.records import schema
from crm.records.filters.operators import OPERATORS
from crm.records.filters.tree import wrong
from crm.records.registry import Field, FieldType, RecordType, Relation, registry
from crm.tenancy.context import Actor

HOPS = 3  # lookups that a path may go over
LINK = "link"  # before a field of the link to a related record: link.role


@dataclass(frozen=True, slots=True)
class Path:
    """A field, the model that has it, and the lookups that lead there, each with the type it leads to."""

    field: Field
    model: type[Any]
    over: tuple[tuple[Field, RecordType], ...] = ()


def filterable(record_type: RecordType, actor: Actor) -> list[Field]:
    """The fields of a type that this actor may filter by."""
    return [field for field in record_type.fields_for(actor.role) if field.filterable and field.type in OPERATORS]


def leads_to(field: Field, actor: Actor) -> RecordType | None:
    """The type that a lookup leads to, where its fields can be named: `account` for `account.industry`."""
    if field.type != FieldType.LOOKUP or not field.target:
        return None
    try:
        return schema.target(field.target, actor)
    except KeyError:
        return None


def path_of(record_type: RecordType, text: str, actor: Actor, place: str) -> Path:
    """What a path such as `account.industry` names.

    Raises Invalid, the same for what is absent and for what is hidden from this actor.
    """
    *before, key = text.split(".")
    over: list[tuple[Field, RecordType]] = []
    here = record_type
    for name in before:
        field = _named(filterable(here, actor), name, text, place)
        target = leads_to(field, actor)
        if target is None or len(over) == HOPS:
            raise _unknown(text, place)
        over.append((field, target))
        here = target
    return Path(_named(filterable(here, actor), key, text, place), here.model, tuple(over))


def link_path(relation: Relation, text: str, place: str) -> Path:
    """What a path such as `link.role` names, a field of the links of a relation. Raises Invalid."""
    assert relation.through is not None
    return Path(_named(relation.fields, text.removeprefix(f"{LINK}."), text, place), relation.through)


def _named(fields: Sequence[Field], key: str, text: str, place: str) -> Field:
    found = next((field for field in fields if field.key == key), None)
    if found is None:
        raise _unknown(text, place)
    return found


def _unknown(text: str, place: str) -> Exception:
    message = _("There is no field “%(field)s” to filter by.")
    return wrong(place, message % {"field": text[:80]})


def relation_of(record_type: RecordType, key: str, place: str) -> Relation:
    """The relation of a type by its key. Raises Invalid."""
    found = next((relation for relation in registry.relations(record_type) if relation.key == key), None)
    if found is None:
        raise wrong(place, _("There are no related records “%(relation)s”.") % {"relation": key[:80]})
    return found
