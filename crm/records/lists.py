"""Lists of any record type: what a URL asks for, the rows that answer it, and how many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Concat
from django.http import QueryDict
from django.utils.translation import gettext as _

from crm import access
from crm.lib.phones import without_extension
from crm.models import Membership, Tag
from crm.records import limits, savedviews, schema, showing
from crm.records.filters.compiler import compile_filter
from crm.records.filters.conditions import LAST
from crm.records.filters.limits import stopped_in_time
from crm.records.filters.short import field_of
from crm.records.filters.text import parse
from crm.records.filters.tree import fields_in
from crm.records.listquery import (
    OWN,
    PARTS,
    ListQuery,
    columns_of,
    listable_fields,
    read_columns,
    read_density,
    read_group,
    read_layout,
    sort_key,
)
from crm.records.listrows import Reads
from crm.records.loosekeys import TooLong
from crm.records.queries import Named, estimate_rows, expected_rows, record_names
from crm.records.registry import Field, FieldType, RecordType
from crm.records.search_queries import Way, find
from crm.tenancy.backend.kept import OneOf
from crm.tenancy.context import Actor, array, current_actor
from crm.web import formats
from crm.web.cells import Labels
from crm.web.pagination import COUNT_CAP, Count, Key, Keys, Page, capped_count, page_of, place_of

__all__ = [
    "ListQuery",
    "columns_of",
    "labels_of",
    "list_count",
    "list_page",
    "listable_fields",
    "parse_query",
    "sort_key",
]

FEW = 5  # rows found below which a list's search looks further
MATCHES = 10_000  # rows found by words or fragments that a list holds


def parse_query(record_type: RecordType, params: QueryDict, actor: Actor) -> ListQuery:
    """Reads a list's URL. Raises Invalid for a field that can't be filtered or sorted by, or is not for this role, for
    a filter that can't be read; NotFound for a saved view that is not there for the actor."""
    view = params.get("view", "")
    saved = access.get_view(view, record_type.key, actor) if view else None
    base = savedviews.opened(record_type, saved, actor) if saved else None
    filters: dict[str, tuple[str, ...]] = {}
    for name in params:
        if name in OWN:
            continue
        values = tuple(value for value in params.getlist(name) if value.strip())
        field_of(record_type, name, actor)
        if values:
            filters[name] = values
    said = base.parts() if base else {}
    said |= {
        name: ",".join(params.getlist(name)) if name == "cols" else params[name] for name in PARTS if name in params
    }
    if filters and "filter" not in params:
        said["filter"] = ""
    query = strictly(record_type, said, actor)
    lost = base is not None and base.lost
    return replace(query, cursor=params.get("after", ""), filters=filters, view=view, base=base, saved=saved, lost=lost)


def strictly(record_type: RecordType, said: Mapping[str, str], actor: Actor) -> ListQuery:
    """The list that PARTS describe, by name. Raises Invalid for the first that makes no sense to this actor."""
    text, sort = said.get("filter", "").strip(), said.get("sort", "")
    sort_key(record_type, sort or record_type.default_sort, actor)
    layout, by = read_layout(record_type, said.get("layout", ""), said.get("by", ""), actor)
    return ListQuery(
        q=said.get("q", "").strip()[:200],
        sort=sort,
        where=parse(text) if text else None,
        columns=read_columns(record_type, said.get("cols", ""), actor),
        group=read_group(record_type, said.get("group", ""), actor),
        layout=layout,
        by=by,
        density=read_density(said.get("density", "")),
    )


@dataclass(frozen=True, slots=True)
class Sought:
    """The rows that a search finds; not the `whole` of them where more match than were asked for."""

    rows: Q
    whole: bool


def search_q(record_type: RecordType, text: str, actor: Actor) -> Q:
    """Rows that a text finds: the first 10,000 of those that are found otherwise than by their beginning."""
    return sought(record_type, text, actor).rows


def sought(record_type: RecordType, text: str, actor: Actor, most: int | None = None) -> Sought:
    """Rows with a search column that begins with the text, compared without case and accents; and where the type's
    table has the functions for it, up to `most` rows with its words, parts of addresses and numbers, or words spelled
    alike.

    Ranges in byte order, not LIKE: under row-level security only leakproof operators use an index.
    """
    ids, whole = _matching(record_type, text, actor, most or MATCHES) if record_type.search_words else (set(), True)
    found = Q(OneOf("id", array(ids))) if record_type.search_words else Q(pk__in=[])
    normal = Func(Value(text), function="keel_norm", output_field=TextField())
    digits = "".join(c for c in without_extension(text) if c.isdigit())
    for path in limits.searchable_paths(record_type, actor):
        if not path.endswith("phone_norm"):
            found |= _begins_with(path, normal)
        elif len(digits) >= 3:
            found |= _begins_with(path, Value(digits))
    return Sought(found, whole)


def named_q(path: str, text: str) -> Q:
    """Rows whose normalised column begins with the text, compared without case and accents."""
    return _begins_with(path, Func(Value(text), function="keel_norm", output_field=TextField()))


def _begins_with(path: str, start: Any) -> Q:
    end = Concat(start, Value(LAST), output_field=TextField())
    return Q(**{f"{path}__gte": start, f"{path}__lt": end})


def _matching(record_type: RecordType, text: str, actor: Actor, most: int) -> tuple[set[UUID], bool]:
    """Ids of rows that match otherwise than by their beginning, as far as the actor sees them: by all words, or by a
    part of an address where there is an @; by the other and by words spelled alike where little was found. And whether
    they are all of them."""
    first, second = (Way.FRAGMENTS, Way.WORDED) if "@" in text else (Way.WORDED, Way.FRAGMENTS)
    ways = [way for way in (first, second, Way.SIMILAR) if way != Way.FRAGMENTS or record_type.search_fragments]
    table = record_type.model._meta.db_table
    begin = {row.id for row in find([(table, Way.PREFIXED)], text, FEW)} if record_type.search_paths else set()
    found: set[UUID] = set()
    whole = True
    for n, way in enumerate(ways):
        if n == 0 or len(found | begin) < FEW:
            rows = find([(table, way)], text, most)
            whole = whole and len(rows) < most
            found |= {row.id for row in limits.narrowed(rows, text, actor)}
    return found, whole


def filtered(record_type: RecordType, query: ListQuery, actor: Actor) -> QuerySet[Any]:
    """The rows that a list's filters leave, before what the actor may see is taken out of them. Raises Invalid."""
    return matching(record_type, query, actor)[0]


def matching(
    record_type: RecordType, query: ListQuery, actor: Actor, most: int | None = None
) -> tuple[QuerySet[Any], bool]:
    """As `filtered`, and whether these are all that match: a search finds `most`, usually 10,000. Raises Invalid."""
    tree = query.tree(record_type, actor)
    rows = record_type.model._default_manager.filter(deleted_at__isnull=True)
    if record_type.left_out and not query.ids and record_type.left_out.unless not in fields_in(tree):
        rows = rows.exclude(record_type.left_out.rows)
    found = sought(record_type, query.q, actor, most) if query.q else Sought(Q(), whole=True)
    rows = rows.filter(found.rows)
    if query.ids:
        rows = rows.filter(OneOf("id", array(query.ids)))
    return rows.filter(compile_filter(tree, record_type, actor)), found.whole


def value_paths(record_type: RecordType, columns: list[Field], key: Key | Keys) -> list[str]:
    """The model columns that a list's rows need."""
    paths = ["id", *record_type.name_paths, *key.paths]
    if record_type.name_fallback:
        paths.append(record_type.name_fallback)
    for candidate in columns:
        paths.append("custom" if candidate.custom else candidate.column)
        if candidate.currency_path and not candidate.custom:
            paths.append(candidate.currency_path)
        if candidate.deadline:
            paths += [candidate.deadline.met, candidate.deadline.timed]
    if record_type.check:
        paths += [record_type.check.path, "owner_id"]
    paths += showing.formula_columns(record_type, columns)
    return list(dict.fromkeys(paths))


def list_page(
    record_type: RecordType,
    query: ListQuery,
    actor: Actor,
    *,
    size: int = 50,
    columns: list[Field] | None = None,
    also: tuple[str, ...] = (),
) -> Page:
    """One page of a list, as dicts of the columns in `value_paths`, and `also`. Raises Invalid, TooSlow and TooLong."""
    key = sort_key(record_type, query.sort or record_type.default_sort, actor)
    columns = columns_of(record_type, actor, query) if columns is None else columns
    paths = (*value_paths(record_type, columns, key), *also)
    place = place_of(query.cursor, record_type.model, key)
    check_length(record_type, query, key, actor)
    reads = Reads(record_type, query, actor, tuple(paths), size + 1, lambda: filtered(record_type, query, actor))
    page = page_of(reads.rows(key, place), key, place, size)
    showing.flatten(record_type, columns, page.rows, actor)
    return page


def labels_of(record_type: RecordType, columns: Sequence[Field], rows: Sequence[Any]) -> Labels:
    """What the members, records and tags in some columns of rows are called: one statement, none where there are none.

    Joined to the list, they would be planned with it each time, and looked up for rows that no page shows.
    """
    labels = Labels()
    wanted = [named for column in columns if (named := _named(record_type, column, rows)) and named.ids]
    for number, pk, text in record_names(wanted) if wanted else ():
        if wanted[number].table == _TAGS:
            tone, _blank, name = text.partition(" ")
            labels.tags[pk] = (name, tone)
        else:
            labels.names[pk] = text
    return labels


_TAGS = Tag._meta.db_table


def _named(record_type: RecordType, column: Field, rows: Sequence[Any]) -> Named | None:
    """Which names a column's cells need."""
    if column.type == FieldType.TAGS:
        tags = {tag for row in rows for tag in row[column.column] or ()}
        return Named(_TAGS, ("tone", "name"), "", tags, live=True)
    if column.type not in (FieldType.MEMBER, FieldType.LOOKUP):
        return None
    ids = {row[column.column] for row in rows} - {None}
    if column.type == FieldType.MEMBER:
        return Named(Membership._meta.db_table, (), "", ids)
    if column.custom:
        target = schema.record_type(column.target, current_actor())
        return Named(target.model._meta.db_table, target.name_paths, target.name_fallback, ids)
    relation = column.label_paths[0].split("__")[0]
    related: Any = record_type.model._meta.get_field(relation).related_model
    return Named(related._meta.db_table, tuple(path.split("__", 1)[1] for path in column.label_paths), "", ids)


def check_length(
    record_type: RecordType, query: ListQuery, key: Key | Keys, actor: Actor, *, at_once: bool = False
) -> None:
    """Raises TooLong where a list has more rows than are put in order without an index. `at_once`: it is not read in
    stretches, so that no index of a sparse column serves."""
    if key.is_indexed and not (at_once and key.is_sparse):
        return
    with stopped_in_time():
        found = capped_count(access.branches(filtered(record_type, query, actor), actor), COUNT_CAP)
    if not found.exact:
        message = _(
            "More than %(most)s records can't be put in this order. Filter the list, or sort it by another field."
        )
        raise TooLong(message % {"most": formats.number(COUNT_CAP)})


def list_count(record_type: RecordType, query: ListQuery, actor: Actor) -> Count:
    """How many rows a list has in all: exact to 10,000, estimated beyond; of a search that finds more, at least how
    many. Raises Invalid, and TooSlow."""
    rows, whole = matching(record_type, query, actor)
    if not query.is_filtered:
        found = capped_count(access.branches(rows, actor))
    else:
        with stopped_in_time():
            found = capped_count(access.branches(rows, actor))
    if not whole:
        return Count(found.number, exact=False)
    return found if found.exact else _estimated(record_type, rows, actor) or found


def _estimated(record_type: RecordType, rows: QuerySet[Any], actor: Actor) -> Count | None:
    """About how many rows there are, to two digits: the planner's statistics of the table, and the part of it that the
    planner expects the filters to leave. What it makes of the policies is wrong in both, and falls out."""
    whole = estimate_rows(record_type.model._meta.db_table)
    if whole is None:
        return None
    all_rows = record_type.model._default_manager.filter(deleted_at__isnull=True)
    part = expected_rows(rows) / max(expected_rows(all_rows), 1)
    number = int(whole * min(part, 1.0))
    digits = len(str(number)) - 2
    return Count(max(round(number, -digits), COUNT_CAP), exact=False, estimated=True)
