"""Makes a row of any model with as little as it needs, for tests that go over all of them."""

from __future__ import annotations

import datetime as dt
import secrets
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.db import models

from crm.models import Membership, Organization, OutboxEvent, Share, User
from tests.factories import make_user

MOMENT = dt.datetime(2026, 1, 15, 12, tzinfo=dt.UTC)


def make(model: type[models.Model]) -> Any:
    """A row in the organisation that is entered, with the rows it cannot be without."""
    values = {field.name: _value(field) for field in model._meta.local_fields if _is_needed(field)}
    if issubclass(model, Share):
        values["member"] = make(Membership)
        # guardian asks for one of the record's own type.
        of_type = ContentType.objects.get_for_model(values["content_object"])
        values["permission"] = Permission.objects.filter(content_type=of_type).first()
    if model is OutboxEvent:
        values["org_id"] = Organization.objects.get().pk
    return model._base_manager.create(**values)


def _is_needed(field: Any) -> bool:
    if field.primary_key or field.name == "org" or isinstance(field, models.GeneratedField):
        return False
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return False
    return not (field.null or field.has_default() or field.has_db_default())


def _value(field: Any) -> Any:
    if isinstance(field, models.ForeignKey):
        return _row(field.related_model)
    if field.choices:
        return field.choices[0][0]
    makers: list[tuple[type[models.Field], Any]] = [
        (models.EmailField, f"{secrets.token_hex(6)}@example.org"),
        (models.CharField, secrets.token_hex(20)[: field.max_length or 40]),
        (models.TextField, secrets.token_hex(4)),
        (models.DateTimeField, MOMENT),
        (models.DateField, MOMENT.date()),
        (models.DecimalField, Decimal("1.5")),
        (models.IntegerField, 1),
        (models.BooleanField, False),
        (models.UUIDField, uuid4()),
        (models.BinaryField, secrets.token_bytes(32)),
        (models.JSONField, {}),
        (ArrayField, []),
    ]
    for kind, value in makers:
        if isinstance(field, kind):
            return value
    raise TypeError(f"No value is known for {field!r}.")


def _row(model: type[models.Model]) -> Any:
    if model is User:
        return make_user()
    return None if model is Permission else make(model)
