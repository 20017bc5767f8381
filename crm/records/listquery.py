"""What the address of a list says: search text, filter, sort, columns, groups, layout; and the address that says it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.utils.translation import gettext as _

from crm.lib.errors import Invalid
from crm.models import SavedView
from crm.records.filters.short import short_conditions
from crm.records.filters.text import print_tree
from crm.records.filters.tree import Node, all_of, members_of
from crm.records.loosekeys import loose_key
from crm.records.registry import Field, FieldType, RecordType
from crm.tenancy.context import Actor
from crm.web.pagination import Key, Keys

NAME = "name"
# What a list is made of beside its short filters, each a parameter of its address and a part of a saved view.
PARTS = ("filter", "q", "sort", "cols", "group", "layout", "by", "density")
OWN = (*PARTS, "after", "block", "view", "key")  # parameters of a list that are no short filters
SAFE = "(),:"  # stays readable in an address
SORTS = 5  # fields that a list is sorted by at most
BOARD = "board"
DENSITIES = ("compact", "default", "comfortable")
GROUPED = (
    FieldType.CHOICE, FieldType.MEMBER, FieldType.LOOKUP, FieldType.CHECKBOX, FieldType.DATE, FieldType.DATETIME,
)  # fmt: skip


@dataclass(frozen=True)
class ListQuery:
    """What a list shows: search text, sort ("-amount,name": amounts downwards, then names), cursor, filter, columns.

    The filter is a tree, `where`, and short forms of single conditions, `filters`: values by parameter. `columns` are
    the keys that were picked, in order; none for the type's own. `group` is the key of a field whose values head
    groups of rows; `layout` "board" puts the rows into columns by the choice `by`. `view` is the id of the saved view
    that the list began with, `saved` its row, and `base` what it says: the address names the differences only.
    `lost` tells that a part of the view is not for this reader, or is no more. With `ids` the list is of these records
    alone; an address does not say them.
    """

    q: str = ""
    sort: str = ""
    cursor: str = ""
    filters: dict[str, tuple[str, ...]] = field(default_factory=dict)
    where: Node | None = None
    columns: tuple[str, ...] = ()
    group: str = ""
    layout: str = ""
    by: str = ""
    density: str = ""
    view: str = ""
    base: ListQuery | None = None
    saved: SavedView | None = field(default=None, compare=False, repr=False)
    lost: bool = False
    ids: tuple[UUID, ...] = ()

    @property
    def is_filtered(self) -> bool:
        """Whether anything is left out."""
        return bool(self.q or self.filters or self.where or self.ids)

    @property
    def is_changed(self) -> bool:
        """Whether the list differs from the saved view that it began with."""
        return self.base is not None and len(self.pairs("after")) > 1

    @property
    def text(self) -> str:
        """The tree in its text form."""
        return "" if self.where is None else print_tree(self.where)

    def parts(self) -> dict[str, str]:
        """The value of each of PARTS; "" for what is as usual."""
        return {
            "filter": self.text, "q": self.q, "sort": self.sort, "cols": ",".join(self.columns), "group": self.group,
            "layout": self.layout, "by": self.by, "density": self.density,
        }  # fmt: skip

    def pairs(self, *without: str) -> list[tuple[str, str]]:
        """The parameters of the address, some left out: what differs from the saved view, or from the usual."""
        parts = self.parts()
        usual = self.base.parts() if self.base else {}
        changed = {name: value for name, value in parts.items() if value != usual.get(name, "")}
        if self.filters and self.base:
            changed["filter"] = parts["filter"]  # short forms stand beside it, and replace the view's filter
        pairs = [(name, value) for name, values in self.filters.items() for value in values]
        pairs += [(name, changed[name]) for name in PARTS if name in changed]
        pairs += [(name, value) for name, value in (("view", self.view), ("after", self.cursor)) if value]
        return [pair for pair in pairs if pair[0] not in without]

    def url(self, *, cursor: str = "", **changes: Any) -> str:
        """The query string of this list with changes; of its first page unless a cursor is given.

        It says something even of the usual list: an address that says nothing opens the member's default view.
        """
        said = (replace(self, **changes) if changes else self).said
        return f"{said}&{urlencode({'after': cursor})}" if cursor else said

    @cached_property
    def said(self) -> str:
        """The query string of this list from its first page on: a page names it in many places."""
        return "?" + (urlencode(self.pairs("after"), safe=SAFE) or "view=")

    def whole(self) -> ListQuery:
        """The same list, without a saved view to begin with: its address says everything."""
        return replace(self, view="", base=None, saved=None)

    def in_usual_order(self) -> ListQuery:
        """The first page of the same list, not sorted by anything but what its type says."""
        return replace(self, sort="", cursor="", base=self.base and replace(self.base, sort=""))

    def without(self, *names: str) -> str:
        """The query string without some short filters."""
        return self.url(filters={name: values for name, values in self.filters.items() if name not in names})

    def tree(self, record_type: RecordType, actor: Actor) -> Node | None:
        """The whole filter, short forms first. Raises Invalid."""
        short = short_conditions(record_type, self.filters, actor)
        return all_of([*short.values(), *members_of(self.where)])


# ---------------------------------------------------------------- sort


def sort_key(record_type: RecordType, sort: str, actor: Actor) -> Key | Keys:
    """The keyset key of a sort such as "-amount" or "-amount,name". Raises Invalid for a field that can't be sorted
    by, and for too many of them."""
    names = sorts_of(sort)
    if len(names) > SORTS:
        raise Invalid(_("A list is sorted by at most %(most)d fields. Take some away.") % {"most": SORTS})
    keys = [_sort_key(record_type, name, actor) for name in names]
    return keys[0] if len(keys) == 1 else Keys(tuple(keys))


def sorts_of(sort: str) -> list[str]:
    """The single sorts of a sort, the first one of each field."""
    found: dict[str, str] = {}
    for name in sort.split(","):
        found.setdefault(name.lstrip("-"), name)
    return list(found.values())


def _sort_key(record_type: RecordType, sort: str, actor: Actor) -> Key:
    key, down = sort.lstrip("-"), sort.startswith("-")
    if key == NAME and record_type.name_sort_path:
        return Key(record_type.name_sort_path, down)
    hidden = any(field.key == key and actor.role not in field.visible_to for field in record_type.fields)
    if key in ("updated_at", "created_at") and not (hidden and actor.role):
        # Ids grow with the time they were made at (UUID version 7): their index has the order of creation.
        return Key("id" if key == "created_at" else key, down)
    for candidate in record_type.fields_for(actor.role):
        if candidate.key == key and candidate.sortable:
            path = candidate.sort_path or candidate.column
            nullable = "__" in path or record_type.model._meta.get_field(path).null
            # Of an index that goes both ways the empty ones are at one end only.
            return Key(path, down, nullable, sparse=nullable and "__" not in path)
        if candidate.key == key and (loose := loose_key(candidate, descending=down)):
            return loose
    raise Invalid(_("The list can't be sorted by “%(name)s”. Remove it from the address.") % {"name": sort[:80]})


def flipped(sort: str, key: str) -> str:
    """What a click on the head of a field sorts by: it alone, downwards first."""
    return key if sort == f"-{key}" else f"-{key}"


def added(sort: str, key: str) -> str:
    """What a click with Shift sorts by: what it did and then the field, or the other way round if it was among them."""
    turned = {key: f"-{key}", f"-{key}": key}
    names = [turned.get(name, name) for name in sorts_of(sort)]
    return ",".join(names if names != sorts_of(sort) else [*names, f"-{key}"])


# ---------------------------------------------------------------- columns, groups, layout


def listable_fields(record_type: RecordType, actor: Actor) -> list[Field]:
    """The fields that lists and exports may show to this role: encrypted ones stand on the record's page alone."""
    return [field for field in record_type.fields_for(actor.role) if not field.encrypted]


def columns_of(record_type: RecordType, actor: Actor, query: ListQuery | None = None) -> list[Field]:
    """The columns that a list shows to this role, after the name: those that were picked, else the type's own."""
    seen = {candidate.key: candidate for candidate in listable_fields(record_type, actor)}
    keys = query.columns if query and query.columns else record_type.list_columns
    return [seen[key] for key in keys if key in seen]


def group_fields(record_type: RecordType, actor: Actor) -> list[Field]:
    """The fields whose values can head groups of a list's rows."""
    # Moments of custom fields are kept as texts in UTC: the reader's months can't be told from them.
    return [
        f
        for f in listable_fields(record_type, actor)
        if f.filterable and f.type in GROUPED and not (f.custom and f.type == FieldType.DATETIME)
    ]


def board_fields(record_type: RecordType, actor: Actor) -> list[Field]:
    """The picklists that a list can be laid out by as a board."""
    return [f for f in group_fields(record_type, actor) if f.type == FieldType.CHOICE]


def field_among(fields: Iterable[Field], key: str, message: str) -> Field:
    """The field of that key. Raises Invalid with a message of the key, the same for what is absent and hidden."""
    found = next((field for field in fields if field.key == key), None)
    if found is None:
        raise Invalid(message % {"name": key[:80]})
    return found


def read_columns(record_type: RecordType, text: str, actor: Actor) -> tuple[str, ...]:
    """The picked columns of "cols", each once. Raises Invalid for one that is not there for this role."""
    known = listable_fields(record_type, actor)
    message = _("The list has no column “%(name)s”. Remove it from the address.")
    return tuple(dict.fromkeys(field_among(known, key, message).key for key in text.split(",") if key))


def read_group(record_type: RecordType, key: str, actor: Actor) -> str:
    """The field of "group". Raises Invalid."""
    message = _("The list can't be grouped by “%(name)s”. Remove it from the address.")
    return field_among(group_fields(record_type, actor), key, message).key if key else ""


def read_layout(record_type: RecordType, layout: str, by: str, actor: Actor) -> tuple[str, str]:
    """The layout and the field it is by; of a board the first picklist where none is named. Raises Invalid."""
    if layout not in ("", BOARD):
        raise Invalid(_("A list has no layout “%(name)s”. Remove it from the address.") % {"name": layout[:80]})
    if not layout:
        return "", ""
    fields = board_fields(record_type, actor)
    message = _("There is no board by “%(name)s”. Remove it from the address.")
    shown = [key for key in record_type.list_columns if any(field.key == key for field in fields)]
    by = by or next(iter(shown), fields[0].key if fields else "")
    return layout, field_among(fields, by, message).key


def read_density(text: str) -> str:
    """How high rows are. Raises Invalid."""
    if text and text not in DENSITIES:
        raise Invalid(_("There is no row density “%(name)s”. Remove it from the address.") % {"name": text[:80]})
    return text
