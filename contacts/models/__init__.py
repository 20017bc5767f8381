"""Contacts and accounts."""

from contacts.models.account import Account, AccountDomain, AccountShare
from contacts.models.contact import AccountContact, Contact, ContactEmail, ContactPhone, ContactShare
from contacts.models.importing import ImportJob, ImportRow, ImportStatus

__all__ = [
    "Account",
    "AccountContact",
    "AccountDomain",
    "AccountShare",
    "Contact",
    "ContactEmail",
    "ContactPhone",
    "ContactShare",
    "ImportJob",
    "ImportRow",
    "ImportStatus",
]
