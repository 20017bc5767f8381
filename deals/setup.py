"""What deals add to the kernel's registries, in one place. Called when the apps are ready."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from contacts.imports import targets
from crm.records import hooks
from crm.records.bin import Along, goes_along
from crm.records.registry import registry
from crm.tenancy.context import Actor
from crm.web.commands import commands as palette
from crm.web.nav import create, nav, settings_nav
from deals import commands, home, importing, panels
from deals.actions.owners import reassign_deals
from deals.actions.pipelines import create_default_pipeline
from deals.models import DealContact
from deals.records import DEAL, DEALS_OF_ACCOUNT, DEALS_OF_CONTACT


def _furnish(acting: Actor) -> None:
    create_default_pipeline(acting=acting)


def _reassign(old_owner: UUID, new_owner: UUID, acting: Actor) -> int:
    return reassign_deals(old_owner, new_owner, acting=acting)


def _deals(count: int) -> str:
    return ngettext("%(n)d deal", "%(n)d deals", count) % {"n": count}


def _people(count: int) -> str:
    return ngettext("%(n)d person", "%(n)d people", count) % {"n": count}


def register() -> None:
    """Fills the registries; may run again."""
    registry.register(DEAL)
    goes_along("contact", Along(DealContact, "contact_id", _deals))
    goes_along("deal", Along(DealContact, "deal_id", _people))
    registry.relate("contact", DEALS_OF_CONTACT)
    registry.relate("account", DEALS_OF_ACCOUNT)
    nav.add("deals", _("Deals"), "square-kanban", "deal_board", key="g d", order=30, phone=True)
    create.add("deal", _("New deal"), "square-kanban", "deal_new", order=30)
    settings_nav.add(
        _("Sales"), _("Pipelines and stages"), "git-branch", "settings_pipelines", order=40, roles=["admin", "manager"]
    )
    targets.register(importing.TARGET)
    home.register()
    panels.register()
    palette.add(DEAL.key, commands.steps, order=20)
    palette.add(DEAL.key, commands.owner, order=60)
    hooks.add(hooks.organization_created, _furnish)
    hooks.add(hooks.reassigners, _reassign)
