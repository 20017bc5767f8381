"""The addresses and numbers of a contact, and the domains of an account: rows of their own, the first mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from contacts.lib.emails import same_email
from contacts.models import Account, AccountDomain, Contact, ContactEmail, ContactPhone
from contacts.values import EmailValue, PhoneValue
from crm.tenancy.backend.kept import new_row


def email_rows(contact_id: UUID, emails: Sequence[EmailValue]) -> list[ContactEmail]:
    """Rows for checked addresses, the primary one in front."""
    return [
        new_row(
            ContactEmail, contact_id=contact_id, position=i, address=v.address, kind=v.kind, is_primary=v.is_primary
        )
        for i, v in enumerate(emails)
    ]


def phone_rows(contact_id: UUID, phones: Sequence[PhoneValue]) -> list[ContactPhone]:
    """Rows for checked numbers, the primary one in front."""
    return [
        new_row(ContactPhone, contact_id=contact_id, position=i, number=v.number, kind=v.kind, is_primary=v.is_primary)
        for i, v in enumerate(phones)
    ]


def domain_rows(account_id: UUID, domains: Sequence[str]) -> list[AccountDomain]:
    """Rows for normalised domains."""
    return [new_row(AccountDomain, account_id=account_id, domain=d, position=i) for i, d in enumerate(domains)]


def replace_emails(contact: Contact, emails: Sequence[EmailValue]) -> bool:
    """Makes these the contact's addresses and mirrors the first one, unsaved. Whether anything changed."""
    contact.email = emails[0].address if emails else ""
    had = {same_email(row.address): row for row in ContactEmail.objects.filter(contact_id=contact.id)}
    want = {same_email(row.address): row for row in email_rows(contact.id, emails)}
    return _replace(ContactEmail, had, want, ("address", "kind", "is_primary", "position"))


def replace_phones(contact: Contact, phones: Sequence[PhoneValue]) -> bool:
    """Makes these the contact's numbers and mirrors the first one, unsaved. Whether anything changed."""
    contact.phone = phones[0].number if phones else ""
    had = {row.number: row for row in ContactPhone.objects.filter(contact_id=contact.id)}
    want = {row.number: row for row in phone_rows(contact.id, phones)}
    return _replace(ContactPhone, had, want, ("number", "kind", "is_primary", "position"))


def replace_domains(account: Account, domains: Sequence[str]) -> bool:
    """Makes these the account's domains and mirrors the first one, unsaved. Whether anything changed."""
    account.domain = domains[0] if domains else ""
    had = {row.domain: row for row in AccountDomain.objects.filter(account_id=account.id)}
    want = {row.domain: row for row in domain_rows(account.id, domains)}
    return _replace(AccountDomain, had, want, ("domain", "position"))


def _replace(model: Any, had: dict[str, Any], want: dict[str, Any], columns: tuple[str, ...]) -> bool:
    """Deletes, changes and adds child rows, only those that differ, so that the audit log says what changed."""
    gone = [row.id for key, row in had.items() if key not in want]
    changed = []
    for key, row in had.items():
        if key in want and any(getattr(row, c) != getattr(want[key], c) for c in columns):
            for column in columns:
                setattr(row, column, getattr(want[key], column))
            changed.append(row)
    new = [row for key, row in want.items() if key not in had]
    if gone:
        model.objects.filter(id__in=gone).delete()
    # The former primary makes room first: only one row may be marked at any moment.
    for row in sorted(changed, key=lambda r: getattr(r, "is_primary", False)):
        row.save(update_fields=columns)
    if new:
        model.objects.bulk_create(new)
    return bool(gone or changed or new)
