"""Filters by an organisation's own fields of related records, over HTTP: the list, the board, the panel."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from contacts.models import Account, Contact
from crm.actions.field_choices import Option
from crm.actions.fields import FieldSettings, create_field, set_field_access
from deals.actions.deals import update_deal
from tests.deals.conftest import Sales, make_sales
from tests.support.web import client_for

pytestmark = pytest.mark.django_db(transaction=True)


class Tiers:
    """A deal, its account and its contact, each with a tier of the organisation's own; and the same without."""

    def __init__(self) -> None:
        self.sales: Sales = make_sales()
        choices = (Option("Gold"), Option("Iron"))
        with self.sales.org.acting(self.sales.admin) as admin:
            for kind in ("deal", "account", "contact"):
                create_field(kind, FieldSettings(label="Tier", kind="choice", options=choices), acting=admin)
        for name, custom in (("Kestrel", {"tier": "gold"}), ("Kiln", {})):
            with self.sales.org.system():
                account = Account.objects.create(name=name, owner=self.sales.rep, custom=custom)
                contact = Contact.objects.create(last_name=name, owner=self.sales.rep, custom=custom)
            deal = self.sales.deal(f"{name} crane", account=account, contacts=[contact.pk])
            with self.sales.org.acting(self.sales.admin) as admin:
                update_deal(deal.pk, {"custom": custom}, acting=admin)

    def get(self, path: str, text: str) -> Any:
        return client_for(self.sales.rep).get(f"/w/{self.sales.org.slug}/{path}filter={quote(text)}")


def chips(html: str) -> list[str]:
    return [part.split('"', 1)[0] for part in html.split('class="chip" role="group" aria-label="')[1:]]


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("accounts/?", "some(deals,tier:any_of:(gold))", "Deals some Tier is any of Gold"),
        ("accounts/?", "some(deals,account.tier:is:gold)", "Deals some Account › Tier is Gold"),
        ("accounts/?", "none(contacts,some(deals,tier:is:gold))", "Contacts none Deals some Tier is Gold"),
        ("deals/list/?", "some(contacts,or(tier:is:gold,tier:is:iron))", "Contacts some Tier is Gold or Tier is Iron"),
        ("deals/?", "some(contacts,tier:any_of:(gold))", "Contacts some Tier is any of Gold"),
        ("deals/?", "not(account.tier:is:gold)", "Not  Account › Tier is Gold"),
        ("contacts/?", "some(deals,tier:is:gold)", "Deals some Tier is Gold"),
    ],
)
def test_chips_name_own_fields_of_related_records(path: str, text: str, said: str) -> None:
    tiers = Tiers()
    response = tiers.get(path, text)
    assert (response.status_code, chips(response.content.decode())) == (200, [f"Filter: {said}"])


def test_hidden_own_field_of_related_records_is_none() -> None:
    tiers = Tiers()
    with tiers.sales.org.acting(tiers.sales.admin) as admin:
        set_field_access("deal", "tier", {"rep": "hidden"}, acting=admin)
    hidden, never = (tiers.get("accounts/?", f"some(deals,{key}:is:gold)") for key in ("tier", "reit"))
    assert (hidden.status_code, never.status_code) == (422, 422)
    assert ("no field “tier”" in hidden.content.decode(), "Gold" in hidden.content.decode()) == (True, False)
