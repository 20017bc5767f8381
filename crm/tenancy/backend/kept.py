"""Querysets and inserts that are compiled once.

Building SQL from a queryset takes Django longer than PostgreSQL needs to look a row up by its key, and planning it
takes PostgreSQL longer than running it. What every page asks for is compiled and planned once instead.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import count
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, models
from django.db.models.base import ModelState
from django.db.models.query import ModelIterable, ValuesIterable, get_related_populators

from crm.tenancy.backend.base import direct_cursor, prepared_cursor

R = TypeVar("R")
M = TypeVar("M", bound=models.Model)


class OneOf(models.Func):
    """`column = ANY (array)`: one parameter, however many ids there are. `ids` is the array's text (context.array)."""

    arg_joiner = " = ANY ("
    template = "%(expressions)s::uuid[])"
    output_field = models.BooleanField()

    def __init__(self, path: str, ids: str) -> None:
        super().__init__(models.F(path), models.Value(ids))


class OneOfRows(models.Func):
    """`column = ANY (ARRAY(SELECT id ...))`: the rows are found first, and an index of the column leads on from each.

    Of an IN the planner may think that it is met soon, and look for it in all rows of the table, one after the other.
    """

    arg_joiner = " = ANY ("
    template = "%(expressions)s)"
    output_field = models.BooleanField()

    def __init__(self, path: str, rows: models.QuerySet[Any]) -> None:
        super().__init__(models.F(path), ArraySubquery(rows.values("id")))


class KeptQuery(Generic[R]):
    """A queryset of models or of `.values()` whose SQL is made here and now, for values that stand in for others.

    `samples` are the values that calls will replace, each of them different from every other value in the statement
    (a UUID of its own). For statements that look rows up by their keys, whose plan is the same for all values; others
    are `planned_anew`, and save the making of their SQL only. Raises ValueError when a statement that is planned once
    has none of the samples that are given.
    """

    def __init__(self, queryset: models.QuerySet[Any], *samples: Any, planned_anew: bool = False) -> None:
        self._planned_anew = planned_anew
        compiler: Any = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        self._sql, params = compiler.as_sql()
        self._fixed = list(params)
        self._places = [(n, samples.index(value)) for n, value in enumerate(params) if value in samples]
        if samples and not self._places and not planned_anew:
            raise ValueError("None of the samples stands in the statement.")
        self._converters = list(compiler.get_converters([column[0] for column in compiler.select]).items())
        self._make: Callable[[Any], R] = _maker(queryset, compiler)

    def all(self, *values: Any) -> list[R]:
        """The rows, with `values` in place of the samples."""
        given = list(self._fixed)
        for place, sample in self._places:
            given[place] = values[sample]
        with direct_cursor() if self._planned_anew else prepared_cursor() as cursor:
            cursor.execute(self._sql, given)
            rows = cursor.fetchall()
        return [self._make(self._convert(row)) for row in rows]

    def first(self, *values: Any) -> R | None:
        """The first row, or None."""
        return next(iter(self.all(*values)), None)

    def _convert(self, row: Any) -> Any:
        if not self._converters:
            return row
        row = list(row)
        for place, (converters, expression) in self._converters:
            for converter in converters:
                row[place] = converter(row[place], expression, connection)
        return row


def loaded(model: type[M], names: Sequence[str], values: Sequence[Any]) -> M:
    """A row as Model.from_db makes it, without the checks and signals of the constructor, as unpickling does.

    Columns that are not among `names` are deferred.
    """
    made = model.__new__(model)
    state = ModelState()
    state.adding, state.db = False, DEFAULT_DB_ALIAS
    made.__dict__.update(zip(names, values, strict=True), _state=state)
    return made


def new_row(model: type[M], **columns: Any) -> M:
    """An unsaved row as Model() makes it, by the names of its columns alone ("owner_id"), at a quarter of the cost."""
    made = model.__new__(model)
    made._state = ModelState()
    row = made.__dict__
    for name, default in _defaults(model):
        row[name] = columns.pop(name) if name in columns else default()
    if columns:
        raise TypeError(f"{model.__name__} has no columns {', '.join(columns)}.")
    return made


@lru_cache(maxsize=128)
def _defaults(model: type[models.Model]) -> list[tuple[str, Callable[[], Any]]]:
    return [(field.attname, field.get_default) for field in model._meta.concrete_fields if not field.generated]


def insert_few(*groups: Sequence[models.Model]) -> None:
    """Inserts new rows, each group of one model, in one statement that is compiled and planned once for its numbers.

    What bulk_create does for a few rows whose keys are made before, at a third of the cost; like it, sends no signals.
    Rows may point at rows of other groups: keys are held against each other when the statement ends.
    """
    filled = [rows for rows in groups if rows]
    if not filled:
        return
    sql, columns = _insert_sql(tuple((type(rows[0]), len(rows)) for rows in filled))
    given = []
    for rows, fields in zip(filled, columns, strict=True):
        for row in rows:
            row._prepare_related_fields_for_save(operation_name="insert_few")  # type: ignore[attr-defined]
            given += [_prepared_value(field, plain, row, add=True) for field, plain in fields]
    with prepared_cursor(raw=True) as cursor:
        cursor.execute(sql, given)
    for rows in filled:
        for row in rows:
            row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def save_columns(row: models.Model, names: Collection[str]) -> None:
    """Writes some columns of a row in a statement that is compiled and planned once for their names.

    What `save(update_fields=names)` does, at a third of the cost and without its signals. Raises DatabaseError when the
    row is not there, or out of reach.
    """
    sql, fields = _update_sql(type(row), tuple(dict.fromkeys(names)))
    row._prepare_related_fields_for_save(operation_name="save_columns")  # type: ignore[attr-defined]
    given = [_prepared_value(field, plain, row, add=False) for field, plain in fields]
    with prepared_cursor(raw=True) as cursor:
        cursor.execute(sql, [*given, row.pk])
        if cursor.rowcount != 1:
            raise DatabaseError(f"{type(row).__name__} {row.pk} was not saved: no such row within reach.")


@lru_cache(maxsize=512)
def _update_sql(model: type[models.Model], names: tuple[str, ...]) -> tuple[str, list[tuple[Any, type | None]]]:
    """The statement that writes some columns of a row by its key, and their fields as in `_insert_sql`."""
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    columns = ", ".join(f'"{field.column}" = ${n}' for n, field in enumerate(fields, 1))
    sql = f'UPDATE "{model._meta.db_table}" SET {columns} WHERE "id" = ${len(fields) + 1}'  # noqa: S608 -- names of models
    return sql, [(field, _plain_type(field)) for field in fields]


def forget_statements() -> None:
    """Inserts and updates are compiled anew: for who has changed how fields of a model are written."""
    _insert_sql.cache_clear()
    _update_sql.cache_clear()


# Fields whose values of this type go to the database as they are.
_PLAIN = {
    "CharField": str, "TextField": str, "EmailField": str, "URLField": str, "UUIDField": UUID, "ForeignKey": UUID,
    "BooleanField": bool, "IntegerField": int, "BigIntegerField": int, "SmallIntegerField": int,
    "PositiveIntegerField": int, "PositiveSmallIntegerField": int, "DateTimeField": datetime,
}  # fmt: skip


def _plain_type(field: Any) -> type | None:
    """The type whose values of a field go to the database as they are; None where Django prepares them."""
    writes_itself = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    return None if writes_itself else _PLAIN.get(field.get_internal_type())


def _prepared_value(field: Any, plain: type | None, row: models.Model, *, add: bool) -> Any:
    value = getattr(row, field.attname) if plain is not None else field.pre_save(row, add)
    return value if value is None or type(value) is plain else field.get_db_prep_save(value, connection)


@lru_cache(maxsize=512)
def _insert_sql(shape: tuple[tuple[type[models.Model], int], ...]) -> tuple[str, list[list[tuple[Any, type | None]]]]:
    """The statement for so many rows of each model, and the fields of each with the type that needs no preparing."""
    columns = [[field for field in model._meta.concrete_fields if not field.generated] for model, _number in shape]
    numbers, inserts = count(1), []
    for (model, number), fields in zip(shape, columns, strict=True):
        names = ", ".join(f'"{field.column}"' for field in fields)
        values = ", ".join(f"({', '.join(f'${next(numbers)}' for _field in fields)})" for _row in range(number))
        inserts.append(f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES {values}')  # noqa: S608 -- names of models
    first = ", ".join(f"i{n} AS ({insert})" for n, insert in enumerate(inserts[:-1]))
    known = [[(field, _plain_type(field)) for field in fields] for fields in columns]
    return (f"WITH {first} " if first else "") + inserts[-1], known


def _maker(queryset: models.QuerySet[Any], compiler: Any) -> Callable[[Any], Any]:
    """How a row of the compiled statement becomes what the queryset gives: as Django's own iterables do it."""
    query: Any = queryset.query
    if queryset._iterable_class is ValuesIterable:
        names = [*query.extra_select, *query.values_select, *query.annotation_select]
        return lambda row: dict(zip(names, row, strict=True))
    if queryset._iterable_class is not ModelIterable or compiler.annotation_col_map:
        raise ValueError("A kept query gives models without annotations, or dicts.")
    info = compiler.klass_info
    model, places = info["model"], info["select_fields"]
    start, end = places[0], places[-1] + 1
    names = [column[0].target.attname for column in compiler.select[start:end]]
    related = get_related_populators(info, compiler.select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]  # as in 5.2

    def make(row: Any) -> Any:
        found = loaded(model, names, row[start:end])
        for populator in related:
            populator.populate(row, found)
        return found

    return make
