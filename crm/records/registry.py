"""The registry of record types and their fields.

Each app registers its types once, in AppConfig.ready(). Lists, filters, forms, history, export, import mapping and
search read the registry and never name a type. A record type defined only in a test package proves it
(tests/records/).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from django.db import models

from crm.enums import Role

R = TypeVar("R")


class FieldType(StrEnum):
    """What a field holds; it decides the widget, the operators of a filter and how a value is shown."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    MONEY = "money"  # integer minor units; `currency_path` names the currency
    PERCENT = "percent"
    DATE = "date"
    DATETIME = "datetime"
    CHECKBOX = "checkbox"
    CHOICE = "choice"
    MULTI_CHOICE = "multi_choice"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    MEMBER = "member"
    LOOKUP = "lookup"  # another record; `target` names its type
    TAGS = "tags"
    FORMULA = "formula"  # computed from other fields; `result` is the type of what comes out


SHORT_TEXTS = frozenset({FieldType.TEXT, FieldType.EMAIL, FieldType.PHONE, FieldType.URL})  # of one line

FALLBACK = 120  # characters of what stands in for a name

ALL_ROLES: frozenset[str] = frozenset(Role.values)


@dataclass(frozen=True)
class Deadline:
    """What makes a moment a deadline: past ones stand out until `met`, a column, is filled. `timed` is a column that
    says whether a time of day was given, or a day alone."""

    met: str
    timed: str


@dataclass(frozen=True)
class Field:
    """One field of a record type.

    `path` is the model's column (with `__` to reach a related one); `sort_path` what it is sorted and prefix-searched
    by (a normalised twin). A `secret` field is in no list, export, search or log. `visible_to` and `editable_by` are
    roles. A `custom` one is an organisation's own: its value stands in the record's `custom` (crm.records.custom).
    """

    key: str
    label: Any
    type: FieldType
    path: str = ""
    sort_path: str = ""
    label_paths: tuple[str, ...] = ()  # of a lookup or member: columns that make the text shown, joined by a space
    url_name: str = ""  # of a lookup: the page it links to
    tones: dict[str, str] | Callable[[], dict[str, str]] | None = None  # of a choice: the colour of each value
    sortable: bool = False
    filterable: bool = False
    editable: bool = True
    once: bool = False  # written when a record is made and never changed, such as what an activity is about
    required: bool = False
    secret: bool = False
    custom: bool = False
    choices: type[models.TextChoices] | Callable[[], Sequence[tuple[str, str]]] | None = None
    target: str = ""
    currency_path: str = ""
    bulk: bool = True  # whether one value for many records makes sense: of an e-mail address it does not
    searched: tuple[str, ...] = ()  # columns of the type's search that hold its values
    parts: tuple[str, ...] = ()  # keys of fields that it is computed from: hidden where one of them is
    always: bool = False  # no role can be kept from it: what names a record, says whose it is or where it stands
    deadline: Deadline | None = None
    help: Any = ""
    visible_to: frozenset[str] = ALL_ROLES
    editable_by: frozenset[str] = ALL_ROLES - {Role.READONLY}
    field_id: UUID | None = None  # of a custom field: its row
    group: str = ""
    unique: bool = False
    encrypted: bool = False
    default: Any = None
    formula: str = ""
    result: FieldType | None = None

    @property
    def column(self) -> str:
        """The model path that holds the value; of a custom field, the name it has in rows (crm.records.custom)."""
        return f"custom.{self.key}" if self.custom else self.path or self.key

    @property
    def shown_as(self) -> FieldType:
        """The type that its values are shown and compared as."""
        return self.result or self.type

    def options(self) -> list[tuple[str, str]]:
        """The values and labels of a choice."""
        if self.choices is None:
            return []
        if isinstance(self.choices, type):
            return [(str(value), str(label)) for value, label in self.choices.choices]
        return list(self.choices())


@dataclass(frozen=True)
class Relation:
    """Records of another type that belong to a record, by which it can be filtered.

    They point back at it by their column `back`; or rows of a table of links do, `through`, whose column `forth` holds
    the other record's id. `fields` are those of a link, such as a contact's role at an account.
    """

    key: str
    label: Any
    target: str  # key of the other type
    back: str
    through: type[Any] | None = None
    forth: str = ""
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True)
class Tab:
    """Another way to look at a type's records, shown beside its list."""

    url_name: str
    label: Any
    icon: str


@dataclass(frozen=True)
class Check:
    """A box before each record's name that its writers tick and clear: the address `url_name` is put and deleted.

    It is ticked where the column `path` is filled.
    """

    url_name: str
    path: str
    label: Any  # what ticking it does, with %(name)s


@dataclass(frozen=True)
class LeftOut:
    """Records that a list shows only where its filter names the field `unless`."""

    rows: models.Q
    unless: str


@dataclass(frozen=True)
class Emptied:
    """A column of another table that stops naming a record while it lies in the recycle bin.

    `still` gives the filter of the rows that may name it again when it is restored; by default all whose column is
    empty still.
    """

    model: type[Any]
    column: str
    still: Callable[[UUID], models.Q] | None = None

    @property
    def key(self) -> str:
        """What the recycle bin calls it."""
        return f"{self.model._meta.db_table}.{self.column}"


def _nothing(_records: Sequence[Any], _acting: Any) -> None:
    """What most types add to deleting and restoring."""


def _open(_record: Any) -> str:
    """Of most types every record can be changed by who may."""
    return ""


def _no_refusals(_records: Sequence[Any], _acting: Any) -> dict[UUID, str]:
    return {}


@dataclass(frozen=True)
class Bin:
    """What a type adds to the recycle bin's own work; a type that says nothing gets all of it as well.

    `deleted` and `restored` make a record's events, by default "<type>.deleted" and "<type>.restored"; of several
    records `tell_many(what, records)` emits the batch events, by default named so; `what` is "deleted" or "restored".
    `after_delete` and `after_restore` run at the end, with the records and the actor. `must_stay` says which records
    can't be deleted and why, by id. `mend` runs before records are restored: it puts right what was lost meanwhile, and
    says which can't come back and why, by id.
    """

    emptied: tuple[Emptied, ...] = ()
    deleted: Callable[[Any], Any] | None = None
    restored: Callable[[Any], Any] | None = None
    tell_many: Callable[[str, Sequence[Any]], None] | None = None
    after_delete: Callable[[Sequence[Any], Any], None] = _nothing
    after_restore: Callable[[Sequence[Any], Any], None] = _nothing
    mend: Callable[[Sequence[Any], Any], dict[UUID, str]] = _no_refusals
    must_stay: Callable[[Sequence[Any], Any], dict[UUID, str]] = _no_refusals


@dataclass(frozen=True)
class Bulk:
    """What a type adds to changing many records at once (crm.records.bulk); each is given edits and the actor.

    `apply` checks what the edits want by the rules of the type's `update` and puts it into the records, unsaved; what
    breaks a rule carries its error. `written` runs when they are saved and tells the others; by default the batch event
    "<type>.updated". `undo` runs before old values are saved that an undo has put into records. `stage` is the key of a
    field that says how far a record has come, where it has one, `stage_reason` of the one that says why it ended there.
    """

    apply: Callable[[Sequence[Any], Any], None] | None = None
    written: Callable[[Sequence[Any], Any], None] | None = None
    undo: Callable[[Sequence[Any], Any], None] | None = None
    stage: str = ""
    stage_reason: str = ""


@dataclass(frozen=True)
class RecordType:
    """A type of record.

    `list_columns` are the keys a list shows by default, after the name. `create` and `update` are the type's actions
    where the generic ones of crm.records.actions are not enough: `create(values, *, acting)`, `update(pk, values, *,
    acting, version)`; values are a dict by field key. `bulk` holds what they need to change many records at once.
    Deleting is the recycle bin's for all types; `bin` says what goes with it. `closed` says why nobody may change a
    record, "" where somebody may; `update` refuses it, too. `url_names` maps "list", "detail", "new",
    "edit" and "import" to URL names; what is absent is served by the generic pages. "more" is the form that asks for
    what a value wants besides (MoreNeeded): its address is given the field with that value, and the version.
    """

    key: str
    model: type[Any]
    label: Any
    label_plural: Any
    icon: str
    fields: tuple[Field, ...]
    name_paths: tuple[str, ...] = ("name",)  # columns that make the name, joined by a space
    name_fallback: str = ""  # column shown where those are empty
    name_sort_path: str = ""  # normalised twin that the name is sorted by
    name_label: Any = ""
    subtitle: tuple[str, ...] = ()  # keys of fields shown under the name on a phone
    list_columns: tuple[str, ...] = ()
    default_sort: str = "-updated_at"
    search_paths: tuple[str, ...] = ()  # normalised columns that a search matches by their beginning
    # What the table's migration (crm.tenancy.searching) made searchable besides: columns by their words, and columns
    # by any part of them. Fields that not everybody may see belong into neither.
    search_words: tuple[str, ...] = ()
    search_fragments: tuple[str, ...] = ()
    create: Callable[..., Any] | None = None
    update: Callable[..., Any] | None = None
    bin: Bin = field(default_factory=Bin)
    bulk: Bulk = field(default_factory=Bulk)
    closed: Callable[[Any], str] = _open
    url_names: dict[str, str] = field(default_factory=dict)
    tabs: tuple[Tab, ...] = ()
    check: Check | None = None
    left_out: LeftOut | None = None
    takes_fields: bool = True  # whether an organisation may add fields of its own
    relations: tuple[Relation, ...] = ()  # other apps add theirs by Registry.relate
    history_tables: tuple[str, ...] = ()  # child tables whose changes belong to the record's history
    _kept: dict[Any, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    def field(self, key: str) -> Field:
        """The field of that key. Raises KeyError."""
        for candidate in self.fields:
            if candidate.key == key:
                return candidate
        raise KeyError(key)

    @property
    def list_pages(self) -> set[str]:
        """The names of the pages that list its records: its own list, and other ways to look at it."""
        return {name for name in (self.url_names.get("list"), *(tab.url_name for tab in self.tabs)) if name}

    def name_of(self, record: Any) -> str:
        """What a record is called: its name, or what stands in for an empty one."""
        name = " ".join(filter(None, (str(getattr(record, path) or "") for path in self.name_paths)))
        return name or (str(getattr(record, self.name_fallback) or "")[:FALLBACK] if self.name_fallback else "")

    def fields_for(self, role: str) -> list[Field]:
        """The fields that a role may see."""
        return list(self.remembered(("fields", role), lambda: self._fields_for(role)))

    def _fields_for(self, role: str) -> tuple[Field, ...]:
        return tuple(f for f in self.fields if not f.secret and (not role or role in f.visible_to))

    def remembered(self, about: Any, make: Callable[[], R]) -> R:
        """What `make` gives for this type, worked out once: a type does not change, and one of a hundred fields is gone
        through often. Only for what hangs on the type and what `about` says, and is not changed by who gets it."""
        if about not in self._kept:
            self._kept[about] = make()
        found: R = self._kept[about]
        return found


class Registry:
    """The record types by key, in the order in which they were registered."""

    def __init__(self) -> None:
        self._types: dict[str, RecordType] = {}
        self._related: dict[str, RecordType] = {}
        self._relations: dict[str, dict[str, Relation]] = {}

    def register(self, record_type: RecordType) -> RecordType:
        """Adds a type. Raises ValueError when its key is taken by another model or a field key is used twice."""
        return self._add(self._types, record_type)

    def register_related(self, record_type: RecordType) -> RecordType:
        """Adds a type that has no lists and pages of its own: others are filtered by its records.

        Raises ValueError as register() does.
        """
        return self._add(self._related, record_type)

    @staticmethod
    def _add(types: dict[str, RecordType], record_type: RecordType) -> RecordType:
        taken = types.get(record_type.key)
        if taken is not None and taken.model is not record_type.model:
            raise ValueError(f"Record type {record_type.key} is registered already.")
        keys = [f.key for f in record_type.fields]
        if len(keys) != len(set(keys)):
            raise ValueError(f"Record type {record_type.key} has two fields of one key.")
        types[record_type.key] = record_type
        return record_type

    def relate(self, key: str, relation: Relation) -> None:
        """Adds a relation to the type of that key, from the app that knows both sides. May run twice."""
        self._relations.setdefault(key, {})[relation.key] = relation

    def relations(self, record_type: RecordType) -> list[Relation]:
        """The relations of a type: its own, then those that other apps added."""
        return [*record_type.relations, *self._relations.get(record_type.key, {}).values()]

    def target(self, key: str) -> RecordType:
        """The type that a lookup or a relation leads to, one without pages of its own included. Raises KeyError."""
        return self._types.get(key) or self._related[key]

    def unregister(self, key: str) -> None:
        """Takes a type out again; for tests."""
        self._types.pop(key, None)

    def get(self, key: str) -> RecordType:
        """The type of that key. Raises KeyError."""
        return self._types[key]

    def for_model(self, model: type[models.Model]) -> RecordType:
        """The type that a model is registered as. Raises KeyError."""
        for record_type in self._types.values():
            if record_type.model is model:
                return record_type
        raise KeyError(model.__name__)

    def __iter__(self) -> Any:
        return iter(self._types.values())


registry = Registry()
