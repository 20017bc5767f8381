"""The panel in which a filter is built: a draft, with what its controls offer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from crm.lib.errors import Invalid
from crm.records import schema
from crm.records.filters.compiler import compile_filter
from crm.records.filters.dates import DAYS, NOW, PERIODS, UNITS, parse_day
from crm.records.filters.draft import DAY, NOBODY, DraftGroup, DraftRow, condition_of, tree_of
from crm.records.filters.fields import LINK, filterable, leads_to, link_path, path_of, relation_of
from crm.records.filters.operators import OPERATORS, Operator, Shape, operator_of
from crm.records.filters.tree import ALL, ANY, LEVELS, ROOT, SOME, Node, WrongFilter
from crm.records.filters.values import DATES, NUMBERS, TEXTS
from crm.records.filters.words import Words
from crm.records.lookup import Option, chosen_option, find_options, with_chosen
from crm.records.registry import Field, FieldType, RecordType, Relation, registry
from crm.tenancy.context import Actor

Choices = list[tuple[str, str]]


@dataclass
class RowView:
    """A condition as the panel shows it. `control` says which controls its value has."""

    id: str
    place: str  # in words, for who hears the page
    path: str
    paths: list[tuple[str, Choices]]
    op: str
    ops: Choices
    control: str = "none"
    values: list[str] = field(default_factory=list)
    options: Choices = field(default_factory=list)
    records: list[Option] = field(default_factory=list)
    target: str = ""
    unit: str = ""
    input: str = "date"  # the kind of the input that a day stands in
    error: str = ""
    focus: bool = False
    exact: bool = False  # whether each of its texts is taken with its spaces and lines


@dataclass
class GroupView:
    """A group, or related records, as the panel shows it."""

    id: str
    match: str
    matches: Choices
    rows: list[Any]
    relation: str = ""
    label: str = ""
    some: str = SOME
    is_deepest: bool = False


class Panel:
    """Shows drafts of filters of one type of record to one reader."""

    def __init__(self, record_type: RecordType, actor: Actor) -> None:
        self.record_type, self.actor = record_type, actor
        self.words = Words(actor)

    # ------------------------------------------------------------ what a draft means

    def _inside(self, relations: tuple[str, ...]) -> tuple[RecordType, Relation | None]:
        """The type whose records a row is about, and the relation that leads to them. Raises Invalid."""
        here, relation = self.record_type, None
        for key in relations:
            relation = relation_of(here, key, ROOT)
            here = schema.target(relation.target, self.actor)
        return here, relation

    def find(self, relations: tuple[str, ...], path: str) -> Field | None:
        """The field of a row; None where there is none, or none for this reader."""
        try:
            here, relation = self._inside(relations)
            if relation is not None and path.startswith(f"{LINK}."):
                return link_path(relation, path, ROOT).field
            return path_of(here, path, self.actor, ROOT).field
        except Invalid:
            return None

    def tree(self, draft: DraftGroup) -> Node | None:
        """The filter that is filled in so far."""
        return tree_of(draft, self.find)

    def check(self, draft: DraftGroup) -> str:
        """Marks the rows that are not filled in, or wrong, and says what is; "" where all is well."""
        wrong = [row for row in self._check_rows(draft, ()) if row.error]
        if wrong:
            return _("Fill in the marked conditions, or remove them.")
        try:
            compile_filter(self.tree(draft), self.record_type, self.actor)
        except Invalid as error:
            return str(error)
        return ""

    def _check_rows(self, draft: DraftGroup, relations: tuple[str, ...]) -> Iterator[DraftRow]:
        inside = (*relations, draft.relation) if draft.relation else relations
        # Related records need no condition of their own: the first row, left empty, asks for none.
        rows = [] if draft.relation and draft.rows == [DraftRow()] else draft.rows
        for row in rows:
            if isinstance(row, DraftGroup):
                yield from self._check_rows(row, inside)
            else:
                row.error = self._check_row(row, inside)
                yield row

    def _check_row(self, row: DraftRow, relations: tuple[str, ...]) -> str:
        condition = condition_of(row, self.find, relations)
        if condition is None:
            return _("Choose a field.") if self.find(relations, row.path) is None else _("Choose a value.")
        here, relation = self._inside(relations)
        if relation is not None and row.path.startswith(f"{LINK}."):
            return ""
        try:
            compile_filter(condition, here, self.actor)
        except WrongFilter as error:
            return error.reason
        return ""

    # ------------------------------------------------------------ what the panel shows

    def show(self, draft: DraftGroup, focus: str = "") -> GroupView:
        """The draft with its controls; `focus` is the id of the row that the reader goes on with."""
        return self._group(draft, "0", (), focus)

    def _group(self, draft: DraftGroup, node_id: str, relations: tuple[str, ...], focus: str) -> GroupView:
        inside = (*relations, draft.relation) if draft.relation else relations
        here, relation = self._inside(inside)
        paths = self._paths(here, relation)
        matches = [(ALL, _("all of these")), (ANY, _("any of these")), (NOBODY, _("none of these"))]
        view = GroupView(node_id, draft.match, matches, [], draft.relation, str(relation.label) if relation else "")
        view.some, view.is_deepest = draft.some, node_id.count("-") + 1 >= LEVELS
        for number, row in enumerate(draft.rows):
            below = f"{node_id}-{number}"
            if isinstance(row, DraftGroup):
                view.rows.append(self._group(row, below, inside, focus))
            else:
                known = self._with_present(paths, row, here, relation)
                view.rows.append(self._row(row, below, inside, known, focus))
        return view

    def _paths(self, here: RecordType, relation: Relation | None) -> list[tuple[str, Choices]]:
        """What a condition may be about, in groups."""
        own = filterable(here, self.actor)
        found: list[tuple[str, Choices]] = []
        if relation is not None and relation.fields:
            found.append((_("Link"), [(f"{LINK}.{one.key}", str(one.label)) for one in relation.fields]))
        found.append((str(here.label), [(one.key, str(one.label)) for one in own]))
        for over in own:
            target = leads_to(over, self.actor)
            if target is not None:
                fields = filterable(target, self.actor)
                found.append(
                    (str(over.label), [(f"{over.key}.{one.key}", f"{over.label} › {one.label}") for one in fields])
                )
        related = [(f"{SOME}:{one.key}", str(one.label)) for one in registry.relations(here)]
        return [*found, (_("Related records"), related)] if related else found

    def _with_present(
        self, paths: list[tuple[str, Choices]], row: DraftRow, here: RecordType, relation: Relation | None
    ) -> list[tuple[str, Choices]]:
        """What a condition may be about, with what it is about now: a filter may go over more lookups than one."""
        if not row.path or any(row.path == path for _label, choices in paths for path, _text in choices):
            return paths
        try:
            return [*paths, (_("Further"), [(row.path, self.words.path(row.path, here, relation))])]
        except Invalid:
            return paths

    def _row(
        self, row: DraftRow, node_id: str, relations: tuple[str, ...], paths: list[tuple[str, Choices]], focus: str
    ) -> RowView:
        found = self.find(relations, row.path)
        place = _("condition %(number)s") % {"number": ".".join(str(int(n) + 1) for n in node_id.split("-")[1:])}
        view = RowView(node_id, place, row.path if found else "", paths, "", [], error=row.error)
        view.focus = node_id == focus or (bool(row.error) and not focus)
        if found is not None:
            operators = OPERATORS[found.type]
            operator = operator_of(found.type, row.op) or operators[0]
            view.op, view.ops = operator.key, [(one.key, str(one.label)) for one in operators]
            view.values = row.values if operator.key == row.op else []
            view.exact = bool(view.values) and row.exact and found.type in TEXTS
            self._control(view, found, operator)
        return view

    def _control(self, view: RowView, found: Field, operator: Operator) -> None:
        """Which controls the value of a row has, and what they offer."""
        view.control = "exact" if view.exact else _control_of(found, operator)
        view.unit = self.words.unit(found)
        if view.control == "bool":
            view.options = [("true", _("yes")), ("false", _("no"))]
        elif view.control == "period":
            view.options = [(key, str(label)) for key, label in PERIODS.items()]
        elif view.control == "span":
            view.options = [(key, str(label)) for key, label in UNITS.items()]
            number = view.values[0] if view.values else ""
            view.values = view.values if len(view.values) == 2 else [number[:-1] or "30", number[-1:] or "d"]
        elif view.control == "date":
            view.options = self._days(found)
            known = dict(view.options)
            if len(view.values) == 1 and view.values[0] not in known:
                view.values = [DAY, view.values[0]]
        elif view.control in ("options", "option"):
            view.options = list(self.words.options(found).items())
        elif view.control == "lookup":
            self._records(view, found)
        self._keep(view, found)

    def _keep(self, view: RowView, found: Field) -> None:
        """What is chosen stays so: an option that is gone meanwhile, or a date that is no plain day."""
        if view.control in ("bool", "period", "option", "options"):
            known, names = {value for value, _label in view.options}, dict(view.options)
            view.options += [
                (value, self.words.text(found, value, names)) for value in view.values if value not in known
            ]
        elif view.control in ("date", "dates"):
            days = view.values[1:] if view.control == "date" else view.values
            view.input = "text" if any(day.strip() and parse_day(day.strip()) is None for day in days) else "date"

    @staticmethod
    def _days(found: Field) -> Choices:
        days = [(DAY, _("the day")), *((key, str(label)) for key, label in DAYS.items())]
        return [*days, (NOW, _("now"))] if found.type == FieldType.DATETIME else days

    def _records(self, view: RowView, found: Field) -> None:
        """The records that a lookup may be compared with: those chosen, then those changed last."""
        target = schema.target(found.target, self.actor)
        view.target = target.key
        records = find_options(target, "", self.actor)
        for pk in reversed(view.values):
            chosen = chosen_option(target, pk, self.actor) or Option(pk, _("(not visible)"))
            records = with_chosen(records, chosen)
        view.records = records


def _control_of(found: Field, operator: Operator) -> str:
    """The kind of the controls for the value of a condition."""
    shapes = {Shape.NOTHING: "none", Shape.PERIOD: "period", Shape.SPAN: "span"}
    if operator.shape in shapes:
        return shapes[operator.shape]
    if found.type in DATES:
        return "date" if operator.shape == Shape.ONE else "dates"
    if found.type in NUMBERS:
        return "number" if operator.shape == Shape.ONE else "numbers"
    if found.type in TEXTS:
        return "text" if operator.shape == Shape.ONE else "lines"
    if found.type == FieldType.CHECKBOX:
        return "bool"
    if found.type == FieldType.LOOKUP:
        return "lookup"
    return "option" if operator.shape == Shape.ONE else "options"
