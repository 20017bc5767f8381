"""Base classes of every row that belongs to an organisation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db import models

from crm.tenancy import context
from crm.tenancy.backend.kept import insert_few
from crm.tenancy.fields import DatabaseUUID7, KeyField, RepeatedNumber, RepeatedText, new_id

FEW = 3  # rows that are worth a statement of their own


def _current_org_id() -> Any:
    org_id = context.current_org_id()
    if org_id is None:
        raise context.NoOrganization("A tenant row is made inside an organisation only.")
    return org_id


class OrgQuerySet(models.QuerySet):
    """A queryset that exists inside an organisation only; row-level security limits it to that organisation."""

    def live(self) -> OrgQuerySet:
        """Without what lies in the recycle bin."""
        return self.filter(deleted_at__isnull=True)

    def bulk_create(  # type: ignore[override]  # the options are passed on
        self, objs: Iterable[Any], batch_size: int | None = None, **options: Any
    ) -> list[Any]:
        """Django's; a few rows with keys of ours go by a statement that is planned once."""
        rows = list(objs)
        if not rows or len(rows) > FEW or options or not all(isinstance(row.pk, UUID) for row in rows):
            return super().bulk_create(rows, batch_size, **options)
        insert_few(rows)
        return rows


def create_together(*groups: Sequence[Any], batch_size: int | None = None) -> None:
    """Inserts new rows with keys of ours, each group of one model: few in one statement, many in one per model.

    A group comes after those that its rows point at.
    """
    if all(len(rows) <= FEW for rows in groups):
        insert_few(*groups)
        return
    for rows in groups:
        if rows:
            type(rows[0])._default_manager.bulk_create(rows, batch_size=batch_size)


class OrgManager(models.Manager.from_queryset(OrgQuerySet)):  # type: ignore[misc]
    """Raises NoOrganization outside of an organisation, instead of silently finding nothing."""

    def get_queryset(self) -> OrgQuerySet:
        if context.current_org_id() is None:
            raise context.NoOrganization(f"{self.model.__name__}: no organisation is entered.")
        return super().get_queryset()


class LiveManager(OrgManager):
    """The rows that are not in the recycle bin."""

    def get_queryset(self) -> OrgQuerySet:
        return super().get_queryset().live()


class TenantModel(models.Model):
    """The least a tenant row has: a UUIDv7 and its organisation. For internals and join rows."""

    # Members who may only read still write rows of models marked so, when the row is their own.
    PERSONAL: ClassVar[bool] = False

    id = KeyField(primary_key=True, default=new_id, db_default=DatabaseUUID7(), editable=False)
    org = models.ForeignKey(
        "crm.Organization",
        models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
        editable=False,
        default=_current_org_id,
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OrgManager()

    class Meta:
        abstract = True
        constraints = [
            # What composite foreign keys point at.
            models.UniqueConstraint(fields=["org", "id"], name="%(app_label)s_%(class)s_org_id"),
        ]


class OrgModel(TenantModel):
    """A record: also says when it changed, which version it is, and whether it lies in the recycle bin."""

    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Grows by one with every change; a form that was opened on an older version is refused.
    version = models.PositiveIntegerField(default=1, editable=False)
    custom = models.JSONField(default=dict, blank=True)

    everything = OrgManager()
    objects = LiveManager()  # type: ignore[misc]  # the base class's is not for records

    class Meta(TenantModel.Meta):
        abstract = True
        base_manager_name = "everything"
        default_manager_name = "everything"


class SortSlots(models.Model):
    """What lists of a record type are sorted by of an organisation's own fields: three texts, three numbers.

    Which field has which column is the organisation's own (CustomField.sort_slot); a trigger fills them from `custom`
    (crm.tenancy.sorting). They say nothing by themselves: no log, form, filter or export knows them. The indexes that
    a type's lists need are crm.tenancy.indexes.slot_indexes.
    """

    TEXT_SLOTS: ClassVar[tuple[str, ...]] = ("t1", "t2", "t3")
    NUMBER_SLOTS: ClassVar[tuple[str, ...]] = ("n1", "n2", "n3")
    SLOT_COLUMNS: ClassVar[tuple[str, ...]] = tuple(f"sort_{slot}" for slot in (*TEXT_SLOTS, *NUMBER_SLOTS))

    sort_t1 = RepeatedText()
    sort_t2 = RepeatedText()
    sort_t3 = RepeatedText()
    sort_n1 = RepeatedNumber()
    sort_n2 = RepeatedNumber()
    sort_n3 = RepeatedNumber()

    class Meta:
        abstract = True
