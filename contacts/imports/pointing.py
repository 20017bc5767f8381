"""Cells that name another record: by its name, a contact also by an e-mail address, an account also by a domain.

All rows that are understood together are looked up at once, in one or two statements for each such column. Only records
that the importer sees are found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Func, TextField, Value
from django.utils.translation import gettext as _

from contacts.imports.targets import ImportField
from crm import access
from crm.records import schema
from crm.records.registry import RecordType
from crm.tenancy.context import Actor

# What a record is called besides its name: the field that a role must see for it, and where that stands in lower case.
_BESIDE = {"contact": ("email", "emails__address_norm"), "account": ("domain", "account_domains__domain")}
_TWINS = {"contact": "full_name_norm"}  # the normalised name, where the type's list is sorted by another one


def same_name(text: str) -> str:
    """A name as it is compared: without case and repeated blanks."""
    return " ".join(text.split()).casefold()


def found_records(texts: Iterable[str], field: ImportField, acting: Actor) -> dict[str, UUID | str]:
    """What the cells of a column point at: the record of each text, or why there is none."""
    wanted = set(texts)
    if not wanted:
        return {}
    kind = schema.record_type(field.target, acting)
    by_name, beside = _by_name(kind, wanted, acting), _beside(kind, wanted, acting)
    return {text: _one(text, kind, by_name[same_name(text)], beside[text.lower()]) for text in wanted}


def _by_name(kind: RecordType, texts: set[str], acting: Actor) -> dict[str, dict[UUID, str]]:
    """The records of those names: by name as it is compared, then by id."""
    twin = _TWINS.get(kind.key, kind.name_sort_path)
    rows = access.visible(kind.model, acting)
    if twin:
        norms = [Func(Value(" ".join(text.split())), function="keel_norm", output_field=TextField()) for text in texts]
        rows = rows.filter(**{f"{twin}__in": norms})
    else:
        rows = rows.filter(**{f"{kind.name_paths[0]}__in": texts})
    found: dict[str, dict[UUID, str]] = defaultdict(dict)
    for pk, *parts in rows.values_list("pk", *kind.name_paths):
        name = " ".join(str(part) for part in parts if part)
        found[same_name(name)][pk] = name
    return found


def _beside(kind: RecordType, texts: set[str], acting: Actor) -> dict[str, set[UUID]]:
    """The records with those addresses or domains, where the importer's role sees such."""
    found: dict[str, set[UUID]] = defaultdict(set)
    key, path = _BESIDE.get(kind.key, ("", ""))
    if any(field.key == key for field in kind.fields_for(acting.role)):
        rows: Any = access.visible(kind.model, acting).filter(**{f"{path}__in": {text.lower() for text in texts}})
        for pk, value in rows.values_list("pk", path):
            found[value].add(pk)
    return found


def _one(text: str, kind: RecordType, named: dict[UUID, str], beside: set[UUID]) -> UUID | str:
    """The record that is meant: of several, the one that is written just so."""
    several = set(named) or beside
    exact = {pk for pk, name in named.items() if name == text}
    chosen = several if len(several) == 1 else exact
    if len(chosen) == 1:
        return next(iter(chosen))
    things = str(kind.label_plural).lower()
    if several:
        return _("“%(text)s” could be several %(things)s.") % {"text": text, "things": things}
    return _("“%(text)s” is none of the %(things)s here.") % {"text": text, "things": things}
