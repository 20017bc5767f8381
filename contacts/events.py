"""What happens to contacts and accounts, as the outbox tells it.

Batch events ("contacts.created") are emitted by set-based actions: their payload names at most 1,000 `records`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from crm.events import Event

CONTACTS_CREATED = "contacts.created"
ACCOUNTS_CREATED = "accounts.created"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCreated(Event):
    """A contact was created, and linked to `account` if it has one."""

    name: ClassVar[str] = "contact.created"
    owner: UUID
    account: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactUpdated(Event):
    """Fields of a contact changed; `fields` names them ("emails", "phones" and "tags" among them)."""

    name: ClassVar[str] = "contact.updated"
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactAssigned(Event):
    """A contact has another owner."""

    name: ClassVar[str] = "contact.assigned"
    from_member: UUID
    to_member: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactLinked(Event):
    """A contact was linked to an account, or its role there changed."""

    name: ClassVar[str] = "contact.linked"
    account: UUID
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactUnlinked(Event):
    """A contact's link to an account was removed."""

    name: ClassVar[str] = "contact.unlinked"
    account: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCreated(Event):
    """An account was created."""

    name: ClassVar[str] = "account.created"
    owner: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUpdated(Event):
    """Fields of an account changed; `fields` names them."""

    name: ClassVar[str] = "account.updated"
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAssigned(Event):
    """An account has another owner."""

    name: ClassVar[str] = "account.assigned"
    from_member: UUID
    to_member: UUID
