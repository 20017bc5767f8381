"""The operators of the filter language: which a type of field has, what they are compared with, what they are called.

An operator that is the `opposite` of another one holds for exactly the records that the other leaves out, those
without a value included.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from crm.records.registry import FieldType


class Shape(StrEnum):
    """What an operator is compared with."""

    NOTHING = "nothing"
    ONE = "one"
    LIST = "list"
    RANGE = "range"  # a list of two: from, to
    PERIOD = "period"  # the name of a period such as "this_month"
    SPAN = "span"  # a number of days, weeks, months, quarters or years, such as "30d"


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator: its key in JSON and text, and its words between a field and a value."""

    key: str
    label: Any
    shape: Shape = Shape.ONE
    opposite: str = ""


IS = Operator("is", _("is"))
IS_NOT = Operator("is_not", _("is not"), opposite="is")
ANY_OF = Operator("any_of", _("is any of"), Shape.LIST)
NONE_OF = Operator("none_of", _("is none of"), Shape.LIST, "any_of")
ALL_OF = Operator("all_of", _("has all of"), Shape.LIST)
CONTAINS = Operator("contains", _("contains"))
NOT_CONTAINS = Operator("not_contains", _("does not contain"), opposite="contains")
STARTS_WITH = Operator("starts_with", _("starts with"))
ENDS_WITH = Operator("ends_with", _("ends with"))
GT = Operator("gt", _("is more than"))
GTE = Operator("gte", _("is at least"))
LT = Operator("lt", _("is less than"))
LTE = Operator("lte", _("is at most"))
BETWEEN = Operator("between", _("is between"), Shape.RANGE)
IN = Operator("in", _("is in"), Shape.PERIOD)
NOT_IN = Operator("not_in", _("is not in"), Shape.PERIOD, "in")
IN_LAST = Operator("in_last", _("is in the last"), Shape.SPAN)
NOT_IN_LAST = Operator("not_in_last", _("is not in the last"), Shape.SPAN, "in_last")
IN_NEXT = Operator("in_next", _("is in the next"), Shape.SPAN)
NOT_IN_NEXT = Operator("not_in_next", _("is not in the next"), Shape.SPAN, "in_next")
EMPTY = Operator("empty", _("is empty"), Shape.NOTHING)
NOT_EMPTY = Operator("not_empty", _("is not empty"), Shape.NOTHING, "empty")

_TEXT = (CONTAINS, NOT_CONTAINS, IS, IS_NOT, STARTS_WITH, ENDS_WITH, ANY_OF, NONE_OF, EMPTY, NOT_EMPTY)
_NUMBER = (GTE, LTE, GT, LT, BETWEEN, IS, IS_NOT, EMPTY, NOT_EMPTY)
_DATE = (
    IN, NOT_IN, IN_LAST, NOT_IN_LAST, IN_NEXT, NOT_IN_NEXT, replace(LT, label=_("is before")),
    replace(GT, label=_("is after")), replace(GTE, label=_("is on or after")),
    replace(LTE, label=_("is on or before")), BETWEEN, replace(IS, label=_("is on")),
    replace(IS_NOT, label=_("is not on")), EMPTY, NOT_EMPTY,
)  # fmt: skip
_ONE_OF = (ANY_OF, NONE_OF, IS, IS_NOT, EMPTY, NOT_EMPTY)
_SEVERAL = (
    replace(ANY_OF, label=_("has any of")), ALL_OF, replace(NONE_OF, label=_("has none of")), EMPTY, NOT_EMPTY,
)  # fmt: skip

# The first one is what a new condition begins with.
OPERATORS: dict[FieldType, tuple[Operator, ...]] = {
    **dict.fromkeys(
        (FieldType.TEXT, FieldType.LONG_TEXT, FieldType.EMAIL, FieldType.PHONE, FieldType.URL), _TEXT
    ),
    **dict.fromkeys((FieldType.NUMBER, FieldType.MONEY, FieldType.PERCENT), _NUMBER),
    **dict.fromkeys((FieldType.DATE, FieldType.DATETIME), _DATE),
    **dict.fromkeys((FieldType.CHOICE, FieldType.MEMBER), _ONE_OF),
    FieldType.LOOKUP: (IS, IS_NOT, ANY_OF, NONE_OF, EMPTY, NOT_EMPTY),
    **dict.fromkeys((FieldType.TAGS, FieldType.MULTI_CHOICE), _SEVERAL),
    FieldType.CHECKBOX: (IS,),
}  # fmt: skip


def operator_of(field_type: FieldType, key: str) -> Operator | None:
    """The operator of that key, where fields of the type have it."""
    return next((operator for operator in OPERATORS[field_type] if operator.key == key), None)
