"""What contacts and accounts add to the kernel's registries."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from contacts import home
from contacts.actions.reassign import reassign_contacts_and_accounts
from contacts.imports import contact_target, targets
from contacts.models import AccountContact
from contacts.queries import imports_under_way
from contacts.records import ACCOUNT, CONTACT
from crm.records import hooks
from crm.records.bin import Along, goes_along
from crm.records.registry import registry
from crm.tenancy.context import Actor
from crm.web.nav import create, nav


def register() -> None:
    """Record types, navigation, and what happens to a leaver's records. May run twice."""
    registry.register(CONTACT)
    registry.register(ACCOUNT)
    nav.add("contacts", _("Contacts"), "users", "contact_list", key="g c", order=20, phone=True)
    nav.add("accounts", _("Accounts"), "building-2", "account_list", key="g a", order=21)
    create.add("contact", _("New contact"), "user-plus", "contact_new", order=10)
    create.add("account", _("New account"), "building-2", "account_new", order=20)
    hooks.add(hooks.reassigners, _reassign)
    hooks.add(hooks.writers, imports_under_way)
    targets.register(contact_target.TARGET)
    goes_along("contact", Along(AccountContact, "contact_id", _accounts))
    goes_along("account", Along(AccountContact, "account_id", _people))
    home.register()


def _accounts(count: int) -> str:
    return ngettext("%(n)d account link", "%(n)d account links", count) % {"n": count}


def _people(count: int) -> str:
    return ngettext("%(n)d person", "%(n)d people", count) % {"n": count}


def _reassign(old: UUID, new: UUID, acting: Actor) -> int:
    return reassign_contacts_and_accounts(old, new, acting=acting)
