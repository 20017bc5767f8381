"""How the child rows of contacts, accounts and deals read in a history."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from contacts.models import AccountContact, AccountDomain, AccountShare, ContactEmail, ContactPhone, ContactShare
from crm.records.history import Child, describe_child
from deals.models import DealContact, DealShare


def register() -> None:
    """Called when the apps are ready; again does no harm."""
    describe_child(Child(ContactEmail, _("Email"), ("address",), key="email"))
    describe_child(Child(ContactPhone, _("Phone"), ("number",), key="phone"))
    describe_child(Child(AccountContact, _("Account"), ("account_id",), key="account"))
    describe_child(Child(AccountDomain, _("Domain"), ("domain",), key="domain"))
    describe_child(Child(DealContact, _("Contact"), ("contact_id",)))
    for share in (ContactShare, AccountShare, DealShare):
        describe_child(Child(share, _("Shared with"), ("member_id", "team_id")))
