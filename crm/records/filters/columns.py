"""Where the value of a field stands in SQL: in a column, in its normalised twin, or under a key of `custom`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet, FieldDoesNotExist, FullResultSet
from django.db.models import BooleanField, Case, F, FloatField, Func, OuterRef, Q, TextField, UUIDField, Value, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast
from django.db.models.lookups import Exact, Regex

from crm.records.registry import Field, FieldType
from crm.tenancy.fields import NormalizedField

CUSTOM = "custom"
_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


class IsNotTrue(Func):
    """The opposite of a condition, which holds where the condition is unknown, too."""

    template = "(%(expressions)s) IS NOT TRUE"
    output_field = BooleanField()

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        try:
            return super().as_sql(compiler, connection, **extra)
        except EmptyResultSet:
            raise FullResultSet from None
        except FullResultSet:
            raise EmptyResultSet from None


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is compared without case and accents: where its normal form stands, and what makes it of a value.

    A `twin` is a stored column in byte order, which an index may serve.
    """

    expression: Any
    function: str
    twin: bool

    def normal(self, value: str) -> Any:
        """A value in the form in which it is compared."""
        return Func(Value(value), function=self.function, output_field=TextField())


def text_of(field: Field, model: type[Any]) -> Text:
    """How a field of text is compared."""
    function = "keel_digits" if field.type == FieldType.PHONE else "keel_norm"
    twin = None if field.custom or not field.sort_path else _model_field(model, field.sort_path)
    columns = getattr(twin, "_columns", ())
    if isinstance(twin, NormalizedField) and columns == (field.column,):
        return Text(F(field.sort_path), twin._function, twin=True)
    return Text(Func(value_of(field), function=function, output_field=TextField()), function, twin=False)


def _model_field(model: type[Any], path: str) -> Any:
    try:
        return model._meta.get_field(path)
    except FieldDoesNotExist:
        return None


def holds_id(field: Field, model: type[Any]) -> bool:
    """Whether a choice is one of rows, such as a deal's stage: there is no empty text, and every value is an id."""
    return not field.custom and getattr(_model_field(model, field.column), "is_relation", False)


def value_of(field: Field, ref: type[F] = F) -> Any:
    """The value of a field as the database has it: of a custom one as text. `ref` may be OuterRef."""
    return KeyTextTransform(field.key, ref(CUSTOM)) if field.custom else ref(field.column)


def json_of(field: Field) -> Any:
    """The value of a custom field as JSON."""
    return KeyTransform(field.key, CUSTOM)


def number_of(field: Field) -> Any:
    """The number that a field holds: of money its minor units."""
    if not field.custom:
        return F(field.column)
    found: Any = json_of(field)
    text: Any = value_of(field)
    if field.type == FieldType.MONEY:
        text, found = KeyTextTransform("amount", found), KeyTransform("amount", found)
    # What is no number, whatever put it there, is no value; casting it would end the statement.
    is_number = Exact(Func(found, function="jsonb_typeof", output_field=TextField()), Value("number"))
    return Case(When(is_number, then=Cast(text, FloatField())))


def currency_of(field: Field) -> Any:
    """The currency of an amount of money."""
    return KeyTextTransform("currency", json_of(field)) if field.custom else F(field.currency_path)


def outer_id(field: Field) -> Any:
    """The id in a lookup of the outer query's row, for a subquery."""
    if not field.custom:
        return OuterRef(field.column)
    text = value_of(field, OuterRef)
    return Case(When(Regex(text, Value(_UUID)), then=Cast(text, UUIDField())))


def either(conditions: list[Any]) -> Q:
    """Any of some conditions; nothing for none."""
    found = Q(pk__in=[])
    for condition in conditions:
        found |= Q(condition)
    return found
