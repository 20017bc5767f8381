"""Who edits a record leaves what its fields point at, where they don't see that or could not choose it any more."""

from __future__ import annotations

import re
from typing import Any

import pytest

from contacts.actions.accounts import create_account
from contacts.models import Contact
from contacts.values import NewAccount
from crm.actions.members import deactivate_member
from crm.records.forms import CUSTOM
from deals.actions.deals import create_deal
from deals.actions.pipelines import create_pipeline
from deals.models import Deal
from tests.records.company import Company
from tests.support.web import client_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def unseen(company: Company) -> dict[str, Any]:
    """A contact of the rep, and an account of the manager's that it belongs to and names as its partner."""
    company.add("Partner", "lookup", target="account")
    company.add("Coach", "member")
    contact = company.contact()
    with company.acting("manager") as acting:
        account = create_account(NewAccount(name="Skjult AS"), acting=acting)
    coach = company.org.member("rep", name="Cleo Coach")
    with company.org.system():
        custom = {"partner": str(account.pk), "coach": str(coach.pk)}
        Contact.objects.filter(pk=contact.pk).update(account=account, custom=custom)
    with company.acting("admin") as acting:
        deactivate_member(coach.pk, acting=acting)
    return {"contact": contact, "account": account, "coach": coach}


def _fields(html: str) -> dict[str, Any]:
    """What a browser would send of a form as it stands."""
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", html):
        name, value = re.search(r' name="([^"]+)"', tag), re.search(r' value="([^"]*)"', tag)
        if name and ('type="radio"' not in tag or " checked" in tag) and 'type="checkbox"' not in tag:
            found[name[1]] = value[1] if value else ""
    for name, options in re.findall(r'<select[^>]* name="([^"]+)".*?>(.*?)</select>', html, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


def _held(company: Company, contact: Contact) -> tuple[Any, Any, str]:
    with company.org.system():
        row = Contact.objects.get(pk=contact.pk)
        return row.account_id, row.custom, row.title


def test_a_form_keeps_what_its_reader_does_not_see(company, unseen):
    client, path = client_for(company.members["rep"]), f"/w/{company.org.slug}/contacts/{unseen['contact'].pk}/edit/"
    page = client.get(path).content.decode()
    assert str(unseen["account"].pk) not in page
    assert "Skjult" not in page
    assert page.count("(not visible to you)") == 2
    response = client.post(path, {**_fields(page), "title": "Captain"})
    assert response.status_code in (200, 302), response.content[:500]
    custom = {"partner": str(unseen["account"].pk), "coach": str(unseen["coach"].pk)}
    assert _held(company, unseen["contact"]) == (unseen["account"].pk, custom, "Captain")


def test_a_form_that_chooses_nothing_takes_it_off(company, unseen):
    client, path = client_for(company.members["rep"]), f"/w/{company.org.slug}/contacts/{unseen['contact'].pk}/edit/"
    sent = {**_fields(client.get(path).content.decode()), "account": "", CUSTOM + "partner": "", CUSTOM + "coach": ""}
    assert client.post(path, sent).status_code in (200, 302)
    assert _held(company, unseen["contact"]) == (None, {}, "")


@pytest.mark.parametrize("key", ["account", "partner"])
def test_editing_in_place_keeps_it_too(company, unseen, key):
    client = client_for(company.members["rep"])
    path = f"/w/{company.org.slug}/records/contact/{unseen['contact'].pk}/fields/{key}/"
    page = client.get(path, {"edit": "1"}).content.decode()
    assert str(unseen["account"].pk) not in page
    assert client.post(path, _fields(page)).status_code == 302
    assert _held(company, unseen["contact"])[:1] == (unseen["account"].pk,)


def test_searching_another_record_leaves_the_kept_one_a_choice(company, unseen):
    client = client_for(company.members["rep"])
    path = f"/w/{company.org.slug}/records/account/options/"
    kept = client.get(path, {"field": "account", "account": "kept", "account-q": "zz"}).content.decode()
    assert "(not visible to you)" in kept
    asked = client.get(path, {"field": "account", "account": unseen["account"].pk, "account-q": "zz"}).content.decode()
    assert "(not visible to you)" not in asked


def test_keep_means_nothing_where_there_is_nothing_to_keep(company):
    contact = company.contact()
    client, path = client_for(company.members["rep"]), f"/w/{company.org.slug}/contacts/{contact.pk}/edit/"
    sent = {**_fields(client.get(path).content.decode()), "account": "kept"}
    assert client.post(path, sent).status_code == 422
    assert _held(company, contact)[0] is None


def test_a_deal_keeps_an_account_of_others(company, unseen):
    with company.acting("admin") as acting:
        create_pipeline("Sales", acting=acting)
    with company.acting("rep") as acting:
        deal = create_deal({"name": "Quay"}, acting=acting)
    with company.org.system():
        Deal.objects.filter(pk=deal.pk).update(account=unseen["account"])
    client, path = client_for(company.members["rep"]), f"/w/{company.org.slug}/deals/{deal.pk}/edit/"
    assert client.post(path, {**_fields(client.get(path).content.decode()), "name": "Pier"}).status_code in (200, 302)
    with company.org.system():
        assert Deal.objects.values_list("name", "account_id").get() == ("Pier", unseen["account"].pk)
