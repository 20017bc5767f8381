"""What contacts and accounts add to the kernel's registries."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from contacts import home
from contacts.actions.reassign import reassign_contacts_and_accounts
from contacts.imports import contact_target, targets
from contacts.records import ACCOUNT, CONTACT
from crm.records import hooks
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
    targets.register(contact_target.TARGET)
    home.register()


def _reassign(old: UUID, new: UUID, acting: Actor) -> int:
    return reassign_contacts_and_accounts(old, new, acting=acting)
