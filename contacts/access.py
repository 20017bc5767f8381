"""How contacts and accounts are reached. What is absent, elsewhere or forbidden raises NotFound."""

from __future__ import annotations

from uuid import UUID

from contacts.models import Account, Contact
from crm import access
from crm.access import absent, is_uuid, may_write
from crm.tenancy.context import Actor

__all__ = [
    "absent",
    "change_account",
    "change_contact",
    "get_account",
    "get_contact",
    "is_uuid",
    "may_write",
    "sees",
]


# What a page shows of a contact, its account and its owner; half of the columns of the four tables.
_OF_CONTACT = (
    *(f.name for f in Contact._meta.concrete_fields if not f.generated and f.name not in ("org", "created_at")),
    "account__name", "account__deleted_at", "owner__user__name", "owner__user__email",
)  # fmt: skip


def get_contact(pk: UUID | str, actor: Actor) -> Contact:
    """A contact that the actor sees, with its account's name and its owner. Raises NotFound."""
    return access.get_visible(Contact, pk, actor, "account", "owner__user", only=_OF_CONTACT)


def get_account(pk: UUID | str, actor: Actor) -> Account:
    """An account that the actor sees, with its parent and owner. Raises NotFound."""
    return access.get_visible(Account, pk, actor, "parent", "owner__user")


def change_contact(pk: UUID | str, actor: Actor) -> Contact:
    """A contact that the actor may change, locked. Raises NotFound."""
    return access.get_writable(Contact, pk, actor)


def change_account(pk: UUID | str, actor: Actor) -> Account:
    """An account that the actor may change, locked. Raises NotFound."""
    return access.get_writable(Account, pk, actor)


def sees(record: Contact | Account, actor: Actor) -> bool:
    """Whether the actor sees a record that they have just written."""
    if actor.read == "all" or record.owner_id in actor.members:
        return True
    return access.visible(type(record), actor).filter(pk=record.pk).exists()
