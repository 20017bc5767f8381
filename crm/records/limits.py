"""What a role that may not see every field gets of the rest: names, search, and the records of pages.

A field that is hidden from a role is no field for it. Lists, filters, forms and exports follow from
RecordType.fields_for; here stands what shows values in other ways.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from crm.lib.errors import Forbidden
from crm.records import schema
from crm.records.registry import RecordType, registry
from crm.records.search_queries import Found, Way
from crm.tenancy.backend.kept import OneOf
from crm.tenancy.context import Actor, array

M = TypeVar("M")


def sees(key: str, *fields: str, actor: Actor) -> bool:
    """Whether the actor's role sees all these fields of a type."""
    return set(fields) <= seen_keys(schema.record_type(key, actor), actor)


def seen_keys(record_type: RecordType, actor: Actor) -> frozenset[str]:
    """The keys of the fields that the actor's role sees."""
    role = actor.role
    return record_type.remembered(("seen", role), lambda: frozenset(f.key for f in record_type.fields_for(role)))


def veil(record: M, record_type: RecordType, actor: Actor) -> M:
    """The record with every built-in field emptied that the actor's role does not see, for a page that shows it.

    Nothing of it may be saved. Fields that are computed by the database, and links, stay as they are.
    """
    seen = seen_keys(record_type, actor)
    for field in record_type.fields:
        if field.key in seen or field.custom or "__" in field.column:
            continue
        column: Any = record_type.model._meta.get_field(field.column)
        present = getattr(record, column.attname)
        record.__dict__[column.attname] = None if column.null or present is None else type(present)()
    return record


def check_writable(key: str, names: Iterable[str], acting: Actor) -> None:
    """Raises Forbidden for a built-in field that is hidden from the actor's role, or that it may not change: the same
    for one that is not there. Names that are no fields are passed over."""
    for name in sorted(unwritable(key, acting).intersection(names)):
        raise Forbidden(_("“%(field)s” can't be changed here.") % {"field": name})


def unwritable(key: str, actor: Actor) -> frozenset[str]:
    """The keys of the built-in fields that the actor's role may not write, though others may."""
    if not actor.role:
        return frozenset()
    fields = (field for field in schema.record_type(key, actor).fields if field.editable and not field.custom)
    return frozenset(f.key for f in fields if actor.role not in f.visible_to & f.editable_by)


def given(values: Any, names: Mapping[str, str]) -> list[str]:
    """The keys of the fields that a dataclass of a new record fills otherwise than by default; `names` says which key
    an attribute has, where it is another one."""
    return [
        names.get(part.name, part.name)
        for part in dataclass_fields(values)
        if getattr(values, part.name) != part.default and getattr(values, part.name) not in (None, "", (), {})
    ]


def called(record: Any, key: str, actor: Actor) -> str:
    """What a record of a type is called on the actor's pages. No page, message or dialog names a record otherwise:
    where nobody gave it a name, an address stands in for it, which not every role sees."""
    return schema.record_type(key, actor).name_of(record) or _("(no name)")


def types_without_stand_in(actor: Actor) -> list[RecordType]:
    """The types whose stand-in for an empty name is hidden from the actor's role: a name of theirs that was kept may
    be what it does not see."""
    kinds = [schema.record_type(t.key, actor) for t in registry if t.name_fallback]
    return [t for t in kinds if not t.name_fallback]


# ---------------------------------------------------------------- search


def narrowed(found: Sequence[Found], sought: str, actor: Actor) -> list[Found]:
    """Hits without those that only a field tells of which the actor's role does not see.

    What was found by beginnings and by words must be there in the columns that the role may search; parts of addresses
    and words that are spelled alike can't be held against them, and count for nothing.
    """
    limited = {t.model._meta.db_table: t for t in schema.schema_of(actor).types.values() if hides_searched(t, actor)}
    if not limited:
        return list(found)
    kept: list[Found] = []
    by_table: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        if one.table in limited:
            by_table[one.table].append(one)
        else:
            kept.append(one)
    for table, hits in by_table.items():
        kept += _told_by_name(limited[table], hits, sought)
    return kept


def hides_searched(record_type: RecordType, actor: Actor) -> bool:
    """Whether a search of the type looks into a field that the actor's role does not see."""
    seen = seen_keys(record_type, actor)
    return any(field.searched and field.key not in seen for field in record_type.fields)


def _told_by_name(record_type: RecordType, hits: Sequence[Found], sought: str) -> list[Found]:
    # Of several such fields all are left out here: which of them told would have to be found out one by one.
    hidden = {column for field in record_type.fields for column in field.searched}
    columns = [c for c in dict.fromkeys((*record_type.search_paths, *record_type.search_words)) if c not in hidden]
    rows = record_type.model._default_manager.filter(OneOf("id", array([hit.id for hit in hits])))
    texts = {pk: [str(text or "") for text in values] for pk, *values in rows.values_list("id", *columns)}
    begin = plain(sought)
    found = []
    for hit in hits:
        known = texts.get(hit.id, [])
        if hit.way == Way.PREFIXED:
            told = any(text.startswith(begin) for text in known)
        else:
            told = hit.way == Way.WORDED and all(any(word in text for text in known) for word in begin.split())
        if told:
            found.append(replace(hit, told="", exact=hit.exact and begin in known))
    return found


def plain(text: str) -> str:
    """Text without case and accents, about as the database's keel_norm has it."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.strip()) if not unicodedata.combining(c)).lower()


def searchable_paths(record_type: RecordType, actor: Actor) -> list[str]:
    """The columns that a search of a list compares by their beginning, without what is hidden from the role."""
    hidden = _hidden_columns(record_type, actor)
    return [path for path in record_type.search_paths if path not in hidden]


def _hidden_columns(record_type: RecordType, actor: Actor) -> Collection[str]:
    seen = seen_keys(record_type, actor)
    return {column for field in record_type.fields if field.key not in seen for column in field.searched}
