"""What the page of a deal, and the deals on other records' pages, show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from contacts.enums import ContactRole
from crm import access
from crm.records import schema
from crm.records.limits import seen_keys
from crm.tenancy.context import Actor
from deals.enums import DealStatus, StageKind
from deals.models import Deal, DealContact, Stage, StageChange

PANEL = 10  # deals that another record's page lists


@dataclass(frozen=True, slots=True)
class Person:
    """A contact of a deal."""

    id: UUID
    name: str
    title: str
    role: str
    is_primary: bool

    @property
    def role_label(self) -> str:
        """The role in words; "" where nobody chose one."""
        return "" if self.role == ContactRole.UNKNOWN else str(ContactRole(self.role).label)


def people_of(deal: Deal, actor: Actor) -> list[Person]:
    """The contacts of a deal that the actor sees, the primary one first."""
    rows = DealContact.objects.filter(deal=deal, contact__deleted_at__isnull=True).order_by("-is_primary", "id")
    fields = ("contact_id", "contact__first_name", "contact__last_name", "contact__email", "contact__title")
    seen = seen_keys(schema.record_type("contact", actor), actor)
    return [
        Person(
            pk,
            f"{first} {last}".strip() or (email if "email" in seen else _("(no name)")),
            title if "title" in seen else "",
            role,
            is_primary,
        )
        for pk, first, last, email, title, role, is_primary in rows.values_list(*fields, "role", "is_primary")
    ]


@dataclass(frozen=True, slots=True)
class Spell:
    """A stay in a stage."""

    name: str
    tone: str
    seconds: int


def stage_spells(deal: Deal, now: datetime) -> list[Spell]:
    """How long a deal was in each open stage, in the order of its way; steps that were undone are left out."""
    rows = StageChange.objects.filter(deal=deal, to_stage__isnull=False).order_by("at", "id")
    steps = list(rows.values_list("pk", "undoes_id", "to_stage__name", "to_stage__tone", "to_stage__kind", "at"))
    undone = {undoes for _pk, undoes, *_rest in steps if undoes}
    kept = [step for step in steps if step[0] not in undone and not step[1]]
    found = []
    for step, following in zip(kept, [*kept[1:], None], strict=True):
        _pk, _undoes, name, tone, kind, at = step
        if kind == StageKind.OPEN:
            found.append(Spell(name, tone, max(0, int(((following[5] if following else now) - at).total_seconds()))))
    return found


def stages_of(pipeline_id: UUID) -> list[Stage]:
    """The stages of a pipeline in their order, closed ones too."""
    return list(Stage.objects.filter(pipeline_id=pipeline_id).order_by("position", "pk"))


def _deals(path: str) -> access.ByKey[dict[str, Any]]:
    fields = ("id", "name", "amount", "currency", "status", "close_date", "stage__name", "stage__tone", "stage_id")

    def build(actor: Actor, key: UUID) -> QuerySet[Any]:
        rows: QuerySet[Deal] = access.visible(Deal, actor).filter(**{path: key})
        return rows.order_by("closed_on", "-updated_at", "-id").values(*fields, "stage__probability")[: PANEL + 1]

    return access.ByKey(build)


_OF_ACCOUNT, _OF_CONTACT = _deals("account_id"), _deals("deal_contacts__contact_id")


def deals_of_account(actor: Actor, account_id: UUID) -> list[dict[str, Any]]:
    """The deals of an account that the actor sees, open ones first; at most one more than PANEL."""
    return _open_first(_OF_ACCOUNT.all(actor, account_id))


def deals_of_contact(actor: Actor, contact_id: UUID) -> list[dict[str, Any]]:
    """The deals that a contact is part of and the actor sees, open ones first; at most one more than PANEL."""
    return _open_first(_OF_CONTACT.all(actor, contact_id))


def _open_first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: row["status"] != DealStatus.OPEN)
