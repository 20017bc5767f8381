"""Creating, changing, handing over and removing contacts."""

import pytest

from contacts.actions.contacts import create_contact, update_contact
from contacts.enums import ContactRole
from contacts.models import AccountContact, AccountDomain, Contact, ContactEmail, ContactPhone
from contacts.actions.accounts import create_account
from contacts.values import EmailValue, NewAccount, NewContact, PhoneValue
from tests.factories import make_org

pytestmark = pytest.mark.django_db(transaction=True)


def test_create_contact_writes_children_and_links_by_domain():
    org = make_org(time_zone="Europe/Amsterdam")
    rep = org.member("rep", "Maya Okafor")
    with org.acting(rep) as actor:
        account = create_account(NewAccount(name="Halden Logistics", website="www.halden.example"), acting=actor)
        made = create_contact(
            NewContact(
                first_name="Ines",
                last_name="Marchetti",
                emails=(EmailValue("Ines@Halden.example"),),
                phones=(PhoneValue("010 555 0142"),),
                tags=("Champion", "champion"),
            ),
            acting=actor,
        )
        contact = Contact.objects.get(pk=made.pk)
        assert (contact.owner_id, contact.lifecycle, contact.email, contact.phone) == (
            rep.id, "lead", "Ines@halden.example", "+31105550142",
        )
        link = AccountContact.objects.get(contact_id=contact.id)
        assert (link.account_id, link.role, link.is_primary) == (account.id, ContactRole.UNKNOWN, True)
        assert contact.account_id == account.id
        assert len(contact.tags) == 1
        update_contact(contact.id, {"email": "other@halden.example", "title": "VP"}, acting=actor, version=1)
