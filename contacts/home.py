"""What contacts put on the home page: the first steps of a new organisation."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from contacts.models import Contact
from crm import access
from crm.web.home import Step, home


def register() -> None:
    """Called when the apps are ready; again does no harm."""
    home.step(
        Step(
            key="contact",
            title=_("Add a contact"),
            detail=_("Somebody you sell to. Their company is found by the domain of their address."),
            icon="user-plus",
            url_name="contact_new",
            done=has_contacts,
            order=10,
        )
    )
    home.step(
        Step(
            key="import",
            title=_("Bring your data along"),
            detail=_("Contacts and deals from HubSpot, Salesforce, Pipedrive or any CSV file."),
            icon="upload",
            url_name="import_list",
            done=has_several_contacts,
            order=20,
            dialog=False,
            optional=True,
        )
    )


def has_contacts(actor: Any) -> bool:
    """Whether the actor sees any contact."""
    return access.visible(Contact, actor).exists()


def has_several_contacts(actor: Any) -> bool:
    """Whether there is more than a handful: nobody types these in."""
    return len(access.visible(Contact, actor).order_by()[:10].values("id")) == 10
