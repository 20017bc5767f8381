"""Filters over contacts, accounts, deals and activities, in a private organisation: hidden records count for nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from activities.models import Activity
from contacts.actions.contacts import create_contact
from contacts.actions.links import link_contact
from contacts.models import Account, Contact
from contacts.values import NewContact
from crm import access
from crm.lib.errors import Invalid
from crm.models import Membership
from crm.records.filters.compiler import compile_filter
from crm.records.filters.text import parse
from crm.records.registry import registry
from deals.actions.contacts import set_deal_contact
from deals.models import Deal
from tests.contacts.conftest import cast
from tests.deals.conftest import Sales, make_sales

__all__ = ["cast"]
pytestmark = pytest.mark.django_db(transaction=True)
MODELS: dict[str, Any] = {"contact": Contact, "account": Account, "deal": Deal}


class Desk:
    """The rep's records and a stranger's, tied to each other."""

    def __init__(self) -> None:
        self.sales: Sales = make_sales()
        org, rep, stranger = self.sales.org, self.sales.rep, self.sales.stranger
        with org.system():
            make = Account.objects.create
            self.mine = make(name="Kestrel", industry="Software", employee_count=120, owner=rep)
            self.hidden = make(name="Halden", industry="Software", employee_count=120, owner=stranger)
            self.small = make(name="Kiln", industry="software ", employee_count=5, owner=rep)
        self.ines = self.contact("Ines", rep, (self.mine, "decision_maker"), (self.hidden, "champion"))
        self.omar = self.contact("Omar", rep, (self.hidden, "decision_maker"))
        self.pia = self.contact("Pia", rep, (self.mine, "champion"), (self.small, "decision_maker"))
        self.theirs = self.contact("Theirs", stranger, (self.mine, "decision_maker"))
        self.big = self.deal("Big", rep, self.mine, 60_000, self.ines)
        self.secret = self.deal("Secret", stranger, self.mine, 90_000, self.ines)
        self.tiny = self.deal("Tiny", rep, self.small, 100, self.pia)

    def contact(self, name: str, owner: Membership, *places: tuple[Account, str]) -> Contact:
        with self.sales.org.acting(self.sales.admin) as acting:
            made = create_contact(NewContact(last_name=name, owner_id=owner.id), acting=acting)
            for account, role in places:
                link_contact(made.pk, account.pk, acting=acting, role=role)
        return made

    def deal(self, name: str, owner: Membership, account: Account, amount: int, contact: Contact) -> Deal:
        deal = self.sales.deal(
            name, by=self.sales.admin, owner=owner, account=account, amount=amount * 100, currency="EUR"
        )
        with self.sales.org.acting(self.sales.admin) as acting:
            set_deal_contact(deal.pk, contact.pk, acting=acting, role="champion")
        return deal

    def activity(self, days: float, owner: Membership, **about: Any) -> None:
        with self.sales.org.system():
            Activity.objects.filter(**about).delete()
            when = timezone.now() + timedelta(days=days)
            Activity.objects.create(type="meeting", subject="Demo", owner=owner, occurred_at=when, **about)

    def found(self, member: Membership, kind: str, text: str) -> list[str]:
        """The names of the records that a filter leaves of what a member sees."""
        actor = self.sales.org.actor(member)
        with self.sales.org.acting(member):
            rows = access.visible(MODELS[kind], actor)
            rows = rows.filter(compile_filter(parse(text), registry.get(kind), actor))
            return sorted(row.last_name if kind == "contact" else row.name for row in rows)


@pytest.fixture
def desk() -> Desk:
    return Desk()


SIZED = "industry:is:software,employee_count:between:(50,200)"


@pytest.mark.parametrize(
    ("kind", "text", "admin", "rep"),
    [
        ("contact", f"some(accounts,{SIZED})", "Ines Omar Pia Theirs", "Ines Pia"),
        ("contact", f"some(accounts,link.role:is:decision_maker,{SIZED})", "Ines Omar Theirs", "Ines"),
        ("contact", f"none(accounts,{SIZED})", "", "Omar"),
        ("contact", "none(accounts)", "", "Omar"),
        ("contact", "some(accounts,or(link.role:is:champion,name:is:kiln))", "Ines Pia", "Pia"),
        ("contact", "some(accounts,not(or(link.role:is:champion,name:is:kiln)))", "Ines Omar Theirs", "Ines"),
        ("contact", "some(accounts,link.role:is_not:champion,employee_count:gt:5)", "Ines Omar Theirs", "Ines"),
        ("contact", "account.industry:is:software,account.employee_count:gte:50", "Ines Omar Pia Theirs", "Ines Pia"),
        ("contact", "account.industry:is_not:software", "", "Omar"),
        ("contact", "account:empty", "", "Omar"),
        ("contact", "account.name:empty", "", "Omar"),
        ("contact", "account.name:not_empty", "Ines Omar Pia Theirs", "Ines Pia"),
        ("account", "some(deals,status:is:open,amount:gt:50000)", "Kestrel", "Kestrel"),
        ("account", "some(deals,amount:gt:80000)", "Kestrel", ""),
        (
            "account",
            "some(contacts,link.role:is:decision_maker,lifecycle:is:lead)",
            "Halden Kestrel Kiln",
            "Kestrel Kiln",
        ),
        ("account", "some(contacts,some(deals,name:is:tiny))", "Kestrel Kiln", "Kestrel Kiln"),
        ("account", "some(contacts,some(deals,name:is:secret))", "Halden Kestrel", ""),
        ("account", "some(contacts,or(link.role:is:user,some(deals,name:is:tiny)))", "Kestrel Kiln", "Kestrel Kiln"),
        ("deal", "some(contacts,last_name:is:ines)", "Big Secret", "Big"),
        ("deal", "account.some:is:1", None, None),
    ],
)
def test_related_records_count_as_far_as_they_are_seen(desk: Desk, kind: str, text: str, admin: str, rep: str) -> None:
    if admin is None:
        with pytest.raises(Invalid):
            desk.found(desk.sales.admin, kind, text)
        return
    assert desk.found(desk.sales.admin, kind, text) == admin.split()
    assert desk.found(desk.sales.rep, kind, text) == rep.split()


def test_deals_without_a_planned_activity(desk: Desk) -> None:
    rep, stranger = desk.sales.rep, desk.sales.stranger
    desk.activity(3, rep, deal=desk.big, account=desk.mine)
    desk.activity(-3, rep, deal=desk.tiny, account=desk.small)
    desk.activity(3, stranger, deal=desk.secret, account=desk.mine)
    assert desk.found(desk.sales.admin, "deal", "none(activities,occurred_at:gt:now)") == ["Tiny"]
    assert desk.found(rep, "deal", "none(activities,occurred_at:gt:now)") == ["Tiny"]
    # What happens with a deal that the rep does not see is none of the account's activities for them.
    planned = "some(activities,occurred_at:in_next:7d,owner:none_of:(me))"
    assert desk.found(desk.sales.admin, "account", planned) == ["Kestrel"]
    assert desk.found(rep, "account", planned) == []
    assert desk.found(rep, "account", "some(activities,occurred_at:in_next:7d)") == ["Kestrel"]


def test_a_colleagues_activity_on_ones_own_contact_counts(desk: Desk) -> None:
    desk.activity(-2, desk.sales.stranger, contact=desk.ines)
    desk.activity(-2, desk.sales.stranger, contact=desk.theirs)
    for who, names in ((desk.sales.rep, ["Ines"]), (desk.sales.admin, ["Ines", "Theirs"])):
        assert desk.found(who, "contact", "some(activities,type:is:meeting,occurred_at:in_last:7d)") == names


def test_what_access_says_of_activities_is_what_the_policy_says(desk: Desk) -> None:
    """Rows that belong to others are seen with them, by the filter as by row-level security."""
    with desk.sales.org.system():
        for owner in (desk.sales.rep, desk.sales.stranger, None):
            for deal, contact, account in (
                (desk.big, desk.theirs, None), (desk.secret, desk.ines, desk.mine), (None, desk.ines, desk.hidden),
                (None, desk.theirs, desk.mine), (None, None, desk.mine), (None, None, desk.hidden), (None, None, None),
            ):  # fmt: skip
                Activity.objects.create(type="note", owner=owner, deal=deal, contact=contact, account=account)
    for member in (desk.sales.rep, desk.sales.manager, desk.sales.stranger, desk.sales.admin, desk.sales.reader):
        actor = desk.sales.org.actor(member)
        with desk.sales.org.acting(member):
            fenced = ids(Activity.objects.all())
        with desk.sales.org.system():
            assert ids(access.visible(Activity, actor)) == fenced


def ids(rows: Iterable[Any]) -> set[Any]:
    return {row.pk for row in rows}
