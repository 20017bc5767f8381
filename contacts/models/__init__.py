"""Contacts and accounts."""

from contacts.models.account import Account, AccountDomain, AccountShare
from contacts.models.contact import AccountContact, Contact, ContactEmail, ContactPhone, ContactShare

__all__ = [
    "Account",
    "AccountContact",
    "AccountDomain",
    "AccountShare",
    "Contact",
    "ContactEmail",
    "ContactPhone",
    "ContactShare",
]
