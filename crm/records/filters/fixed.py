"""Filters that mean the same to everybody of a role, so that a list's SQL need not be made anew for each reader.

They compare fields of the record itself with values that stand in them: nobody ("me"), no moment ("this month"), no
rate of exchange and no other record comes in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID
from weakref import ref

from django.db.models import Q

from crm.records.filters.compiler import compile_filter
from crm.records.filters.tree import Condition, Node, Related, inner
from crm.records.registry import SHORT_TEXTS, FieldType, RecordType
from crm.tenancy.context import Actor

_UNINDEXED = frozenset({FieldType.CHECKBOX, FieldType.CHOICE})  # by themselves: no index finds records by them
_FIXED = SHORT_TEXTS | _UNINDEXED | {FieldType.NUMBER, FieldType.PERCENT}


@dataclass(frozen=True)
class Sieve:
    """A filter of an organisation's record type, as it is at one state of its fields (`schema`), for a role."""

    tree: Node
    record_type: str
    org_id: UUID
    schema: int
    role: str
    passes_by: bool  # whether it only passes by rows, in whatever order they are read: no index finds those it leaves
    # What it is compiled with now, and nothing that should be kept for it.
    _found: Callable[[], RecordType | None] = field(compare=False, repr=False)

    def compiled(self, actor: Actor) -> Q:
        """The rows that it leaves. Raises Invalid as compile_filter does."""
        record_type = self._found()
        assert record_type is not None, "compiled by who made it, once"
        return compile_filter(self.tree, record_type, actor)


def sieve_of(tree: Node | None, record_type: RecordType, actor: Actor) -> Sieve | None:
    """A filter as a Sieve; None where there is none, or it depends on more than an organisation and a role."""
    if tree is None or actor.schema is None:
        return None
    kinds = {_kind(each, record_type) for each in _leaves(tree)}
    if not kinds <= _FIXED:
        return None
    passes_by = kinds <= _UNINDEXED
    return Sieve(tree, record_type.key, actor.org_id, actor.schema, actor.role, passes_by, ref(record_type))


def _leaves(node: Node) -> Iterator[Node]:
    if isinstance(node, Condition | Related):
        yield node
        return
    for member, _place in inner(node, ""):
        yield from _leaves(member)


def _kind(leaf: Node, record_type: RecordType) -> FieldType | None:
    """The type of the field that a condition asks for; None for one that asks for other records."""
    known = record_type.remembered("types of fields", lambda: {f.key: f.type for f in record_type.fields})
    return known.get(leaf.field) if isinstance(leaf, Condition) else None
