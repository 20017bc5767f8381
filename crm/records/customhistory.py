"""How changes of an organisation's own fields read in a history: each by itself, though the log holds them together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from crm.records.loggedwords import WORDS, cut
from crm.records.names import Names, reference_of
from crm.records.registry import Field, FieldType
from crm.web import formats

COLUMN = "custom"
Diff = Mapping[str, Any]  # {column: [old, new]}


def expanded(diff: Diff) -> Diff:
    """An update's diff with a column for each field of `custom` that differs, as `Field.column` names it."""
    pair = diff.get(COLUMN)
    if not isinstance(pair, list):
        return diff
    old, new = (side or {} for side in pair)
    changed = {key: [old.get(key), new.get(key)] for key in {**old, **new} if old.get(key) != new.get(key)}
    plain = {column: value for column, value in diff.items() if column != COLUMN}
    return {**plain, **{f"{COLUMN}.{key}": sides for key, sides in changed.items()}}


def text_of(field: Field, value: Any, names: Names) -> str:
    """A logged value of a custom field in words."""
    model = reference_of(field)
    if model is not None:
        return names.of(model, value) or _("(not visible to you)")
    if field.type in (FieldType.CHOICE, FieldType.MULTI_CHOICE):
        labels = dict(field.options())
        return ", ".join(str(labels.get(one, one)) for one in (value if isinstance(value, list) else [value]))
    if field.type == FieldType.MONEY:
        return formats.money(value["amount"], value["currency"])
    return cut(WORDS.get(field.type, str)(value))
