"""Values that only one record may have, as the constraints of its table say."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import UniqueConstraint

from crm.tenancy.context import elevated


def unique_while_live(model: type[Any]) -> list[UniqueConstraint]:
    """The constraints that leave the recycle bin out."""
    found = [c for c in model._meta.constraints if isinstance(c, UniqueConstraint)]
    return [constraint for constraint in found if constraint.condition is not None]


def taken_fields(record: Any) -> tuple[str, ...]:
    """The fields whose value another live record has, as if this one were live; empty where nothing is in the way."""
    deleted_at, record.deleted_at = record.deleted_at, None
    try:
        for constraint in unique_while_live(type(record)):
            try:
                with elevated("a value that only one record may have may be another's that the actor does not see"):
                    constraint.validate(type(record), record)
            except ValidationError:
                return tuple(name for name in constraint.fields if name != "org")
    finally:
        record.deleted_at = deleted_at
    return ()
