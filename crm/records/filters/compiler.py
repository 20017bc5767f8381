"""From a filter's tree to SQL, for one reader.

Every condition is true or false, never unknown: a record without a value is left out by a condition and kept by its
opposite. Related records, and those that a path goes over, count as far as the reader sees them.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from crm import access
from crm.records import schema
from crm.records.filters import columns
from crm.records.filters.conditions import condition
from crm.records.filters.fields import LINK, Path, link_path, path_of, relation_of
from crm.records.filters.operators import OPERATORS, Operator, operator_of
from crm.records.filters.reader import Reader
from crm.records.filters.tree import ALL, ROOT, SOME, Condition, Group, Node, Not, Related, check_limits, inner, wrong
from crm.records.filters.values import read_value
from crm.records.registry import RecordType, Relation
from crm.tenancy.context import Actor

Leaf = Callable[[Condition | Related, str], Q]


def compile_filter(node: Node | None, record_type: RecordType, actor: Actor, reader: Reader | None = None) -> Q:
    """The rows of a type that a filter leaves, as a Q for its model.

    What the actor may not see is for the caller to take away. Raises Invalid, which names the place, for unknown or
    hidden fields, operators and values that a field can't have, and for filters beyond the limits.
    """
    if node is None:
        return Q()
    check_limits(node)
    return _Compiler(reader or Reader(actor)).node(node, record_type, ROOT)


def opposite(found: Q) -> Q:
    """Every row that a condition does not hold for; one that is only about related rows stays an anti-join."""
    if len(found.children) == 1 and isinstance(found.children[0], Exists) and not found.negated:
        return Q(~found.children[0])
    return Q(columns.IsNotTrue(found))


class _Compiler:
    """Makes Qs of nodes."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.actor = reader.actor

    def node(self, node: Node, record_type: RecordType, place: str) -> Q:
        """The rows of a type for which a node holds."""

        def leaf(found: Condition | Related, at: str) -> Q:
            if isinstance(found, Related):
                return self._related(found, record_type, at)
            return self._compared(found, path_of(record_type, found.field, self.actor, f"{at}.field"), at)

        return self._tree(node, place, leaf)

    def _tree(self, node: Node, place: str, leaf: Leaf) -> Q:
        if isinstance(node, Condition | Related):
            return leaf(node, place)
        parts = [self._tree(member, at, leaf) for member, at in inner(node, place)]
        if isinstance(node, Not):
            return opposite(parts[0])
        return Q(*parts) if node.match == ALL else columns.either(parts)

    # ------------------------------------------------------------ conditions

    def _compared(self, node: Condition, path: Path, place: str) -> Q:
        """A condition on the field at the end of a path; its opposite is that of the whole path."""
        operator = self._operator(node, path, place)
        value = read_value(path.field, operator, node.value, f"{place}.value", self.reader)
        positive, is_opposite = operator.opposite or operator.key, bool(operator.opposite)
        if value is False:
            value, is_opposite = True, True  # a box that is not ticked
        found = condition(path.field, positive, value, path.model, self.reader)
        if positive == "empty" and path.over:
            # Without a record to look at there is no value either.
            found, is_opposite = opposite(found), not is_opposite
        found = self._over(path, found)
        return opposite(found) if is_opposite else found

    def _operator(self, node: Condition, path: Path, place: str) -> Operator:
        operator = operator_of(path.field.type, node.op)
        if operator is None:
            known = ", ".join(each.key for each in OPERATORS[path.field.type])
            message = _("“%(field)s” can't be compared by “%(op)s”. It knows: %(known)s.")
            words = {"field": path.field.label, "op": node.op[:40], "known": known}
            raise wrong(f"{place}.op", message % words)
        return operator

    def _over(self, path: Path, found: Q) -> Q:
        """A condition on a record at the end of a path, as one on the record where it begins."""
        for field, target in reversed(path.over):
            rows = access.visible_related(target.model, self.actor).filter(pk=columns.outer_id(field))
            found = Q(Exists(rows.filter(found)))
        return found

    # ------------------------------------------------------------ related records

    def _related(self, node: Related, record_type: RecordType, place: str) -> Q:
        relation = relation_of(record_type, node.relation, f"{place}.related")
        target = schema.target(relation.target, self.actor)
        if relation.through is None:
            rows = access.visible_related(target.model, self.actor).filter(**{relation.back: OuterRef("pk")})
            if node.where is not None:
                rows = rows.filter(self.node(node.where, target, f"{place}.where"))
        else:
            links = relation.through._default_manager.filter(**{relation.back: OuterRef("pk")})
            rows = links.filter(self._linked(node.where, relation, target, f"{place}.where"))
        return Q(Exists(rows)) if node.match == SOME else Q(~Exists(rows))

    def _linked(self, where: Node | None, relation: Relation, target: RecordType, place: str) -> Q:
        """The links that lead to a record which the reader sees and `where` leaves.

        What is about the record alone is asked in one subquery; only what mixes both is asked bit by bit.
        """

        def on_target(found: Q) -> Q:
            rows = access.visible_related(target.model, self.actor).filter(pk=OuterRef(relation.forth))
            return Q(Exists(rows.filter(found)))

        def leaf(found: Condition | Related, at: str) -> Q:
            if isinstance(found, Condition) and found.field.startswith(f"{LINK}."):
                return self._compared(found, link_path(relation, found.field, f"{at}.field"), at)
            return on_target(self.node(found, target, at))

        about_target, about_link = Q(), Q()
        for member, at in _parts(where, place):
            if _mentions_link(member):
                about_link &= self._tree(member, at, leaf)
            else:
                about_target &= self.node(member, target, at)
        return on_target(about_target) & about_link


def _parts(where: Node | None, place: str) -> list[tuple[Node, str]]:
    if where is None:
        return []
    return list(inner(where, place)) if isinstance(where, Group) and where.match == ALL else [(where, place)]


def _mentions_link(node: Node) -> bool:
    """Whether a node is about the link to a related record, not about the record alone."""
    if isinstance(node, Condition):
        return node.field.startswith(f"{LINK}.")
    return not isinstance(node, Related) and any(_mentions_link(member) for member, _place in inner(node, ""))
