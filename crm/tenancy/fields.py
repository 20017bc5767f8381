"""Fields of tenant models."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid_utils
from django.db import models
from django.db.models.expressions import Func

BEFORE_ALL = UUID(int=0)  # before all ids


def new_id() -> Any:
    """A UUIDv7: sorted by time of making, made here so that an insert needs no answer from the database."""
    return uuid_utils.uuid7()


class DatabaseUUID7(Func):
    """The database's own UUIDv7, for rows written by SQL."""

    function = "uuidv7"
    template = "%(function)s()"
    arity = 0
    output_field = models.UUIDField()


class KeyField(models.UUIDField):
    """A primary key that is made here, so that an INSERT has no RETURNING.

    RETURNING would plan the SELECT policies with every insert, and hold the new row against them.
    """

    db_returning = False

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.UUIDField", args, kwargs  # the column is the same


class TenantForeignKey(models.ForeignKey):
    """A relation between two rows of one organisation.

    Foreign keys ignore row-level security, so the constraint is not Django's: the migration operation
    `AddTenantForeignKey` adds one over `(org_id, <column>)`, and a test compares the two.
    """

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        kwargs.setdefault("db_index", False)
        kwargs.setdefault("related_name", "+")
        super().__init__(to, on_delete, **kwargs)


class ComputedField(models.GeneratedField):
    """A column that the database computes from others.

    Not returned by INSERT: RETURNING would hold the new row against the SELECT policies.
    """

    db_returning = False  # type: ignore[assignment]  # the base class says True


class NormalizedField(ComputedField):
    """A stored, normalised twin of other columns, in byte order, for sorting and prefix search."""

    def __init__(self, function: str = "", *columns: str, **kwargs: Any) -> None:
        if function:
            self._function, self._columns = function, columns
            kwargs["expression"] = Func(*columns, function=function)
            kwargs["output_field"] = models.TextField(db_collation="C")
            kwargs["db_persist"] = True
        super().__init__(**kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        if hasattr(self, "_function"):
            for key in ("expression", "output_field", "db_persist"):
                kwargs.pop(key, None)
            args = [self._function, *self._columns]
        return name, path, args, kwargs


class _Repeated(models.Field):
    """A column that a trigger fills: the ORM reads it, and never writes it.

    To Django it is computed like a generated one, from nothing that it knows of.
    """

    generated = True
    db_returning = False
    expression = models.Value(None)

    @property
    def output_field(self) -> models.Field[Any, Any]:
        """The type of the expression."""
        return self

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, f"django.db.models.{self.get_internal_type()}", args, kwargs  # the column is a plain one


class RepeatedText(_Repeated, models.TextField):
    """A text that a trigger fills, in byte order."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"null": True, "db_collation": "C", **kwargs})


class RepeatedNumber(_Repeated, models.FloatField):
    """A number that a trigger fills."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"null": True, **kwargs})
