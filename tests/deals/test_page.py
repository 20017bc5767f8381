"""The page of a deal, its people, and deals on other records' pages."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.actions.accounts import create_account
from contacts.actions.contacts import create_contact
from contacts.values import EmailValue, NewAccount, NewContact
from deals.actions.deals import create_deal
from deals.actions.pipelines import create_default_pipeline
from deals.models import Deal, DealContact
from tests.factories import make_org
from tests.support.web import client_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk():
    org = make_org()
    rep, other, reader = org.member("rep"), org.member("rep"), org.member("readonly")
    with org.system() as system:
        create_default_pipeline(acting=system)
    with org.acting(rep) as actor:
        account = create_account(NewAccount(name="Halden Logistics"), acting=actor)
        contact = create_contact(
            NewContact(
                first_name="Ines",
                last_name="Marchetti",
                emails=(EmailValue("i@halden.example"),),
                account_id=account.id,
            ),
            acting=actor,
        )
        deal = create_deal(
            {"name": "Yard crane", "amount": 123400, "account": account.pk, "contacts": [contact.pk]}, acting=actor
        )
    return org, rep, other, reader, account, contact, deal


def test_page_shows_the_deal_to_those_who_see_it(desk):
    org, rep, other, reader, _account, _contact, deal = desk
    path = f"/w/{org.slug}/deals/{deal.pk}/"
    for member in (rep, reader):
        html = client_for(member).get(path).content.decode()
        assert all(text in html for text in ("Yard crane", "Halden Logistics", "Ines Marchetti", "€1,234", "Qualified"))
    assert ("hx-put" in client_for(rep).get(path).content.decode(), "hx-put" in html) == (True, False)
    assert client_for(other).get(path).status_code == 404


def test_page_statements(desk):
    org, rep, *_rest, deal = desk
    client = client_for(rep)
    path = f"/w/{org.slug}/deals/{deal.pk}/"
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    assert len(captured) <= 12


def test_people_are_added_and_removed_by_those_who_may(desk):
    org, rep, other, reader, _account, contact, deal = desk
    path = f"/w/{org.slug}/deals/{deal.pk}/people/"
    body = {"contact": str(contact.pk), "role": "champion", "is_primary": "on"}
    for member in (other, reader):
        assert client_for(member).post(path, body).status_code == 404
    assert client_for(rep).post(path, body).status_code == 302
    with org.system():
        assert DealContact.objects.values_list("contact_id", "role").get() == (contact.pk, "champion")
    assert client_for(other).post(f"{path}{contact.pk}/").status_code == 404
    assert client_for(rep).post(f"{path}{contact.pk}/").status_code == 302
    with org.system():
        assert DealContact.objects.count() == 0


@pytest.mark.parametrize("page", ["contacts", "accounts"])
def test_deals_stand_on_other_pages_for_those_who_see_them(desk, page):
    org, rep, _other, _reader, account, contact, deal = desk
    pk = contact.pk if page == "contacts" else account.pk
    path = f"/w/{org.slug}/{page}/{pk}/"
    assert "Yard crane" in client_for(rep).get(path).content.decode()
    with org.system():
        Deal.objects.filter(pk=deal.pk).update(owner_id=_other.pk)
    assert "Yard crane" not in client_for(rep).get(path).content.decode()
