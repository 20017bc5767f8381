"""A filter in words: the chips above a list, and what the controls of the panel offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.utils.translation import gettext as _

from crm import queries
from crm.records import schema
from crm.records.filters.dates import DAYS, NOW, PERIODS, UNITS, parse_day, parse_span
from crm.records.filters.fields import LINK, link_path, path_of, relation_of
from crm.records.filters.operators import Shape, operator_of
from crm.records.filters.reader import ME, MY_TEAM
from crm.records.filters.tree import ALL, NONE, ROOT, Condition, Group, Node, Not, Related, Scalar, inner, members_of
from crm.records.filters.values import DATES, NUMBERS
from crm.records.names import Names
from crm.records.registry import Field, FieldType, RecordType, Relation, registry
from crm.tenancy.context import Actor
from crm.web import formats


@dataclass(frozen=True, slots=True)
class Chip:
    """A part of a filter that can be taken away by itself, in words."""

    field: str
    operator: str
    value: str


class Words:
    """Says conditions in words, for one reader. Names are read when the first of their kind is needed."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self._names = Names()

    @cached_property
    def members(self) -> dict[str, str]:
        """Everybody who may own a record, oneself and one's team first."""
        return {ME: _("Me"), MY_TEAM: _("My team"), **{str(pk): name for pk, name in queries.members()}}

    @cached_property
    def tags(self) -> dict[str, str]:
        """The organisation's tags."""
        return {str(pk): name for pk, (name, _tone) in queries.tags().items()}

    @cached_property
    def currency(self) -> str:
        """The base currency, in which amounts are given."""
        return queries.base_currency()

    def unit(self, field: Field) -> str:
        """What the numbers of a field are counted in; "" for plain ones."""
        return self.currency if field.type == FieldType.MONEY else "%" if field.type == FieldType.PERCENT else ""

    def options(self, field: Field) -> dict[str, str]:
        """What a field's value may be called, by value; none for what is not chosen from a few."""
        if field.type == FieldType.MEMBER:
            return self.members
        if field.type == FieldType.TAGS:
            return self.tags
        return {value: str(label) for value, label in field.options()}

    def chips(self, node: Node | None, record_type: RecordType) -> list[Chip]:
        """The parts of a filter that must all hold. Raises Invalid for what the compiler refuses, too."""
        self._want(node, record_type)
        return [self._chip(member, record_type) for member in members_of(node)]

    def _want(self, node: Node | None, record_type: RecordType) -> None:
        """Asks for the names of the records that a filter names."""
        waiting = [] if node is None else [(node, record_type)]
        while waiting:
            found, here = waiting.pop()
            if isinstance(found, Condition):
                field = None if found.field.startswith(f"{LINK}.") else self._field(found.field, here)[0]
                if field is not None and field.type == FieldType.LOOKUP and field.target:
                    values = found.value if isinstance(found.value, tuple) else (found.value,)
                    for value in values:
                        self._names.want(registry.target(field.target).model, str(value))
            elif isinstance(found, Related):
                here = schema.target(relation_of(here, found.relation, ROOT).target, self.actor)
            waiting += [(member, here) for member, _place in inner(found, "")]
        self._names.load()

    def _field(self, path: str, record_type: RecordType, relation: Relation | None = None) -> tuple[Field, str]:
        """The field of a path, and the path in words."""
        if relation is not None and path.startswith(f"{LINK}."):
            field = link_path(relation, path, ROOT).field
            return field, str(field.label)
        found = path_of(record_type, path, self.actor, ROOT)
        return found.field, " › ".join([*(str(over.label) for over, _type in found.over), str(found.field.label)])

    def _chip(self, node: Node, record_type: RecordType, relation: Relation | None = None) -> Chip:
        if isinstance(node, Condition):
            field, path = self._field(node.field, record_type, relation)
            operator = operator_of(field.type, node.op)
            assert operator is not None  # the compiler has refused others
            return Chip(path, str(operator.label), self._value(field, operator.shape, node))
        if isinstance(node, Related):
            found = relation_of(record_type, node.relation, ROOT)
            target = schema.target(found.target, self.actor)
            operator_words = _("none") if node.match == NONE else _("some")
            where = _("of any kind") if node.where is None else self.sentence(node.where, target, found)
            return Chip(str(found.label), operator_words, where)
        if isinstance(node, Not):
            return Chip(_("Not"), "", self.sentence(node.member, record_type, relation))
        name = _("All of") if node.match == ALL else _("Any of")
        return Chip(name, "", self.sentence(node, record_type, relation))

    def sentence(self, node: Node, record_type: RecordType, relation: Relation | None = None) -> str:
        """A node in one line."""
        if isinstance(node, Group):
            parts = [self._part(member, record_type, relation) for member in node.members]
            return (_(" and ") if node.match == ALL else _(" or ")).join(parts)
        chip = self._chip(node, record_type, relation)
        return " ".join(filter(None, (chip.field, chip.operator, chip.value)))

    def _part(self, node: Node, record_type: RecordType, relation: Relation | None) -> str:
        text = self.sentence(node, record_type, relation)
        return f"({text})" if isinstance(node, Group) and len(node.members) > 1 else text

    # ------------------------------------------------------------ values

    def _value(self, field: Field, shape: Shape, node: Condition) -> str:
        values = node.value if isinstance(node.value, tuple) else () if node.value is None else (node.value,)
        if shape == Shape.SPAN:
            number, unit = parse_span(str(values[0])) or (0, "d")
            return f"{number} {UNITS[unit]}"
        if shape == Shape.PERIOD:
            return str(PERIODS[str(values[0])])
        options: Mapping[str, str] = {}
        if field.type in (FieldType.CHOICE, FieldType.MULTI_CHOICE, FieldType.MEMBER, FieldType.TAGS):
            options = self.options(field)
        texts = [self.text(field, value, options) for value in values]
        if shape == Shape.RANGE:
            return _("%(low)s and %(high)s") % {"low": texts[0], "high": texts[1]}
        return ", ".join(texts)

    def path(self, path: str, record_type: RecordType, relation: Relation | None) -> str:
        """A path in words. Raises Invalid for one that leads to nothing."""
        return self._field(path, record_type, relation)[1]

    def text(self, field: Field, value: Scalar, options: Mapping[str, str]) -> str:
        """One value in words; `options` is what the values of the field are called."""
        text = str(value)
        if field.type == FieldType.CHECKBOX:
            return _("yes") if value else _("no")
        if field.type in NUMBERS and not isinstance(value, str):
            return f"{formats.number(value)} {self.unit(field)}".strip()
        if field.type in DATES:
            day = parse_day(text)
            return formats.date_full(day) if day else str(DAYS.get(text) or (_("now") if text == NOW else text))
        if field.type == FieldType.LOOKUP:
            return self.record(field, text) or _("(not visible)")
        gone = _("(not there any more)") if field.type in (FieldType.MEMBER, FieldType.TAGS) else text
        return options.get(text, gone)

    def record(self, field: Field, pk: str | UUID) -> str:
        """The name of a record that a lookup names; "" for one that the reader does not see."""
        return self._names.of(registry.target(field.target).model, pk)
